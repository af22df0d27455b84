"""Why a gradient is as it is: each kind of answer, on functions and tapes, and no false alarm."""

import json

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import FreedError, GradientError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def deep(x):
    for _ in range(60):
        x = np.tanh(x * 0.5)
    return x


def steep(x):
    for _ in range(60):
        x = x * 3.0
    return x


def unrecorded(x):
    with qd.no_grad():
        y = x * 2.0
    return y * 1.0


def softmax_loss(x, w):
    z = w @ x
    p = np.exp(z - np.max(z))
    return -np.log(p[0] / np.sum(p))


def relu(x):
    return np.maximum(x, 0.0)


def off(w, v, x):
    h = relu(w @ x)
    return np.sum((v @ h) ** 2)


def written_over(x):
    y = x * 1.0
    y[:] = 0.0
    return np.sum(y * 3.0)


def written_at(x):
    y = x * 1.0
    y[0] = 0.0
    return y[0] * 3.0


def branching(x):
    return 1.0 if x > 0.0 else 2.0


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def dead_end(x, y):
    x * 2.0
    return y * 1.0


def sigmoids(x):
    for _ in range(30):
        x = 1 / (1 + np.exp(-x))
    return x


def dropped(x):
    y = relu(x)
    return y[1] * 2.0 + 0.0 * y[0]


