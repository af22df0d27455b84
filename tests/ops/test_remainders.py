"""Remainders and the parts of floating-point numbers, against NumPy and their formulas."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

A = np.array([7.3, -7.3, 0.4, -0.4])
B = np.array([[2.0], [-2.0], [0.7]])


@pytest.mark.parametrize("f", [np.mod, np.remainder, lambda a, b: a % b])
def test_remainder(f):
    agree(f, A, B)
    ga, gb = qd.grad(lambda a, b: np.sum(f(a, b)), argnums=(0, 1))(A, B)
    np.testing.assert_allclose(ga, 3.0)
    np.testing.assert_allclose(gb, -np.floor(A / B).sum(axis=1, keepdims=True))


def test_remainder_of_a_plain_number():
    np.testing.assert_allclose(qd.grad(lambda b: 7.3 % b)(2.0), -3.0)
    assert qd.grad(lambda a: a % 2)(7.3) == 1.0
    assert qd.grad(lambda a: a // 2)(7.3) == 0.0


def test_fmod():
    agree(np.fmod, A, B)
    ga, gb = qd.grad(lambda a, b: np.sum(np.fmod(a, b)), argnums=(0, 1))(A, B)
    np.testing.assert_allclose(ga, 3.0)
    np.testing.assert_allclose(gb, -np.trunc(A / B).sum(axis=1, keepdims=True))
    # a / b rounds up to 10 here, and the quotient that fmod takes is 9
    assert qd.grad(lambda b: np.fmod(1.0, b))(0.1) == -9.0


def test_divmod():
    t = qd.tensor(A, requires_grad=True)
    quotient, rest = divmod(t, B)
    np.testing.assert_array_equal(quotient, A // B)
    np.testing.assert_array_equal(rest.detach().numpy(), A % B)
    assert not quotient.requires_grad
    agree(lambda a, b: np.divmod(a, b)[1], A, B)
    assert qd.grad(lambda x: np.add(*np.divmod(x, 2.0)))(7.3) == 1.0


def test_modf():
    x = np.array([1.25, -3.5, 0.0, -0.25])
    fraction, whole = np.modf(qd.tensor(x, requires_grad=True))
    for got, want in zip((fraction.detach().numpy(), whole), np.modf(x), strict=True):
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(want))
    agree(lambda x: np.modf(x)[0] * np.modf(x)[1], x)
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(np.modf(x)[0]))(x), np.ones(4))


def test_frexp_and_ldexp():
    x = np.array([8.0, -0.3, 0.0, 5e-324, 1e300])
    mantissa, exponent = np.frexp(qd.tensor(x, requires_grad=True))
    np.testing.assert_array_equal(mantissa.detach().numpy(), np.frexp(x)[0])
    np.testing.assert_array_equal(exponent, np.frexp(x)[1])
    assert exponent.dtype == np.frexp(x)[1].dtype
    rebuilt = lambda x: np.ldexp(*np.frexp(x))
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(rebuilt(x)))(x), np.ones(5))
    np.testing.assert_array_equal(
        qd.grad(lambda x: np.sum(np.frexp(x)[0]))(x[:2]), 2.0 ** -np.frexp(x[:2])[1]
    )
    agree(lambda x: np.ldexp(x, np.array([[1], [-3]])), np.array([1.5, -2.0]))
    # 2^1100 overflows; the product does not
    assert qd.grad(lambda x: np.ldexp(x, 1100) * 1e-300)(1e-300) == np.ldexp(1e-300, 1100)
    assert qd.vjp(lambda x: np.ldexp(x, 3), np.float32(1.5))[0].dtype == np.float32


def test_copysign():
    agree(np.copysign, np.array([1.5, -2.0]), np.array([[1.0], [-3.0]]))
    for a, b, slope in ((2.0, 1.0, 1), (2.0, -1.0, -1), (-2.0, 1.0, -1), (0.0, -1.0, 0)):
        assert qd.grad(np.copysign, argnums=(0, 1))(a, b) == (slope, 0.0)
        assert qd.jacfwd(np.copysign, argnums=(0, 1))(a, b) == (slope, 0.0)
    assert qd.grad(lambda x: np.copysign(x, -0.0))(2.0) == -1.0


def test_nextafter_and_spacing():
    agree(np.nextafter, np.array([1.5, -2.0]), np.array([1.0, 3.0]), batched=False)
    assert qd.grad(np.nextafter, argnums=(0, 1))(1.0, 2.0) == (1.0, 0.0)
    assert qd.grad(lambda x: x + np.spacing(x))(1.0) == 1.0


def test_heaviside():
    x = np.array([-1.0, 0.0, 2.0])
    agree(np.heaviside, x, np.array([0.5, 0.3, 0.2]))
    gx, gh = qd.grad(lambda x, h: np.sum(np.heaviside(x, h)), argnums=(0, 1))(x, x + 5)
    np.testing.assert_array_equal(gx, 0)
    np.testing.assert_array_equal(gh, [0, 1, 0])
    assert np.isnan(np.heaviside(qd.tensor(np.nan, requires_grad=True), 0.5).detach().numpy())
