"""Complex numbers in compiled code: native throughout, with NumPy's results."""

import numpy as np
import pytest

import qiudao as qd

pytest.importorskip("llvmlite")

NAMES = (
    "absolute", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "conjugate",
    "cos", "cosh", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "negative", "real",
    "imag", "reciprocal", "sign", "sin", "sinh", "sqrt", "square", "tan", "tanh",
)  # fmt: skip
POINTS = np.array([1.0 + 2.0j, 0.5 - 0.3j, -0.7 + 0.1j, -2.0 - 1.5j, 3.0 + 0.25j])
WITHIN = {np.complex128: 1e-13, np.complex64: 2e-5}
TYPES = pytest.mark.parametrize("dtype", WITHIN)


def close(got, want, dtype):
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=WITHIN[dtype])


def every(z):
    """All functions of one variable, and powers."""
    w = z.conj() + z.dtype.type(1.5)
    powers = (z**3, z**-2, z**0.5, z**1.5, z**w, 2.0**z, np.power(z, 7))
    quotients = (z / w, z * w, z - w)
    return [getattr(np, name)(z) for name in NAMES] + [*powers, *quotients]


@TYPES
def test_every_function_is_native(dtype):
    z = POINTS.astype(dtype)
    compiled = qd.jit(every)
    assert compiled.lower(z).fallbacks == []
    for got, want in zip(compiled(z), every(z), strict=True):
        close(got, want, dtype)


@TYPES
def test_every_derivative_is_native(dtype):
    """Of a number alone: its code calls functions that stay in the process, and is short."""

    def total(z):
        return sum(np.real(f * (1 - 2j)) for f in every(z))

    z, gradient = dtype(0.5 - 0.3j), qd.grad(total)
    compiled = qd.jit(gradient)
    assert compiled.lower(z).fallbacks == []
    close(compiled(z), gradient(z), dtype)


def test_second_derivatives():
    def curve(t):
        z = np.exp(1j * t) * np.tanh(t + 0.5j) + np.log(t - 2j) ** 2.5
        return np.sum(np.abs(z))

    t = np.linspace(0.1, 2.0, 7)
    turned = qd.grad(lambda t: np.sum(qd.grad(curve)(t) * t))
    compiled = qd.jit(turned)
    assert compiled.lower(t).fallbacks == []
    np.testing.assert_allclose(compiled(t), turned(t), rtol=1e-11)


def test_scalars_and_loops():
    """A single number calls functions that stay in the process; a loop holds them."""

    def orbit(z):
        for _ in range(300):
            z = np.sin(z) * 0.9 + np.sqrt(z) * 0.1
        return z

    z = 0.5 + 0.2j
    compiled = qd.jit(orbit)
    assert compiled.lower(z).fallbacks == []
    np.testing.assert_allclose(compiled(z), orbit(z), rtol=1e-11)
    assert qd.jit(np.arctan)(z) == pytest.approx(np.arctan(z), rel=1e-15)


@TYPES
@pytest.mark.parametrize("n", [-99, -5, -3, 0, 1, 2, 4, 6, 99])
def test_known_whole_powers_are_products(dtype, n):
    """As in NumPy, so that powers of whole numbers are whole."""
    z = np.array([1 + 2j, 0.9 - 0.4j, -1 - 1j, 0.5 + 0j], dtype)
    compiled = qd.jit(lambda z: np.power(z, n))
    want = np.power(z, n)
    assert compiled(z).dtype == want.dtype
    np.testing.assert_allclose(compiled(z), want, rtol=100 * np.finfo(dtype).eps)
    if n == 6:
        np.testing.assert_array_equal(compiled(np.array([1 + 2j])), [117 + 44j])


@TYPES
def test_cuts(dtype):
    """The sign of a zero tells the side, compiled as in NumPy."""
    sides = np.array([complex(-2.0, 0.0), complex(-2.0, -0.0)], dtype)
    across = np.array([complex(0.0, 2.0), complex(-0.0, 2.0)], dtype)
    for name in ("log", "sqrt", "log10", "arccosh", "arcsin", "arccos", "arctanh"):
        f = getattr(np, name)
        close(qd.jit(f)(sides), f(sides), dtype)
        assert np.ptp(np.sign(qd.jit(f)(sides).imag)) == 2
    for name in ("arctan", "arcsinh"):
        f = getattr(np, name)
        close(qd.jit(f)(across), f(across), dtype)
        assert np.ptp(np.sign(qd.jit(f)(across).real)) == 2


def test_export(tmp_path):
    def wave(z):
        return np.sin(z) * np.exp(-z) ** 1.5

    written = qd.jit(wave).export(tmp_path / "wave.o", np.ones(3, complex))
    assert all(path.exists() for path in written)
