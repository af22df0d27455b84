"""Second and third derivatives, against torch's, of operations that paddle has no rules for."""

import json
from pathlib import Path

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")
ours = pytest.importorskip("qiudao.interop.paddle")
operations = pytest.importorskip("interop.paddle.operations")

TORCH = json.loads(operations.ANSWERS.read_text())


@pytest.mark.parametrize("name", operations.CASES)
def test_orders_one_to_three_are_torchs(tensor, name):
    x, w = tensor(operations.POINT), tensor(operations.WEIGHTS)
    with ours.differentiable():
        y = operations.CASES[name](paddle, paddle.nn.functional, x)
        y = (y * w[: y.size].reshape(y.shape)).sum()
    for order in range(3):
        (g,) = ours.grad(y, x, create_graph=True)
        np.testing.assert_allclose(g.numpy(), TORCH[name][order], rtol=1e-9, atol=1e-12)
        y = (g * w).sum()


def reaches(name, tensor, order):
    """Whether plain paddle gives the derivative of an order."""
    x, w = tensor(operations.POINT), tensor(operations.WEIGHTS)
    y = operations.CASES[name](paddle, paddle.nn.functional, x)
    y = (y * w[: y.size].reshape(y.shape)).sum()
    try:
        for left in range(order - 1, -1, -1):
            (g,) = paddle.grad(y, x, create_graph=left > 0)
            y = (g * w).sum()
    except RuntimeError:
        return False
    return np.allclose(g.numpy(), TORCH[name][order - 1], rtol=1e-9)


def test_paddles_own_rules_are_as_few_as_the_page_says(tensor):
    counts = [sum(reaches(n, tensor, order) for n in operations.CASES) for order in (1, 2, 3)]
    page = (Path(__file__).parents[3] / "docs" / "paddle.md").read_text()
    for order, count in enumerate(counts, 1):
        assert f"| {order} | {count} |" in page


def test_the_stand_ins_leave_when_the_context_does(tensor):
    before = paddle._C_ops.softmax, paddle.Tensor.__pow__
    with ours.differentiable():
        with ours.differentiable():
            assert paddle._C_ops.softmax is not before[0]
        assert paddle._C_ops.softmax is not before[0]
    assert (paddle._C_ops.softmax, paddle.Tensor.__pow__) == before
