"""Absolute values, signs, hypotenuses and angles: values, kinks, scales and higher orders."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

Z = np.array([3.0 + 4.0j, -1.0 + 0.5j, 2.0j])


def modes(f, x):
    """The derivative in both modes, for a real function of one real number."""
    return qd.jvp(f, (x,), (1.0,))[1], qd.grad(f)(x)


@pytest.mark.parametrize("f", [np.abs, np.absolute, np.fabs])
def test_real_absolute(f):
    agree(f, np.array([0.5, -2.0, 3.0]))
    for x, slope in ((2.0, 1.0), (-2.0, -1.0), (0.0, 0.0), (-0.0, 0.0), (np.inf, 1.0)):
        assert modes(f, x) == (slope, slope)
    assert np.isnan(modes(f, np.nan)).all()
    for second in (qd.grad(qd.grad(f)), qd.jacfwd(qd.jacfwd(f)), qd.jacfwd(qd.grad(f))):
        assert second(0.0) == 0.0
        assert second(1.5) == 0.0


def test_complex_absolute():
    agree(np.abs, Z)
    y, pull = qd.vjp(np.abs, Z)
    assert y.dtype == np.float64
    np.testing.assert_allclose(pull(np.ones(3))[0], Z / abs(Z))
    np.testing.assert_allclose(qd.jvp(np.abs, (Z,), (np.ones(3) * 1j,))[1], Z.imag / abs(Z))
    single = Z.astype(np.complex64)
    y, pull = qd.vjp(np.abs, single)
    assert y.dtype == np.float32
    assert pull(np.ones(3, np.float32))[0].dtype == np.complex64


def test_complex_absolute_at_zero_to_third_order():
    f = lambda x: np.abs(x * (1 + 2j))
    for derivative in (qd.grad, qd.jacfwd):
        g = f
        for _ in range(3):
            g = derivative(g)
            assert g(0.0) == 0.0


def test_second_derivative_of_complex_absolute():
    # |x + iy| is the norm of (x, y), whose Hessian is (I - u u^T) / r
    f = lambda v: np.abs(v[0] + 1j * v[1])
    v = np.array([3.0, 4.0])
    expected = (np.eye(2) - np.outer(v, v) / 25) / 5
    np.testing.assert_allclose(qd.hessian(f)(v), expected, atol=1e-15)
    np.testing.assert_allclose(qd.jacrev(qd.grad(f))(v), expected, atol=1e-15)
    tiny = v * 1e-300
    np.testing.assert_allclose(qd.grad(f)(tiny), v / 5)


def test_sign():
    x = np.array([-2.0, 0.0, 3.0])
    t = qd.tensor(x, requires_grad=True)
    assert not np.sign(t).requires_grad
    agree(np.sign, Z)
    y, pull = qd.vjp(np.sign, np.array([0j, 3 + 4j]))
    np.testing.assert_allclose(y, [0, 0.6 + 0.8j])
    assert pull(np.ones(2, complex))[0][0] == 0
    # turning z by i dt turns its direction as far; stretching does not
    np.testing.assert_allclose(qd.jvp(np.sign, (Z,), (1j * Z,))[1], 1j * Z / abs(Z), atol=1e-15)
    np.testing.assert_allclose(qd.jvp(np.sign, (Z,), (2 * Z,))[1], 0, atol=1e-15)


def test_hypot():
    agree(np.hypot, np.array([[3.0], [0.5]]), np.array([4.0, -1.0, 0.2]))
    f = lambda v: np.hypot(v[0], v[1])
    for scale in (1.0, 1e-300, 1e300):
        np.testing.assert_allclose(qd.grad(f)(scale * np.array([3.0, 4.0])), [0.6, 0.8])
    zero = np.zeros(2)
    np.testing.assert_array_equal(qd.grad(f)(zero), zero)
    np.testing.assert_array_equal(qd.jacfwd(f)(zero), zero)
    np.testing.assert_array_equal(qd.hessian(f)(zero), np.zeros((2, 2)))
    np.testing.assert_array_equal(qd.jacrev(qd.grad(f))(zero), np.zeros((2, 2)))
    v = np.array([3.0, 4.0])
    np.testing.assert_allclose(qd.hessian(f)(v), (np.eye(2) - np.outer(v, v) / 25) / 5)


def test_arctan2():
    agree(np.arctan2, np.array([[1.0], [-0.5]]), np.array([4.0, -1.0, 0.2]))
    f = lambda v: np.arctan2(v[0], v[1])
    for scale in (1.0, 1e-200, 1e200):
        v = scale * np.array([3.0, 4.0])
        np.testing.assert_allclose(qd.grad(f)(v) * scale, [4 / 25, -3 / 25])
    for derivative in (qd.grad(f), qd.jacfwd(f), qd.hessian(f), qd.jacrev(qd.grad(f))):
        assert not derivative(np.zeros(2)).any()
    assert modes(lambda y: np.arctan2(y, 0.0), 2.0) == (0.0, 0.0)
    x, y = 3.0, 4.0
    expected = np.array([[-2 * x * y, y * y - x * x], [y * y - x * x, 2 * x * y]]) / 625
    got = qd.hessian(lambda v: np.arctan2(v[0], v[1]))(np.array([y, x]))
    np.testing.assert_allclose(got, expected)


@pytest.mark.parametrize("deg", [False, True])
def test_angle(deg):
    agree(lambda z: np.angle(z, deg), Z)
    agree(lambda x: np.angle(x, deg=deg), np.array([1.0, -2.0]))
    unit = 180 / np.pi if deg else 1.0
    turned = qd.jvp(lambda z: np.angle(z, deg), (Z,), (1j * Z,))[1]
    np.testing.assert_allclose(turned, unit * np.ones(3))
    assert qd.vjp(np.angle, 0j)[1](1.0)[0] == 0
    assert qd.vjp(np.angle, np.complex64(1 + 1j))[0].dtype == np.float32
    second = qd.jacfwd(qd.grad(lambda x: np.angle(x + 1j)))(0.5)
    np.testing.assert_allclose(second, 2 * 0.5 / (1 + 0.25) ** 2)
