"""Second and third derivatives, against torch's, of operations that paddle has no rules for."""

import json

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.errors import RuleError

paddle = pytest.importorskip("paddle")
ours = pytest.importorskip("qiudao.interop.paddle")
operations = pytest.importorskip("interop.paddle.operations")

SPECIAL = {"erf": "erf", "gelu": "erf", "lgamma": "gammaln"}  # by SciPy's functions
special = pytest.importorskip("scipy.special")
TORCH = json.loads(operations.ANSWERS.read_text())


def has_rule(function):
    try:
        qd.grad(function)(1.0)
    except RuleError:
        return False
    return True


@pytest.mark.parametrize("name", operations.CASES)
def test_orders_one_to_three_are_torchs(tensor, name):
    if name in SPECIAL and not has_rule(getattr(special, SPECIAL[name])):
        pytest.skip(f"qiudao has no rule for scipy.special.{SPECIAL[name]} here")
    x, w = tensor(operations.POINT), tensor(operations.WEIGHTS)
    with ours.differentiable():
        y = operations.CASES[name](paddle, paddle.nn.functional, x)
        y = (y * w[: y.size].reshape(y.shape)).sum()
    for order in range(3):
        (g,) = ours.grad(y, x, create_graph=True)
        np.testing.assert_allclose(g.numpy(), TORCH[name][order], rtol=1e-9, atol=1e-12)
        y = (g * w).sum()


def test_paddles_own_rules_are_fewer(tensor):
    """What the documentation says of plain paddle."""
    passed = [0, 0, 0]
    for name, f in operations.CASES.items():
        x, w = tensor(operations.POINT), tensor(operations.WEIGHTS)
        y = f(paddle, paddle.nn.functional, x)
        y = (y * w[: y.size].reshape(y.shape)).sum()
        for order in range(3):
            try:
                (g,) = ours.grad(y, x, create_graph=True)
            except NotImplementedError:
                break
            np.testing.assert_allclose(g.numpy(), TORCH[name][order], rtol=1e-9, atol=1e-12)
            passed[order] += 1
            y = (g * w).sum()
    assert passed[1] < 39
    assert passed[2] < passed[1]


def test_the_stand_ins_leave_when_the_context_does(tensor):
    before = paddle._C_ops.softmax, paddle.Tensor.__pow__
    with ours.differentiable():
        with ours.differentiable():
            assert paddle._C_ops.softmax is not before[0]
        assert paddle._C_ops.softmax is not before[0]
    assert (paddle._C_ops.softmax, paddle.Tensor.__pow__) == before
