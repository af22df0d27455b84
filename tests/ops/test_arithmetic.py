"""Powers, quotients and their holes; the smooth functions in their tails; sums of exponentials."""

import math

import mpmath
import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree


def orders(f, count):
    """Derivatives 1 to `count`, each by reverse mode and by forward mode."""
    reverse = forward = f
    for _ in range(count):
        reverse, forward = qd.grad(reverse), qd.jacfwd(forward)
        yield reverse, forward


@pytest.mark.parametrize("p", [0, 1, 2, 3, 5, 0.0, 1.0, 2.0, 3.0, np.float64(2.0), np.float64(3.0)])
@pytest.mark.parametrize("x", [0.0, -1.5, 2.0])
def test_whole_powers_at_every_order(p, x):
    with np.errstate(all="raise"):
        for n, derivatives in enumerate(orders(lambda x: x**p, 4), 1):
            falling = math.prod(float(p) - k for k in range(n))
            expected = falling * x ** max(p - n, 0) if falling else 0.0
            for d in derivatives:
                np.testing.assert_allclose(d(x), expected, rtol=1e-14)


@pytest.mark.parametrize("p", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("x", [0.0, -1.5, 2.0])
def test_whole_powers_of_arrays_at_every_order(p, x):
    """The exponent is an array, so that the rule cannot look at it."""
    f = lambda x: np.sum(x ** np.array([p]))
    for n, derivatives in enumerate(orders(f, 4), 1):
        falling = math.prod(p - k for k in range(n))
        expected = falling * x ** max(p - n, 0) if falling else 0.0
        for d in derivatives:
            np.testing.assert_allclose(d(x), expected, rtol=1e-14)


def test_whole_exponents_of_integer_type():
    x = np.array([-2.0, 0.0, 1.5])
    n = np.array([3, 2, 0])
    agree(lambda x: x**n, x)
    np.testing.assert_allclose(qd.grad(lambda x: np.sum(x**n))(x), [12.0, 0.0, 0.0])


def test_poles_of_powers():
    with np.errstate(all="ignore"):
        assert qd.grad(lambda x: x**-1)(0.0) == -np.inf
        assert qd.grad(lambda x: x**0.5)(0.0) == np.inf
        assert qd.grad(qd.grad(lambda x: x**1.5))(0.0) == np.inf
        assert np.isnan(qd.grad(lambda x: x**0.5)(-1.0))


def test_slope_in_the_exponent():
    f = lambda y: 3.0**y
    for n, derivatives in enumerate(orders(f, 3), 1):
        for d in derivatives:
            np.testing.assert_allclose(d(0.7), 3.0**0.7 * math.log(3.0) ** n)
    by_exponent = lambda x, y: qd.grad(lambda y: np.sum(np.array([x]) ** y))(y)
    assert by_exponent(0.0, 2.0) == 0.0
    assert by_exponent(0.0, 0.0) == 0.0
    with np.errstate(all="ignore"):
        assert by_exponent(0.0, -1.0) == -np.inf
        assert np.isnan(by_exponent(-2.0, 2.0))  # no real power of -2 stands beside the square
    gx, gy = qd.grad(lambda x, y: x**y, argnums=(0, 1))(-2.0, 3.0)
    assert gx == 12.0
    assert np.isnan(gy)
    mixed = qd.hessian(lambda v: v[0] ** v[1])(np.array([0.0, 2.0]))
    np.testing.assert_array_equal(mixed, [[2.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0])
def test_mixed_derivatives_at_whole_exponents(y):
    x, log = 2.0, math.log(2.0)
    by_x, by_y = y * x ** (y - 1), x**y * log
    mixed = x ** (y - 1) * (1 + y * log)
    want = [[y * (y - 1) * x ** (y - 2), mixed], [mixed, by_y * log]]
    f = lambda v: v[0] ** v[1]
    v = np.array([x, y])
    np.testing.assert_allclose(qd.grad(f)(v), [by_x, by_y])
    modes = [qd.jacrev, qd.jacfwd]
    for hessian in (qd.hessian(f), *(a(b(f)) for a in modes for b in modes), qd.jit(qd.hessian(f))):
        np.testing.assert_allclose(hessian(v), want)
    twice = qd.grad(qd.grad(lambda x, y: x**y))
    np.testing.assert_allclose(
        qd.grad(twice, 1)(x, y), x ** (y - 2) * (2 * y - 1 + y * (y - 1) * log)
    )


def test_nan_to_the_power_of_zero_is_constant():
    x, y = np.array([np.nan, 2.0]), np.array([0.0, 3.0])
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(x**y))(x), [0.0, 12.0])


@pytest.mark.parametrize("y", [2.0, 3.0, 2.5])
def test_complex_zero_to_a_power(y):
    g = qd.vjp(lambda z: z**y, 0j)[1](1 + 0j)[0]
    assert g == 0
    g = qd.vjp(lambda z: z ** np.array(y), 0j)[1](1 + 0j)[0]
    assert g == 0
    assert qd.vjp(lambda y: np.complex128(0) ** y, np.complex128(y))[1](1 + 0j)[0] == 0


