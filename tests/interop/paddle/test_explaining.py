"""Graphs of paddle's drawn by our explainer, and questions about their gradients."""

import numpy as np
import pytest

from qiudao.core.errors import GradientError

paddle = pytest.importorskip("paddle")
ours = pytest.importorskip("qiudao.interop.paddle")


def test_the_graph_has_operations_names_and_terms(tensor):
    x, c = tensor([1.0, 2.0]), paddle.to_tensor([3.0, 4.0], dtype="float64")
    h = paddle.exp(x * c)
    loss = (h * x).sum()
    shown = ours.explain(loss, weight=x)
    operations = [v.operation for v in shown.graph.vertices if v.kind == "operation"]
    assert operations == ["multiply", "exp", "multiply", "sum"]
    (vertex,) = shown.graph.inputs
    assert vertex.name == "weight"
    np.testing.assert_allclose(vertex.gradient, ours.grad(loss, x)[0].numpy())
    assert len(vertex.terms) == 2
    assert x.grad is None
    assert [v.name for v in shown.graph.vertices if v.operation == "exp"] == ["h"]
    for text in (shown.html(), shown.svg(), shown.dot()):
        assert "exp" in text


def test_lists_of_operands_and_layers(tensor):
    layer = paddle.nn.Linear(2, 2)
    x = paddle.ones([1, 2])
    y = paddle.concat([layer(x), x], 1)
    shown = ours.explain(y.sum(), net=layer)
    assert {v.name for v in shown.graph.inputs} == {"net.weight", "net.bias"}


def test_why(tensor):
    a, b, c, d, e = (tensor([v]) for v in (1.0, 2.0, 0.0, 4.0, -1.0))
    loss = (a * b.detach() + paddle.sqrt(c) + d * 0.0 + paddle.nn.functional.relu(e)).sum()
    answer = ours.why(loss, a=a, b=b, c=c, d=d, e=e, fixed=paddle.ones([1]))
    kinds = {f.value: f.kind for f in answer.findings}
    assert kinds == {
        "a": "healthy", "b": "unused", "c": "inf", "d": "zero", "e": "zero", "fixed": "cut",
    }  # fmt: skip
    assert "it comes from sqrt" in answer.of("c")[0].sentence
    assert c.grad is None
    assert {f.value for f in ours.why(loss).findings} == {"a", "b", "c", "d", "e"}


def test_a_loss_without_a_graph():
    y = paddle.ones([1]) * 2
    assert ours.why(y).findings[0].kind == "cut"
    with pytest.raises(GradientError, match="explain: this tensor has no graph"):
        ours.explain(y)
    for ask in (ours.explain, ours.why):
        with pytest.raises(GradientError, match=r"is no tensor of paddle; for functions"):
            ask(np.ones(2))
