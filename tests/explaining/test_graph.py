"""The neutral graph: values, gradients, terms, tangents, the user's words, groups."""

import gc
import json
import weakref
from collections import Counter

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import GradientError


def layer(h, w):
    z = w @ h
    return np.tanh(z)


def network(x, ws):
    h = x * 2.0
    for w in ws:
        h = layer(h, w)
    return np.sum(h**2) + np.sum(h)


def vertex(explained, name):
    return next(v for v in explained.graph.vertices if v.name == name)


X = np.array([0.3, -0.2, 0.5])
WS = [np.eye(3) * 0.5, np.ones((3, 3)) * 0.1]


def test_gradients_are_those_of_grad():
    shown = qd.explain(network, X, WS)
    expected = qd.grad(network, argnums=(0, 1))(X, WS)
    np.testing.assert_array_equal(shown.graph.inputs[0].gradient, expected[0])
    np.testing.assert_array_equal(shown.graph.inputs[1].gradient, expected[1][0])
    np.testing.assert_array_equal(shown.graph.inputs[2].gradient, expected[1][1])


def test_a_value_used_thrice_has_three_terms_that_sum_to_its_gradient():
    shown = qd.explain(lambda x: np.sin(x) * x + x, 1.2)
    (x,) = shown.graph.inputs
    assert sorted(use.reader.operation for use in x.terms) == ["add", "multiply", "sin"]
    assert x.gradient == sum(use.value for use in x.terms)
    assert x.gradient == pytest.approx(np.cos(1.2) * 1.2 + np.sin(1.2) + 1, rel=1e-15)


def test_both_operands_of_a_square_are_uses():
    (x,) = qd.explain(lambda x: x * x, 3.0).graph.inputs
    assert [(use.position, use.value) for use in x.terms] == [(0, 3.0), (1, 3.0)]


def test_tangents_are_columns_of_the_jacobian():
    def f(x):
        y = np.array([[1.0, 2.0], [3.0, 4.0]]) @ x
        return y * y

    shown = qd.explain(f, np.array([1.0, 2.0]))
    (out,) = shown.graph.outputs
    columns = np.stack(out.tangents, axis=1)
    np.testing.assert_allclose(columns, qd.jacobian(f)(np.array([1.0, 2.0])), rtol=1e-15)
    assert [d.label for d in shown.graph.directions] == ["x[0]", "x[1]"]


def test_the_users_names_expressions_and_lines():
    shown = qd.explain(network, X, WS)
    h = vertex(shown, "h")
    assert (h.expression, h.line.text) == ("x * 2.0", "h = x * 2.0")
    assert [v.name for v in shown.graph.inputs] == ["x", "ws[0]", "ws[1]"]
    assert vertex(shown, "z").expression == "w @ h"


def test_calls_and_iterations_are_groups():
    shown = qd.explain(network, X, WS)
    paths = [[g.title for g in v.group.path] for v in shown.graph.vertices if v.name == "z"]
    loop = "for w in ws"
    assert paths == [[loop, "turn 1", "layer(h, w)"], [loop, "turn 2", "layer(h, w)"]]
    kinds = {g.title: g.kind for g in shown.graph.groups}
    assert kinds == {loop: "loop", "turn 1": "iteration", "turn 2": "iteration",
                     "layer(h, w)": "call"}  # fmt: skip


def test_nested_loops_and_numbered_turns():
    def f(x):
        for i in range(2):
            for j in range(2):
                x = x * (1.0 + i + j)
        return x

    titles = [
        "/".join(g.title for g in v.group.path)
        for v in qd.explain(f, 1.0).graph.vertices
        if v.kind == "operation"
    ]
    assert titles == [
        f"for i in range(2)/i = {i}/for j in range(2)/j = {j}" for i in (0, 1) for j in (0, 1)
    ]


def test_a_long_comprehension_has_no_turns():
    def f(x, w):
        return sum([np.tanh(w[i] * x) for i in range(30)])

    graph = qd.explain(f, 0.5, np.linspace(0.0, 1.0, 30)).graph
    assert sum(v.operation == "tanh" for v in graph.vertices) == 30
    assert all(g.kind != "turns" for g in graph.groups)


def test_slopes_of_elements_and_of_small_maps():
    shown = qd.explain(lambda x: np.sum(np.sin(x)), np.array([0.0, 1.0]))
    sines, total = [v for v in shown.graph.vertices if v.kind == "operation"]
    assert sines.slopes[0].kind == "elementwise"
    np.testing.assert_allclose(sines.slopes[0].value, np.cos([0.0, 1.0]), rtol=1e-15)
    assert total.slopes[0].kind == "matrix"
    np.testing.assert_array_equal(total.slopes[0].value, [[1.0, 1.0]])


