"""Parts of complex numbers, and the convention for their gradients."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

Z = np.array([3.0 + 4.0j, -1.0 + 0.5j, 0j])


@pytest.mark.parametrize("f", [np.real, np.imag, np.conj, np.conjugate])
def test_parts(f):
    agree(f, Z)
    agree(f, Z.real)
    agree(f, Z.astype(np.complex64), tolerance=1e-6)


def test_gradients_point_uphill():
    for f, expected in (
        (np.real, 1), (np.imag, 1j), (lambda z: np.real(np.conj(z)), 1),
        (lambda z: np.imag(np.conj(z)), -1j), (lambda z: np.abs(z) ** 2, 2 * (3 + 4j)),
        (lambda z: np.real(z * z), 2 * (3 - 4j)), (lambda z: np.real(z * np.conj(z)), 2 * (3 + 4j)),
        (lambda z: z.real**2 + z.imag**2, 2 * (3 + 4j)),
    ):  # fmt: skip
        np.testing.assert_allclose(qd.grad(f)(3 + 4j), expected)


def test_real_values_have_real_gradients():
    f = lambda x: np.real(np.exp(1j * x))
    g = qd.grad(f)
    np.testing.assert_allclose(g(0.4), -np.sin(0.4))
    np.testing.assert_allclose(qd.grad(g)(0.4), -np.cos(0.4))
    np.testing.assert_allclose(qd.jacfwd(qd.jacfwd(f))(0.4), -np.cos(0.4))
    assert qd.vjp(lambda x: np.exp(1j * x), np.float32(1.0))[1](1j)[0].dtype == np.float32


def test_imaginary_part_of_a_real_value_is_zero():
    t = qd.tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(np.imag(t).detach().numpy(), [0, 0])
    assert np.real(t) is t


@pytest.mark.parametrize(
    "f",
    [np.exp, np.log, np.sqrt, np.sin, np.tan, np.arcsin, np.arctan, np.tanh, np.arcsinh, np.log1p,
     np.expm1, np.exp2, np.log10, np.sinc, np.square, np.reciprocal, lambda z: z**2.5],
)  # fmt: skip
def test_holomorphic_functions(f):
    """The derivative along 1 is the derivative along i divided by i, to second order."""
    z = 0.4 + 0.3j
    along = lambda d: qd.jvp(f, (z,), (d,))[1]
    np.testing.assert_allclose(along(1j), 1j * along(1 + 0j))
    h = 1e-5
    np.testing.assert_allclose(along(1 + 0j), (f(z + h) - f(z - h)) / (2 * h), rtol=1e-8)
    np.testing.assert_allclose(np.conj(qd.vjp(f, z)[1](1 + 0j)[0]), along(1 + 0j))
    second = qd.jvp(lambda w: qd.jvp(f, (w,), (1 + 0j,))[1], (z,), (1 + 0j,))[1]
    np.testing.assert_allclose(second, (f(z + h) - 2 * f(z) + f(z - h)) / h**2, rtol=1e-4)


CUTS = [complex(x, y) for x in (1.5, -2.5) for y in (0.0, -0.0)]


@pytest.mark.parametrize(
    "f", [np.arcsin, np.arccos, np.arctanh, np.arccosh, np.arcsinh, np.log, np.sqrt]
)
@pytest.mark.parametrize("turn", ["real", "imaginary"])
def test_the_side_of_a_branch_cut_is_numpys(f, turn):
    """Beside a cut the sign of a zero tells the side, for the value and for its slope."""
    h = 1e-6
    for z in CUTS:
        at = lambda t, z=z: (
            complex(z.real + t, z.imag) if turn == "real" else complex(z.imag, z.real + t)
        )
        d = 1 + 0j if turn == "real" else 1j
        with np.errstate(all="ignore"):
            slope = qd.jvp(f, (np.complex128(at(0.0)),), (d,))[1]
            np.testing.assert_allclose(slope, (f(at(h)) - f(at(-h))) / (2 * h), rtol=1e-6)