def test_complex_power():
    z = np.array([1 + 2j, -0.5 + 1j])
    agree(lambda z, w: z**w, z, np.array([0.5 - 1j, 2 + 0.3j]), batched=False)
    np.testing.assert_allclose(qd.jvp(lambda z: z**3, (z,), (np.ones(2) + 0j,))[1], 3 * z**2)


def test_float_power_is_double():
    x = np.float32([1.5, 2.5])
    y, pull = qd.vjp(lambda x: np.float_power(x, 3), x)
    expected = np.float_power(x, 3)
    assert y.dtype == expected.dtype == np.float64
    np.testing.assert_array_equal(y, expected)
    (g,) = pull(np.ones(2))
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, 3 * x**2)
    assert qd.vjp(lambda z: np.float_power(z, 2), np.complex64(1j))[0].dtype == np.complex128
    assert qd.vmap(lambda n: np.float_power(n, 2))(np.arange(3)).dtype == np.float64


@pytest.mark.parametrize("one", [1, 1.0])
def test_one_divided_by_a_number(one):
    """By the square of the result: at zeros, infinities and beyond the range as by division."""
    x = np.array([2.0, -3.0, 0.0, -0.0, np.inf, -np.inf, 1e-200, 1e200, 5e-324, np.nan])
    with np.errstate(all="ignore"):
        expected = -(1 / x) / x
        found = qd.grad(lambda x: np.sum(one / x))(x)
    np.testing.assert_allclose(found, expected, rtol=4e-16)
    np.testing.assert_array_equal(np.signbit(found[:-1]), np.signbit(expected[:-1]))
    np.testing.assert_allclose(qd.grad(qd.grad(lambda x: one / x))(2.0), 0.25, rtol=1e-15)
    np.testing.assert_allclose(qd.grad(lambda x: 3 / x)(2.0), -0.75, rtol=1e-15)


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, np.float32(0), np.array(0.0)])
def test_division_by_zero_is_numpys_whatever_the_zero(zero):
    """Python's own numbers would raise; a mask may drop the lane."""
    x = np.array([2.0, -3.0])
    with np.errstate(all="ignore"):
        slope = np.divide(1.0, zero)
        for f in (lambda x: np.sum(x / zero), lambda x: np.sum(np.true_divide(x, zero))):
            np.testing.assert_array_equal(qd.grad(f)(x), [slope, slope])
            np.testing.assert_array_equal(qd.jvp(f, (x,), (np.eye(2)[0],))[1], slope)
        assert qd.grad(lambda x: np.where(x < 9, x, x / zero))(2.0) == 1.0
        assert qd.grad(qd.grad(lambda x: np.where(x < 9, x**2, x / zero)))(2.0) == 2.0


def test_square_and_reciprocal():
    for dtype in (np.float32, np.float64, np.complex64):
        agree(np.square, np.array([1.5, -2.0, 0.0], dtype), tolerance=1e-5)
        agree(np.reciprocal, np.array([1.5, -2.0], dtype), tolerance=1e-5)
    assert qd.vmap(np.square)(np.arange(3)).dtype == np.int64
    with np.errstate(all="ignore"):
        assert qd.grad(np.reciprocal)(0.0) == -np.inf


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_quotient_at_extreme_scales(scale):
    ga, gb = qd.grad(lambda a, b: a / b, argnums=(0, 1))(2.0 * scale, 3.0 * scale)
    np.testing.assert_allclose([ga * scale, gb * scale], [1 / 3, -2 / 9])


@pytest.mark.parametrize("f", [np.sqrt, np.cbrt])
def test_roots_at_zero(f):
    with np.errstate(all="ignore"):
        assert qd.grad(f)(0.0) == np.inf
        assert qd.jacfwd(f)(0.0) == np.inf
        assert qd.jacrev(f)(np.float32(0.0)) == np.inf