def test_a_masked_pole_is_explained_as_grad_has_it():
    def f(x):
        return np.sum(np.where(x > 0, np.log(x), x))

    x = np.array([0.0, 2.0])
    (shown,) = qd.explain(f, x).graph.inputs
    with np.errstate(divide="ignore"):
        expected = qd.grad(f)(x)
    np.testing.assert_array_equal(shown.gradient, expected)
    np.testing.assert_array_equal(sum(use.value for use in shown.terms), shown.gradient)


def test_several_outputs_and_an_array_are_noted():
    shown = qd.explain(lambda x: (x * 2.0, x), np.array([1.0, 2.0]))
    assert [v.output for v in shown.graph.outputs] == [0, 1]
    assert "sum" in shown.graph.notes[0]


def test_a_complex_gradient_is_the_public_one():
    def f(z):
        return np.real(z * z * (1 + 2j))

    z = 0.5 - 0.3j
    assert qd.explain(f, z).graph.inputs[0].gradient == qd.grad(f)(z)


def test_branches_are_decided_by_values():
    shown = qd.explain(lambda x: x * 2.0 if x > 1.0 else x * 3.0, 2.0)
    (decision,) = shown.graph.observation.decisions
    assert decision.taken is True
    assert shown.graph.inputs[0].gradient == 2.0


def test_several_results_of_one_operation():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])

    def f(a):
        w, v = np.linalg.eigh(a)
        return np.sum(w * v[0] ** 2)

    shown = qd.explain(f, a)
    np.testing.assert_allclose(shown.graph.inputs[0].gradient, qd.grad(f)(a), rtol=1e-14)


def test_a_gradient_can_be_explained_in_its_turn():
    f = qd.grad(lambda x: np.sin(x) * x)
    (x,) = qd.explain(f, 1.2).graph.inputs
    assert x.gradient == pytest.approx(qd.grad(f)(1.2), rel=1e-15)


def test_the_tape_behind_a_tensor():
    w = qd.tensor(np.ones(3), requires_grad=True)
    b = qd.tensor(0.5, requires_grad=True)
    h = w * np.arange(3.0) + b
    for _ in range(2):
        h = np.sin(h) + b
    loss = (h * h).sum()
    shown = loss.explain()
    assert [v.name for v in shown.graph.inputs] == ["w", "b"]
    expected = qd.grad(loss, [w, b], retain_graph=True)
    for v, g in zip(shown.graph.inputs, expected, strict=True):
        np.testing.assert_array_equal(v.gradient, g.numpy())
    assert shown.graph.outputs[0].value == loss.item()
    assert [g.title for g in shown.graph.groups] == ["for _ in range(2)", "turn 1", "turn 2"]
    loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), expected[0].numpy())


def test_constants_that_a_tape_does_not_keep():
    x = qd.tensor([1.0, 2.0], requires_grad=True)
    offset = np.array([3.0, 4.0])
    graph = qd.explain((1 / (1 + np.exp(-x)) + offset).sum()).graph
    by_words = {v.title: v for v in graph.vertices}
    np.testing.assert_allclose(by_words["1 + np.exp(-x)"].value, 1 + np.exp([-1.0, -2.0]))
    assert by_words["offset"].value is None
    s = 1 / (1 + np.exp([-1.0, -2.0]))
    np.testing.assert_allclose(graph.inputs[0].gradient, s * (1 - s))


def test_a_slope_that_a_tape_computed_has_no_line_of_ours():
    x = qd.tensor([1.0, 4.0], requires_grad=True)
    y = qd.grad(lambda y: np.sum(np.sqrt(y)))(x).sum()
    lines = [v.line.file for v in qd.explain(y).graph.vertices if v.line is not None]
    assert lines
    assert all(file == __file__ for file in lines)


def test_a_freed_tape_is_drawn_without_gradient():
    x = qd.tensor(2.0, requires_grad=True)
    y = np.sin(x) * x
    y.backward()
    shown = y.explain()
    assert any("freed by the backward call" in note for note in shown.graph.notes)
    assert shown.graph.inputs[0].gradient is None
    assert [v.value for v in shown.graph.vertices] == [2.0, None, y.item()]


def test_what_cannot_be_explained_is_refused():
    with pytest.raises(GradientError, match="does not require grad"):
        qd.tensor(1.0).explain()
    with pytest.raises(TypeError, match="neither a function nor a tensor"):
        qd.explain(3.0)
    with pytest.raises(GradientError, match="takes no arguments"):
        qd.explain(qd.tensor(1.0, requires_grad=True), 2.0)
    with pytest.raises(GradientError, match="transform"):
        qd.grad(lambda x: qd.explain(np.sin, x).graph.outputs[0].value)(1.0)