ANSWERS = [
    # function, arguments, kind, words of the sentence, words of the cure
    (lambda x: np.sum(np.sqrt(x)), [np.array([0.0, 4.0])], "inf",
     "np.sqrt(x) is finite, but going back through it, 1 times its slope inf is inf at [0]",
     "np.where"),
    (lambda x: np.sum(np.sqrt(x) * 0.0), [np.array([0.0, 4.0])], "nan",
     "going back through it, 0 times its slope inf is nan at [0], for x = 0 (f64[2] in [0, 4])",
     "np.where"),
    (lambda x: np.sqrt(np.sum((x - 1.0) ** 2)), [np.ones(2)], "nan",
     "further back, (x - 1.0) ** 2 is finite, but going back through it, inf times its slope 0 is",
     "np.where"),
    (lambda x: np.exp(x) ** 2, [500.0], "inf", "np.exp(x) ** 2 is the first value", "overflows"),
    (lambda x: x * x * x, [1e200], "inf", "x * x is the first value that is not", "overflows"),
    (lambda x: x**-2.0, [0.0], "inf", "x**-2.0 is the first value that is not", "0 a positive one"),
    (lambda x: x**0.5, [-1.0], "nan", "x**0.5 is the first value that is not", "a whole exponent"),
    (lambda x: np.sum(np.exp(np.log(x))), [np.array([0.0, 4.0])], "nan",
     "np.log(x) is the first value that is not finite: -inf at [0], of x = 0", "np.log1p"),
    (lambda x: np.sum(x / (x - 1.0)), [np.array([1.0, 4.0])], "nan",
     "x / (x - 1.0) is the first value that is not finite: inf at [0], of x = 1", "divisor"),
    (lambda x: np.sum(np.exp(x)), [np.array([1000.0])], "inf",
     "np.exp(x) is the first value that is not finite: inf at [0], of x = 1000", "logsumexp"),
    (lambda x: np.sum(np.arccos(x)), [np.array([1.0])], "inf", "np.arccos(x)", "clip"),
    (lambda x: np.sum(x**0.5), [np.array([0.0])], "inf", "x**0.5", "tiny"),
    (lambda x: np.tanh(x * 40.0), [1.0], "small",
     "np.tanh(x * 40.0) is saturated, at x * 40.0 of size 40", "scale"),
    (lambda x: np.sum(np.exp(x)), [np.full(2, -800.0)], "zero",
     "np.exp(x) is saturated: at x of size 800 its slope is 0", "scale"),
    (lambda x: np.sum(np.maximum(x, 0.0) * 3.0), [np.array([-1.0, -2.0])], "zero",
     "np.maximum(x, 0.0) chose 0.0 over x everywhere", "logaddexp"),
    (lambda x: np.sum(np.where(x > 5.0, x, 0.0)), [np.array([1.0, 2.0])], "zero",
     "np.where(x > 5.0, x, 0.0) chose x nowhere", ""),
    (lambda x: np.sum(np.clip(x, -1.0, 1.0)), [np.array([3.0])], "zero", "np.clip", ""),
    (lambda x, w: np.sum(x * w), [np.ones(3), np.zeros(3)], "zero",
     "in x * w the other factor, w, is 0", ""),
    (lambda x: np.abs(x), [0.0], "zero",
     "np.abs(x) has a kink at x = 0, where its slope counts as 0", "round the kink"),
    (lambda x: np.linalg.norm(x), [np.zeros(2)], "zero", "has a kink at x = [0, 0]", "round"),
    (lambda x, y: np.arctan2(y, x), [0.0, 0.0], "zero", "has a kink at x = 0", "start elsewhere"),
    (lambda x: np.std(x), [np.ones(3)], "zero",
     "the slope of the variance in np.std(x) with respect to x is 0 here", ""),
    (lambda x: (x - 3.0) ** 2, [3.0], "zero", "(x - 3.0) ** 2 is level at x - 3.0 = 0", "start"),
    (lambda x: np.prod(x), [np.array([0.0, 0.0, 2.0])], "zero", "more than one factor that is 0",
     ""),
    (lambda x: np.sum(0.0 * x), [np.ones(2)], "zero", "in 0.0 * x the other factor is 0", "value"),
    (written_over, [np.ones(3)], "zero", "the assignment to y[:] writes over y everywhere", "old"),
    (written_at, [np.ones(3)], "zero",
     "the assignment to y[0] writes over y where its own gradient is not 0", "old"),
    (dropped, [np.array([1.0, -1.0])], "zero",
     "np.maximum(x, 0.0) chose 0.0 over x where its own gradient is not 0", "flat"),
    (lambda x: np.tanh(x), [400.0], "zero", "np.tanh(x) is saturated: at x of size 400", "scale"),
    (lambda x: np.sum(softmax(x)), [np.zeros(3)], "cancelled",
     "because the 2 terms of the gradient of e = np.exp(z - np.max(z)) cancel: [0.333", "uses"),
    (lambda x: 0.1 * x + 0.2 * x - 0.3 * x, [2.0], "cancelled",
     "cancel, but for rounding", "uses"),
    (lambda x: np.sin(x) - np.sin(x), [1.5], "cancelled", "2 terms cancel", ""),
    (lambda x: np.floor(x) * 2.0, [1.5], "cut", "np.floor(x) is a step function", ""),
    (lambda x: np.sum((x > 0.0) * 1.0), [np.ones(2)], "cut", "x > 0.0 is only true or false",
     "smooth"),
    (lambda x: np.argmax(x) * 1.0, [np.ones(2)], "cut", "np.argmax(x) gives whole numbers",
     "smooth"),
    (lambda x: qd.stop_gradient(x) * 2.0, [1.5], "cut",
     "qd.stop_gradient(x) lets no derivative pass on to x", "leave detach()"),
    (branching, [1.0], "cut", "it only decides branches, by x > 0.0", "qd.branches"),
    (dead_end, [1.0, 2.0], "unused", "x * 2.0 reads it, but it does not reach y * 1.0", "return"),
    (unrecorded, [1.0], "cut", "recording was off", ""),
    (lambda x: x.item() * 2.0, [1.5], "cut", "left the computation by item()", "without taking"),
    (lambda x: 2.0, [1.5], "unused", "the result is a constant", "computed from it"),
    (deep, [1.0], "small", "little by little over 120 operations, by 0.705 each", "residual"),
    (steep, [1.0], "large", "little by little over 60 operations, by 3 each", "clip"),
    (sigmoids, [1.0], "small", "in the mean, most in np.exp(-x), by 0.3", "residual"),
    (lambda x: 1.0 / (x**2 + 1e-20), [1e-9], "large", "multiplies it by 9.8", "divisor"),
    (lambda x: 1.0 / x, [1e-9], "large", "the gradient is -1e+18, from 1 at", "divisor"),
    (lambda x: np.sum(x * x), [np.array([1.0, np.nan])], "nan",
     "the input x is not finite: nan at [1]", "it came in so"),
    (lambda z: -np.log(softmax(z)[0]), [np.array([0.0, 900.0])], "nan",
     "np.log(softmax(z)[0]) is the first value that is not finite: -inf, of softmax(z)[0] = 0",
     "np.exp(z - np.max(z)) underflowed to 0"),
    (lambda y, x: np.sum(x**y), [np.array([2.0, 2.0]), np.array([1.0, -1.0])], "nan",
     "1 times its slope nan is nan at [1], for y = 2 (f64[2], all 2), x = -1 (f64[2] in [-1, 1])",
     "log(base)"),
    (lambda x: np.sum(1 / (1 + np.exp(-x))), [np.array([-800.0])], "nan", "inf at [0], of -x = 800",
     "a sigmoid is"),
    (lambda x: np.sum(qd.grad(lambda y: np.sqrt(y))(x)), [0.0], "inf",
     "the divide in the derivative of np.sqrt(y) is the first value that is not finite", "divisor"),
    (lambda x: np.sum(1.0 / x), [np.array([1e-9])], "large", "1.0 / x multiplies it by 1e+18",
     "divisor"),
]  # fmt: skip


