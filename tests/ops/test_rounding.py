"""What is constant between its jumps gives plain values, and masks that work everywhere."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

X = np.array([-2.5, -0.5, 0.0, 0.49, 1.5, np.inf, np.nan])
ONE = [
    np.floor, np.ceil, np.trunc, np.rint, np.fix, np.sign, np.signbit, np.isnan, np.isinf,
    np.isfinite, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.logical_not, np.round,
    np.around, lambda x: np.round(x, 1), lambda x: x.round(1), lambda x: np.isclose(x, 0.49 + 1e-9),
    lambda x: np.isclose(x, x, equal_nan=True), lambda x: np.isclose(1.5, x, rtol=0, atol=1.1),
    lambda x: x > 0, lambda x: x == x, lambda x: np.less_equal(0.3, x),
    lambda x: np.logical_and(x, x > 0), lambda x: x // 1.0,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("f", ONE)
def test_constants_carry_no_derivative_and_equal_numpys(f):
    expected = f(X)
    got = f(qd.tensor(X, requires_grad=True))
    assert not got.requires_grad
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(qd.vmap(f)(X), expected)
    seen = []
    qd.jvp(lambda x: seen.append(f(x)) or x, (X,), (X,))
    np.testing.assert_array_equal(seen[0], expected)


@pytest.mark.parametrize("f", [np.floor, np.round, np.fix, np.sign, lambda x: x // 0.3])
def test_no_derivative_passes(f):
    for x in (0.7, 1.0):
        assert qd.grad(lambda x: f(x) * x)(x) == f(x)
        assert qd.grad(lambda x: f(x) * 1.0)(x) == 0.0


def test_rounding_into_a_tensor():
    target = qd.tensor(np.zeros(7))
    assert np.round(qd.tensor(X), 1, out=target) is target
    np.testing.assert_array_equal(target.numpy(), np.round(X, 1))
    z = np.array([1.26 + 0.34j])
    np.testing.assert_array_equal(np.round(qd.tensor(z, requires_grad=True), 1), np.round(z, 1))


def test_python_rounds():
    x = leaf([0.74, 1.26])
    y = round(x[0], 1) + x[0]
    assert y.item() == 0.7 + 0.74
    close(qd.grad(y, [x])[0], [1.0, 0.0])
    assert round(x[1]) == 1.0
