"""Compiled functions drawn: the program before and after each pass, and the kernels."""

import numpy as np
import pytest

import qiudao as qd
from qiudao.passes.pipeline import PIPELINE

pytest.importorskip("llvmlite")


def f(x, w):
    h = np.tanh(w @ x)
    return np.sum(h**2)


X, W = np.linspace(0.1, 1.0, 30), np.full((20, 30), 0.1)


@pytest.fixture(scope="module")
def shown():
    return qd.explain(qd.jit(qd.value_and_grad(f)), X, W)


def test_every_pass_is_a_stage(shown):
    assert list(shown.stages) == ["traced", *(each.name for each in PIPELINE), "kernels"]
    counts = [sum(v.kind == "operation" for v in s.graph.vertices) for s in shown.stages.values()]
    assert counts[0] >= counts[-1] > 0


def test_values_of_a_program_are_those_of_the_function(shown):
    expected = qd.value_and_grad(f)(X, W)
    for stage in shown.stages.values():
        for out, value in zip(stage.graph.outputs, expected, strict=True):
            np.testing.assert_allclose(out.value, value, rtol=1e-14)
    assert [v.name for v in shown.stages["traced"].graph.inputs] == ["x", "w"]


def test_fused_loops_and_calls_are_groups(shown):
    graph = shown.stages["kernels"].graph
    titles = [g.title for g in graph.groups]
    assert titles == ["call: matmul", "loop 1 over 20 elements", "call: matmul"]
    loop = graph.groups[1]
    inside = {v.expression for v in graph.vertices if v.group is loop and v.kind == "operation"}
    assert inside == {"np.tanh(w @ x)", "h**2", "np.sum(h**2)", None}  # None: of the gradient


def test_the_body_of_a_loop_is_a_group():
    def run(w, x):
        h = np.zeros(4)
        for k in range(50):
            h = np.tanh(w @ h + x[k])
        return np.sum(h)

    stages = qd.explain(qd.jit(run), np.eye(4), np.ones((50, 4))).stages
    titles = [g.title for g in stages["kernels"].graph.groups]
    assert titles == ["call: scan", "body of scan", "loop 1 over 4 elements"]
    assert stages["kernels"].svg()


def test_what_numpy_computes_is_said():
    stages = qd.explain(qd.jit(lambda x: np.real(np.fft.fft(x))), np.ones(8)).stages
    graph = stages["kernels"].graph
    assert any(g.title.startswith("NumPy: ") for g in graph.groups)
    assert any("left to NumPy" in note for note in graph.notes)


def test_the_function_itself_is_explained_too(shown):
    assert shown.graph.outputs[0].value == pytest.approx(f(X, W))
    assert qd.explain(f, X, W).stages == {}


def test_questions_look_inside_compiled_functions():
    compiled = qd.jit(f)
    assert qd.why(compiled, X, W).ok
    assert [v.operation for v in qd.explain(compiled, X, W).graph.vertices][2:] == [
        "matmul", "tanh", None, "power", "sum",
    ]  # fmt: skip
    assert len(qd.explain(lambda x: compiled(x, W) * 2.0, X).graph.vertices) == 9
    lines = {r.line.text for r in qd.rounding(compiled, X, W).lines}
    assert lines == {"h = np.tanh(w @ x)", "return np.sum(h**2)"}


def test_a_program_with_a_loop_applied_while_a_function_is_observed():
    program = qd.trace(lambda x: qd.scan(lambda c, _: (np.sin(c) * x, None), x, length=3)[0])(2.0)
    seen = qd.explain(lambda x: program(x)[0] * 2, 2.0)
    assert "scan" in seen.text()


def test_inputs_of_a_program_have_the_names_of_their_arguments():
    def g(size, x, z, a):
        return np.sum(x) * size[0] * z + a

    jitted = qd.jit(g, static_argnames=("size",))
    stage = qd.explain(jitted, (2, 3), np.ones(4), z=np.ones(5), a=7.0).stages["traced"]
    assert {v.name: v.shape for v in stage.graph.inputs} == {"x": (4,), "z": (5,), "a": ()}