@pytest.mark.parametrize("f, args, kind, words, cure", ANSWERS)
def test_each_answer(f, args, kind, words, cure):
    answer = qd.why(f, *args)
    finding = answer.findings[0]
    assert finding.kind == kind
    assert words in finding.sentence
    assert cure in finding.cure
    assert not answer.ok


def test_all_that_blocks_is_said_the_first_first():
    answer = qd.why(off, -np.ones((4, 3)), np.ones((2, 4)), np.ones(3))
    assert [f.sentence for f in answer.of("w")] == [
        "the gradient is 0: np.maximum(x, 0.0) chose 0.0 over x everywhere",
        "the gradient is 0: (v @ h) ** 2 is level at v @ h = [0, 0]",
    ]
    assert "in v @ h the other factor, h, is 0 everywhere" in answer.of("v")[0].sentence


def test_a_long_chain_before_a_dead_end():
    x = qd.tensor(1.0, requires_grad=True)
    z = x
    for _ in range(3000):
        z = z * 1.0
    (finding,) = qd.why(np.minimum(z, -5.0), x).findings
    assert "chose -5.0 over z" in finding.sentence


def test_a_way_that_was_cut_beside_one_that_is_not():
    answer = qd.why(lambda x: qd.stop_gradient(x) * x, 2.0)
    assert answer.ok
    assert [f.kind for f in answer.findings] == ["healthy", "partly cut"]
    assert "one way is cut: qd.stop_gradient(x) lets" in answer.findings[1].sentence
    healthy = qd.why(lambda x: np.where(x > 0, x, 2 * x), 2.0)
    assert [f.kind for f in healthy.findings] == ["healthy"]


def test_who_drops_elements():
    answer = qd.why(lambda x: np.sort(x)[-1], np.arange(4.0))
    assert "3 of 4 elements are 0: np.sort(x)[-1] does not read them" in answer.findings[1].sentence
    answer = qd.why(lambda x, w: np.sum(x * w), np.ones(3), np.array([0.0, 0.0, 1.0]))
    assert "x * w passes nothing on to them" in answer.findings[1].sentence


def test_the_line_of_a_reading():
    def f(x):
        y = x * 2.0
        k = y.item()
        return k * 2.0

    (finding,) = qd.why(f, 1.5).findings
    assert finding.line.text == "k = y.item()"


def test_the_line_is_the_users():
    finding = qd.why(deep, 1.0).findings[0]
    assert finding.line.text == "x = np.tanh(x * 0.5)"
    assert "test_why.py" in str(finding)


