"""torch's graphs drawn by our explainer, and the questions about them."""

import re

import numpy as np
import pytest

from qiudao.core.errors import FreedError, GradientError

torch = pytest.importorskip("torch")
bridge = pytest.importorskip("qiudao.interop.torch")
explain, why = bridge.explain, bridge.why
pytestmark = pytest.mark.peer


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def network():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    h = model(torch.randn(5, 3))
    return model, torch.nn.functional.cross_entropy(h, torch.arange(5) % 2) + h.max(1)[0].sum()


def by_name(shown):
    return {v.name: v for v in shown.graph.vertices if v.name}


def test_gradients_are_torchs():
    model, loss = network()
    shown = explain(loss, model)
    loss.backward()
    found = by_name(shown)
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(found[name].gradient, p.grad)
        np.testing.assert_array_equal(found[name].value, p.detach())


def test_operations_shapes_and_names():
    model, loss = network()
    shown = explain(loss, net=model)
    operations = [v.operation for v in shown.graph.vertices if v.kind == "operation"]
    assert {"addmm", "tanh", "t", "log_softmax", "nll_loss", "max", "sum", "add"} == set(operations)
    assert {v.name for v in shown.graph.inputs} == {
        "net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias",
    }  # fmt: skip
    softmax = next(v for v in shown.graph.vertices if v.operation == "log_softmax")
    assert softmax.shape == (5, 2)
    assert softmax.fields == "dim=1"


def test_terms_sum_to_the_gradient_and_variables_give_names():
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x + x
    shown = explain(y)
    found = by_name(shown)
    assert [float(t.value) for t in found["x"].terms] == [1, 3, 3]
    assert found["x"].gradient == 7
    assert found["y"].value == 12
    assert found["y"].expression == "add(·, x)"
    assert x.grad is None


def test_several_results_of_one_operation():
    x = leaf(1.0, 2.0, 3.0)
    a, b = x.split([1, 2])
    shown = explain((a * b).sum())
    found = by_name(shown)
    assert found["b"].expression == "result 1 of split_with_sizes"
    np.testing.assert_array_equal(found["a"].gradient, [5])
    np.testing.assert_array_equal(found["x"].gradient, [5, 1, 1])