@pytest.mark.parametrize(
    "f",
    [np.exp2, np.log2, np.log10, np.exp, np.log, np.tanh, np.arcsinh, np.sinc, np.i0, np.logaddexp,
     np.logaddexp2, np.hypot, np.arctan2, np.degrees, np.radians, np.maximum, np.fmin],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_single_precision_all_the_way(f):
    x = np.float32([0.25, 0.75])
    loss = (lambda x: f(x, np.float32(0.5))) if getattr(f, "nin", 1) == 2 else f
    seen = []

    def slope(x):
        y, pull = qd.vjp(loss, x)
        (g,) = pull(np.ones_like(y))
        seen.append((y.dtype, g.dtype))
        return g

    second = qd.vjp(slope, x)[1](np.ones_like(x))[0]
    assert seen[0] == (np.float32, np.float32)
    assert second.dtype == np.float32


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-9, 1e-3, 0.3, 1.0, 2.5, 7.9, 8.1, 20.0])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_sinc_at_every_order(x, n):
    with mpmath.workdps(60):
        k0 = (n + 1) // 2
        terms = (
            (-1) ** k * mpmath.pi ** (2 * k) / (2 * k + 1) / mpmath.factorial(2 * k - n)
            * (mpmath.mpf(x) ** (2 * k - n) if 2 * k > n else 1)
            for k in range(k0, 150)
        )  # fmt: skip
        expected = float(mpmath.fsum(terms))
    scale = np.pi**n / (n + 1)  # the largest value of this derivative
    for d in list(orders(np.sinc, n))[-1]:
        np.testing.assert_allclose(d(x), expected, rtol=1e-13, atol=1e-13 * scale)


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-4, 0.5, -3.0, 8.0, 50.0, 600.0])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_i0_at_every_order(x, n):
    with mpmath.workdps(40):
        m = mpmath.fsum(
            mpmath.binomial(n, k) * mpmath.besseli(abs(n - 2 * k), x).real for k in range(n + 1)
        )
        expected = float(m / 2**n)
    for d in list(orders(np.i0, n))[-1]:
        np.testing.assert_allclose(d(x), expected, rtol=1e-13)


def test_tails_keep_their_digits():
    for x in (30.0, -30.0, 300.0):
        np.testing.assert_allclose(qd.grad(np.tanh)(x), 1 / math.cosh(x) ** 2, rtol=1e-14)
    for f in (np.tanh, lambda x: np.logaddexp(x, 0.0), np.arcsinh, np.arctan):
        for x in (-1e4, 800.0, 1e200):
            for derivatives in orders(f, 3):
                for d in derivatives:
                    assert np.isfinite(d(x))
    np.testing.assert_allclose(qd.grad(np.expm1)(-40.0), math.exp(-40.0), rtol=1e-15)


def weight(a, b, base):
    """The exact weight of the first term in a sum of exponentials."""
    with mpmath.workdps(60):
        base = mpmath.mpf(base) if base == 2 else mpmath.e
        return float(1 / (1 + base ** (mpmath.mpf(b) - mpmath.mpf(a))))


@pytest.mark.parametrize("f,base", [(np.logaddexp, 0), (np.logaddexp2, 2)])
@pytest.mark.parametrize("a", [-700.0, -40.0, 0.0, 1e-9, 3.0, 40.0, 1e10])
@pytest.mark.parametrize("b", [0.0, 1e10])
def test_weights_of_logaddexp(f, base, a, b):
    ga, gb = qd.grad(f, argnums=(0, 1))(a, b)
    np.testing.assert_allclose(ga, weight(a, b, base), rtol=2e-13)
    np.testing.assert_allclose(gb, weight(b, a, base), rtol=2e-13)
    second = qd.grad(qd.grad(f))(a, b)
    unit = math.log(2) if base == 2 else 1.0
    np.testing.assert_allclose(second, unit * weight(a, b, base) * weight(b, a, base), rtol=4e-13)


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
def test_logaddexp_at_infinities(f):
    inf = np.inf
    for a, b, expected in (
        (-inf, -inf, (0.5, 0.5)), (inf, inf, (0.5, 0.5)), (-inf, 1.0, (0.0, 1.0)),
        (inf, 1.0, (1.0, 0.0)), (inf, -inf, (1.0, 0.0)),
    ):  # fmt: skip
        assert qd.grad(f, argnums=(0, 1))(a, b) == expected
        assert qd.jacfwd(f, argnums=(0, 1))(a, b) == expected
        assert not np.any(qd.hessian(lambda v: f(v[0], v[1]))(np.array([a, b])))
    with np.errstate(invalid="ignore"):
        assert np.isnan(qd.grad(f)(np.nan, 1.0))
    agree(f, np.array([[1.0], [-2.0]]), np.array([0.3, 0.7]))


@pytest.mark.peer
def test_the_smooth_functions_agree_with_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    for name in ("sin", "tan", "arcsinh", "log1p", "exp2", "tanh", "arctan", "cbrt", "sinc"):
        ours, theirs = getattr(np, name), getattr(jnp, name)
        for _ in range(3):
            ours, theirs = qd.grad(ours), jax.grad(theirs)
            np.testing.assert_allclose(ours(0.6), theirs(0.6), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_slope_of_tanh_is_one_of_many_elements_and_of_few(dtype):
    x = np.concatenate([np.linspace(-20, 20, 5000), [np.inf, -np.inf, 0.0]]).astype(dtype)
    whole = qd.grad(lambda x: np.sum(np.tanh(x)))(x)
    parts = [qd.grad(lambda x: np.sum(np.tanh(x)))(part) for part in np.array_split(x, 100)]
    np.testing.assert_allclose(whole, np.concatenate(parts), rtol=6 * np.finfo(dtype).eps)
    assert np.isnan(qd.grad(lambda x: np.sum(np.tanh(x)))(np.full(5000, np.nan, dtype))).all()