@pytest.mark.parametrize("f, args", [
    (lambda x: np.sum(x**2), [np.ones(3)]),
    (lambda x: np.sum(np.sin(x)), [np.linspace(0, 6, 50)]),
    (softmax_loss, [np.ones(4), np.arange(12.0).reshape(3, 4) / 10]),
    (lambda x: np.linalg.norm(x) * 1e-6, [np.array([3.0, 4.0])]),
    (lambda x: 1e7 * np.sum(x), [np.ones(2)]),
    (lambda x: np.sum(np.tanh(x)), [np.linspace(-3, 3, 7)]),
    (lambda x: np.sum(np.linalg.solve(x, np.ones(2))), [np.array([[2.0, 1.0], [0.5, 3.0]])]),
    (lambda x: np.where(x > 0, np.log(x), x), [0.0]),
    (off, [np.eye(3), np.ones((2, 3)), np.ones(3)]),
    (lambda x: np.sum(np.sort(x) * np.arange(3.0)), [np.array([3.0, 1.0, 2.0])]),
    (lambda x: np.linalg.slogdet(x)[1], [np.array([[2.0, 1.0], [0.5, 3.0]])]),
    (lambda x: np.sum(np.linalg.eigh(x)[0] ** 2), [np.array([[2.0, 1.0], [1.0, 3.0]])]),
    (lambda x: np.var(x), [np.array([1.0, 1.0 + 1e-6])]),
    (lambda x: np.mean(x), [np.ones(100_000)]),
    (lambda x: np.sum(np.abs(x)), [np.array([1 + 1j, 2.0 - 1j])]),
    (lambda x: np.sum(np.float32(1e-3) * x), [np.ones(3, np.float32)]),
    (qd.jit(lambda x: np.sum(np.sin(x))), [np.ones(3)]),
    (lambda x: qd.vmap(np.sin)(x).sum(), [np.ones(3)]),
    (lambda x: qd.scan(lambda c, _: (np.tanh(2 * c), c), x, np.arange(3.0))[0], [1.0]),
])  # fmt: skip
def test_no_false_alarms(f, args):
    answer = qd.why(f, *args)
    assert answer.ok, str(answer)
    assert all("nothing is wrong" in f.sentence for f in answer.findings)


def test_half_dead_elements_are_a_note():
    answer = qd.why(lambda x: np.sum(np.maximum(x, 0.0)), np.array([-1.0, -2.0, 3.0]))
    assert answer.ok
    assert [f.kind for f in answer.findings] == ["healthy", "partly zero"]
    assert (
        "2 of 3 elements are 0: np.maximum(x, 0.0) did not choose them"
        in answer.findings[1].sentence
    )


def test_a_result_that_is_nan_is_said_even_where_gradients_are_finite():
    answer = qd.why(lambda x: np.sum(np.log(x) * 2.0), np.array([1.0, -1.0]))
    first = answer.findings[0]
    assert (first.value, first.kind) == ("the result", "nan")
    assert "nan at [1], of x = -1" in first.sentence


def test_every_argument_is_answered():
    answer = qd.why(lambda x, y: x * 2.0, 1.5, 2.0)
    assert [f.kind for f in answer.of("x")] == ["healthy"]
    assert [f.kind for f in answer.of("y")] == ["unused"]


def test_tensors_by_name():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    d = (w * 2.0).detach()
    answer = qd.why((x * d).sum(), {"x": x, "w": w})
    assert [f.kind for f in answer.of("x")] == ["healthy"]
    (cut,) = answer.of("w")
    assert cut.kind == "cut"
    assert "detach() at test_why.py" in cut.sentence


def test_all_leaves_of_a_tensor_and_its_method():
    x = qd.tensor([0.0, 2.0], requires_grad=True)
    (finding,) = np.sqrt(x).sum().why().findings
    assert (finding.value, finding.kind) == ("x", "inf")