def test_constants_that_torch_keeps_are_shown():
    x, c = leaf(3.0, 1.0), torch.tensor([2.0, 4.0])
    shown = explain((x * c * 0.5).sum())
    constants = [v for v in shown.graph.vertices if v.kind == "constant"]
    np.testing.assert_array_equal(constants[0].value, c)
    assert [v.expression for v in shown.graph.vertices if v.operation == "mul"] == [
        "mul(x, c)", "mul(·, 0.5)",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
def test_lines_are_known_under_detect_anomaly():
    x = leaf(3.0)
    with torch.autograd.detect_anomaly(check_nan=False):
        y = torch.sin(x)
    (made,) = [v for v in explain(y).graph.vertices if v.operation == "sin"]
    assert made.line.text == "y = torch.sin(x)"
    assert made.line.file == __file__


def test_every_picture_can_be_drawn(tmp_path):
    pytest.importorskip("rich")
    model, loss = network()
    shown = explain(loss, model)
    for ending in ("html", "svg", "dot", "txt", "json"):
        shown.save(tmp_path / f"graph.{ending}")
        assert "0.weight" in (tmp_path / f"graph.{ending}").read_text()
    assert "2.bias" in shown.svg(4) or "closed groups" in shown.svg(4)


def test_a_freed_graph_is_drawn_without_gradients():
    x = leaf(3.0, 1.0)
    y = torch.sin(x).sum()
    y.backward()
    shown = explain(y)
    assert by_name(shown)["x"].gradient is None
    assert any("no gradient is shown: Trying to backward" in n for n in shown.graph.notes)
    with pytest.raises(FreedError, match=r"torch's backward sweep fails .*; ask before the sweep"):
        why(y)


def test_dtypes_that_numpy_has_not_and_our_own_functions():
    x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    assert by_name(explain((x * x).sum()))["x"].gradient.tolist() == [2, 2]
    y = leaf(1.0)
    shown = explain(bridge.as_torch(np.sin)(y))
    assert by_name(shown)["y"].gradient == pytest.approx(np.cos(1.0))


def test_what_cannot_be_explained():
    with pytest.raises(GradientError, match=r"explain: float 3\.0 is no tensor of torch"):
        explain(3.0)
    with pytest.raises(GradientError, match="explain: this tensor has no graph"):
        explain(torch.ones(2))
    with pytest.raises(GradientError, match=r"why: float 3\.0 is no tensor of torch"):
        why(3.0)


def finding(loss, *args, **names):
    (found,) = why(loss, *args, **names).findings
    return found


READS, UNUSED = "mul reads a constant that shares", "nothing that the loss was computed from reads"
CUTS = {
    "a detached value": (lambda h, w, b: h.detach() * b, f"{READS} the memory of sin"),
    ".data": (lambda h, w, b: w.data * b, f"{READS} its memory"),
    "item()": (lambda h, w, b: h.sum().mul(1.7).item() * b, UNUSED),
    "unused": (lambda h, w, b: b * 2, UNUSED),
    "integers": (lambda h, w, b: (3 * h).long() * b, UNUSED),
}


@pytest.mark.parametrize("act", CUTS)
def test_where_a_leaf_was_cut(act):
    f, sentence = CUTS[act]
    w, b = leaf(0.6, 0.7), leaf(1.0, 2.0)
    h = torch.sin(w)
    found = finding(f(h, w, b).sum(), w=w)
    assert found.value == "w"
    assert found.kind in ("cut", "unused")
    assert sentence in found.sentence
    assert finding(f(h, w, b).sum(), b).kind == "healthy"


def test_a_number_taken_out_is_recognised_while_its_source_lives():
    w, b = leaf(0.3), leaf(1.0, 2.0)
    h = torch.exp(w * 1.7).sum()
    found = finding((b * h.item()).sum(), w=w)
    assert re.search(
        r"mul reads a constant that is 1\.66\d+, the very value of sum", found.sentence
    )


def test_a_leaf_that_cannot_have_a_gradient():
    model, loss = network()
    assert why(loss, model).ok
    model[0].bias.requires_grad_(False)
    _, loss = model, model(torch.ones(1, 3)).sum()
    assert [f.value for f in why(loss, model).findings if not f.is_healthy] == ["0.bias"]
    assert finding(loss, model[0].bias).sentence == "no gradient: it does not require grad"
    assert "it is torch.int64" in finding(loss, k=torch.arange(3)).sentence


def test_a_loss_without_a_graph():
    w = leaf(1.0, 2.0)
    h = torch.sin(w)
    assert "shares its memory with sin(...), which has one" in finding(h.detach(), w=w).sentence
    assert "the loss has no graph" in finding(h.detach().sum(), w=w).sentence
    with torch.no_grad():
        assert "torch does not tell which" in finding((w * 2).sum(), w=w).sentence
    assert finding(w, w=w).kind == "unused"


def test_gradients_that_are_zero_or_not_finite():
    x = leaf(0.0, 0.0)
    found = finding(torch.where(x > 0, torch.sqrt(x), x).sum())
    assert found.kind == "nan"
    assert "it comes from sqrt" in found.sentence
    assert finding(torch.sqrt(x).sum(), x).kind == "inf"
    found = finding(torch.relu(x - 1).sum() + (x * 0).sum(), x)
    assert found.kind == "zero"
    assert "passes nothing on" in found.sentence


def test_a_function_that_passes_no_gradient():
    class Silent(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, ct):
            return None

    x = leaf(1.0)
    found = finding(Silent.apply(x), x=x)
    assert found.kind == "unused"
    assert "no rule on the way passes a gradient" in found.sentence
