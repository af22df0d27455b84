import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

P = np.array([1.5, -2.0, 0.5, 3.0])
Q = np.array([2.0, 1.0])


@pytest.mark.parametrize("f", [np.polymul, np.polyadd, np.polysub])
def test_two_polynomials(f):
    agree(f, P, Q)
    agree(f, Q, P)
    agree(f, P, P + 0.5j)
    agree(lambda p: f(p, 2.0), P)


def test_a_leading_zero_keeps_its_derivative():
    p = np.array([0.0, 1.0])
    g = qd.grad(lambda p: np.polyval(np.polymul(p, Q), 2.0))(p)
    np.testing.assert_allclose(g, [10.0, 5.0])


@pytest.mark.parametrize("m", [0, 1, 2, 4, 5])
def test_derivatives_and_integrals(m):
    agree(lambda p: np.polyder(p, m), P)
    agree(lambda p: np.polyint(p, m), P)
    if m:
        agree(lambda p, k: np.polyint(p, m, k), P, np.arange(1.0, m + 1), batched=False)
        agree(lambda p, k: np.polyint(p, m, k), P, np.float64(0.5), batched=False)


@pytest.mark.parametrize("x", [np.float64(0.7), np.linspace(-1, 1, 3), np.ones((2, 2)) * 0.3j])
def test_values(x):
    agree(np.polyval, P, x)
    assert qd.gradcheck(lambda p, x: np.abs(np.polyval(p, x)) ** 2, P, x, order=2)


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="polyder: m=-1"):
        qd.vjp(lambda p: np.polyder(p, -1), P)
    with pytest.raises(ValueError, match="polyint: 2 constants for m=3"):
        qd.vjp(lambda p: np.polyint(p, 3, [1.0, 2.0]), P)