def test_tensors_without_a_graph():
    (finding,) = qd.why(qd.tensor(1.0)).findings
    assert "does not require grad" in finding.sentence
    x = qd.tensor(1.0, requires_grad=True)
    (finding,) = qd.why((x * 2.0).detach(), x).findings
    assert "the output was cut from the graph by detach()" in finding.sentence


def test_an_input_that_does_not_require_grad():
    x = qd.tensor(1.0, requires_grad=True)
    c = qd.tensor(3.0)
    (finding,) = qd.why(x * 2.0, {"c": c}).findings
    assert "it does not require grad; it was never asked to" in finding.sentence
    (finding,) = qd.why(x * 2.0, {"e": qd.tensor(1.0, requires_grad=True)}).findings
    assert finding.kind == "unused"


def test_what_was_cut_from_something_else_is_not_blamed():
    v = qd.tensor([1.0, 2.0], requires_grad=True)
    d = v.detach()
    u = qd.tensor([7.0, 7.0], requires_grad=True)
    assert qd.why((d * v).sum(), {"u": u}).findings[0].kind == "unused"
    two = qd.tensor(2.0, requires_grad=True).detach()
    (finding,) = qd.why((v * 2.0).sum(), {"u": u}).findings
    assert (finding.kind, float(two)) == ("unused", 2.0)


def test_where_the_source_of_a_cut_is_gone_it_is_said_with_care():
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    with qd.no_grad():
        h = w * 2.0
    (finding,) = qd.why((h * qd.tensor([1.0, 1.0], requires_grad=True)).sum(), {"w": w}).findings
    assert "cut from the graph by qd.no_grad() at test_why.py" in finding.sentence
    assert finding.sentence.endswith("; if that was computed from here, this is why")


def test_a_number_taken_out():
    w = qd.tensor([1.0, 2.0], requires_grad=True)
    s = w.sum() * 1.37
    scale = s.item()
    (finding,) = qd.why((qd.tensor(2.0, requires_grad=True) * scale), {"w": w}).findings
    assert finding.kind == "cut"
    assert "reads the plain number 4.11" in finding.sentence


def test_a_plain_output_and_several_outputs():
    x = qd.tensor(1.5, requires_grad=True)
    (finding,) = qd.why(np.argmax(x), x).findings
    assert "the output is a plain int64, and no tensor" in finding.sentence
    (finding,) = qd.why(np.floor(x), x).findings
    assert "cut from the graph by floor, which no derivative passes, at test_w" in finding.sentence
    (finding,) = qd.why({"a": x * 2.0, "b": x * 3.0}, x).findings
    assert "the gradient is 5, the sum of 2 terms" in finding.sentence


def test_a_tape_that_was_freed():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    y = np.sin(x).sum()
    y.backward()
    with pytest.raises(FreedError, match="ask before the sweep"):
        y.why()
    with pytest.raises(FreedError, match="ask before the sweep"):
        qd.contributions(y, x)


def test_tapes_answer_as_functions_do():
    w, v, x = (
        qd.tensor(a, requires_grad=True) for a in (-np.ones((4, 3)), np.ones((2, 4)), [1.0] * 3)
    )
    answer = qd.why(off(w, v, x), {"w": w, "v": v})
    assert [f.kind for f in answer.findings] == ["zero"] * 4
    z = qd.tensor([-800.0], requires_grad=True)
    (finding,) = np.sum(1 / (1 + np.exp(-z))).why().findings
    assert "np.exp(-z) is the first value that is not finite: inf at [0], of -z = 800" in str(
        finding
    )


def test_what_cannot_be_asked():
    with pytest.raises(TypeError, match="neither a function nor a tensor"):
        qd.why(3.0)
    x = qd.tensor(1.0, requires_grad=True)
    with pytest.raises(GradientError, match="no gradient to ask about"):
        qd.why(x * 2.0, {"n": np.ones(2)})


def test_plain_data():
    made = json.loads(json.dumps(qd.why(deep, 1.0).json()))
    assert made[0]["kind"] == "small"
    assert made[0]["line"]["text"] == "x = np.tanh(x * 0.5)"


def test_asking_changes_nothing():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.why()
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0])