def test_explaining_leaves_no_references_behind():
    class Held:
        pass

    kept = [Held()]
    seen = weakref.ref(kept[0])

    def f(v, held):
        return np.sum(np.sin(v))

    shown = qd.explain(lambda v: f(v, kept[0]), np.ones(3))
    kept.clear()
    gc.collect()
    assert shown.json()
    assert seen() is None


def test_json_holds_what_the_description_lists():
    made = qd.explain(network, X, WS).json()
    assert made["schema"] == "qiudao-explain/1"
    text = json.loads(json.dumps(made, allow_nan=False))
    assert set(text) == {
        "schema", "title", "values", "groups", "inputs", "outputs", "forward", "backward",
        "sources", "notes",
    }  # fmt: skip
    assert set(text["values"][5]) == {
        "id", "kind", "name", "operation", "fields", "expression", "line", "operands", "slopes",
        "value", "gradient", "terms", "tangents", "group", "output",
    }  # fmt: skip
    assert text["forward"]["sweeps"] == 21
    assert text["backward"]["sweeps"] == 1
    assert {s["name"] for s in text["sources"]} == {"network", "layer"}


def test_numbers_that_json_lacks_are_strings():
    with np.errstate(all="ignore"):
        made = qd.explain(lambda x: np.sum(1 / x), np.array([0.0, 1.0])).json()
    quotient = next(v for v in made["values"] if v["operation"] == "divide")
    assert quotient["value"]["entries"] == ["inf", 1.0]
    assert quotient["value"]["nonfinite"] == 1


def test_the_lines_of_a_gradient_are_those_of_its_function():
    def f(x):
        h = np.tanh(x)
        return np.sum(h * h)

    lines = {v.line.text for v in qd.explain(qd.grad(f), np.ones(2)).graph.vertices if v.line}
    assert lines == {"h = np.tanh(x)", "return np.sum(h * h)"}
    program = qd.trace(qd.grad(f))(np.ones(2))
    assert {e.line.text for e in program.equations} == lines


def test_a_line_of_very_many_values_is_divided():
    namespace = {"np": np}  # a function without source: nothing tells its loop
    exec("def f(x):\n    for _ in range(200): x = np.sin(x)\n    return x * 2", namespace)
    graph = qd.explain(namespace["f"], 0.5).graph
    inside = [v.group for v in graph.vertices if v.operation == "sin"]
    assert {len(g.path) for g in inside} == {2}
    assert max(Counter(inside).values()) <= 60
    assert {g.path[0].title for g in inside} == {"line 2"}


def test_an_argument_of_many_parts_is_a_group():
    def f(ps, x):
        return sum(p * x for p in ps)

    few = qd.explain(f, [1.0] * 5, 2.0).graph
    assert all(v.group is None for v in few.inputs)
    many = qd.explain(f, [1.0] * 100, 2.0).graph
    assert [[g.title for g in v.group.path] for v in many.inputs[28:31]] == [
        ["ps", "ps[0] to ps[29]"],
        ["ps", "ps[0] to ps[29]"],
        ["ps", "ps[30] to ps[59]"],
    ]
    assert many.inputs[-1].group is None


def test_keyword_arguments_keep_their_names_in_any_order():
    def f(x, scale, rate, bias):
        return np.sum(x) * scale + np.exp(rate) + bias**2

    given = {"scale": 2.0, "rate": 0.5, "bias": np.float64(3.0)}  # not the order of the alphabet
    shown = qd.explain(f, np.ones(2), **given)
    found = {v.name: (v.value, v.gradient) for v in shown.graph.inputs}
    assert list(found) == ["x", "scale", "rate", "bias"]
    for name, slope in {"scale": 2.0, "rate": np.exp(0.5), "bias": 6.0}.items():
        assert found[name] == (given[name], slope)
    assert "bias = 3" in qd.story(f, np.ones(2), **given).text()
    (branch,) = qd.branches(lambda z, a: z if a > 0.0 else -z, z=5.0, a=2.0).branches
    assert branch.distance == 2.0  # a's, not z's


def test_in_why_the_answer_is_about_the_keyword_that_it_names():
    answer = qd.why(lambda kept, dropped: kept * 1.0, kept=1.0, dropped=2.0)
    assert [(finding.value, finding.kind) for finding in answer.findings] == [
        ("kept", "healthy"),
        ("dropped", "unused"),
    ]
