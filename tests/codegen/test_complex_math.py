"""The compiler's functions of complex numbers: accuracy against mpmath, where parts cancel too, and
zeros, infinities, NaN and the sides of branch cuts against NumPy.
"""

import functools
import itertools
import platform

import mpmath
import numpy as np
import pytest

from codegen.kernels import COMPLEX, Kernel
from codegen.test_math import vector_body
from qiudao.codegen.math.table import COMPLEX_UNARY

pytest.importorskip("llvmlite")

TYPES = tuple(COMPLEX)
UNARY = sorted(name.removeprefix("complex.") for name in COMPLEX_UNARY)

# The greatest distance from the exact number, in units in the last place of its modulus: a little
# above what a search found.
BOUNDS = {
    "arccos": 1.45, "arccosh": 1.45, "arcsin": 1.55, "arcsinh": 1.4, "arctan": 1.85,
    "arctanh": 1.8, "cos": 1.3, "cosh": 1.4, "exp": 1.3, "exp2": 1.3, "expm1": 2.0, "log": 0.75,
    "log10": 1.2, "log1p": 1.0, "log2": 1.0, "reciprocal": 0.85, "sech": 2.0, "sign": 1.1,
    "sin": 1.3, "sinh": 1.4, "sqrt": 1.0, "tan": 1.95, "tanh": 1.8,
}  # fmt: skip

ORACLES = {
    "arccos": mpmath.acos, "arccosh": mpmath.acosh, "arcsin": mpmath.asin,
    "arcsinh": mpmath.asinh, "arctan": mpmath.atan, "arctanh": mpmath.atanh, "cos": mpmath.cos,
    "cosh": mpmath.cosh, "exp": mpmath.exp, "exp2": lambda z: mpmath.mpf(2) ** z,
    "expm1": mpmath.expm1, "log": mpmath.log, "log10": mpmath.log10,
    "log1p": lambda z: mpmath.log(1 + z), "log2": lambda z: mpmath.log(z, 2),
    "reciprocal": lambda z: 1 / z, "sech": mpmath.sech, "sign": lambda z: z / abs(z),
    "sin": mpmath.sin, "sinh": mpmath.sinh, "sqrt": mpmath.sqrt, "tan": mpmath.tan,
    "tanh": mpmath.tanh, "power": mpmath.power,
}  # fmt: skip


@functools.cache
def compiled(name, type_):
    return Kernel(f"complex.{name}", type_)


def paired(re, im, type_):
    """Complex numbers from their parts: `re + 1j * im` would lose the signs of zeros."""
    z = np.empty(np.shape(re), COMPLEX[type_])
    z.real, z.imag = re, im
    return z


def points(type_, count, seed=0):
    """Numbers with parts of many sizes, near 0, 1 and -1 and near the unit circle too."""
    rng = np.random.default_rng(seed)
    digits = np.finfo(COMPLEX[type_]).nmant

    def parts():
        sizes = np.concatenate([
            np.exp2(rng.uniform(-digits - 8, 12, count)), rng.uniform(0, 2, count),
            1 + np.exp2(rng.uniform(-digits, -1, count)) * rng.choice([-1, 1], count),
        ])  # fmt: skip
        return rng.permutation(sizes * rng.choice([-1, 1], sizes.size))

    angle = rng.uniform(0, 2 * np.pi, count)
    radius = 1 + np.exp2(rng.uniform(-digits, -2, count)) * rng.choice([-1, 1], count)
    re, im = radius * np.cos(angle), radius * np.sin(angle)
    return paired(np.concatenate([parts(), re]), np.concatenate([parts(), im]), type_)


def errors(name, type_, *zs, precision=400):
    """How far results are from the exact ones, in units in the last place of the modulus, and of
    the real and the imaginary part; where the exact number is too large, nothing is asked.
    """
    got = compiled(name, type_)(*zs)
    info = np.finfo(got.dtype)
    least, unit = float(info.smallest_subnormal), float(info.eps)
    found = []
    with mpmath.workprec(precision):
        for value, *z in zip(got.tolist(), *(z.tolist() for z in zs)):
            exact = ORACLES[name](*map(mpmath.mpc, z))
            if max(abs(exact.real), abs(exact.imag)) > float(info.max):
                found.append((0.0, 0.0, 0.0))
                continue
            off = mpmath.mpc(value) - exact
            found.append(tuple(
                float(abs(a) / max(abs(b) * unit, least))
                for a, b in ((off, exact), (off.real, exact.real), (off.imag, exact.imag))
            ))  # fmt: skip
    return np.array(found)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", UNARY)
def test_accuracy(name, type_):
    z = points(type_, 25)
    found = errors(name, type_, z)[:, 0]
    assert found.max() <= BOUNDS[name], z[found.argmax()]


def within(name, type_, z, bound):
    """Whether the real and the imaginary part are accurate, each for itself."""
    found = errors(name, type_, z)[:, 1:].max(axis=1)
    assert found.max() <= bound, z[found.argmax()]


@pytest.mark.parametrize("type_", TYPES)
def test_the_logarithm_near_the_unit_circle(type_):
    """Log |z| is much smaller than the angle, and no digit of it is lost."""
    z = points(type_, 200, seed=1)[-200:]
    z = np.concatenate([z, paired(np.repeat([1.0, -1.0], 20), np.exp2(-np.arange(40.0)), type_)])
    z = np.concatenate([z, z[:40].imag + 1j * z[:40].real])
    within("log", type_, z, 1.2)


@pytest.mark.parametrize("type_", TYPES)
def test_the_logarithm_of_one_and_little_more(type_):
    """Both parts keep their digits; where 2 x + y^2 cancels, the modulus does."""
    z = points(type_, 100, seed=2)
    within("log1p", type_, z * z.real.dtype.type(2.0**-10), 1.2)
    y = np.exp2(np.linspace(-1, -20, 40)).astype(z.real.dtype)
    z = np.concatenate([paired(-y * y / 2, y, type_), paired(-y * y / 2, -y, type_)])
    assert errors("log1p", type_, z)[:, 0].max() <= BOUNDS["log1p"]


@pytest.mark.parametrize("type_", TYPES)
def test_the_root_near_its_cut(type_):
    size = np.exp2(np.linspace(-60, 60, 61))
    for x, y in itertools.product((-size, size), (size[::-1] * 2.0**-40, -size)):
        within("sqrt", type_, paired(x, y, type_), 1.6)


@pytest.mark.parametrize("type_", TYPES)
def test_the_root_of_very_large_and_very_small_numbers(type_):
    info = np.finfo(COMPLEX[type_])
    ends = [info.max, info.max / 2, info.tiny, info.smallest_subnormal * 9]
    x, y = map(np.array, zip(*itertools.product(ends, ends), strict=True))
    within("sqrt", type_, paired(x, y, type_), 1.6)
    within("sqrt", type_, paired(-x, y, type_), 1.6)


@pytest.mark.parametrize("type_", TYPES)
def test_products_do_not_overflow_before_they_must(type_):
    """Cosh y overflows, and so does e^x, where their products with a small sine do not."""
    large = {"double": 711.0, "float": 89.5}[type_]
    small = np.exp2(np.linspace(-20, -2, 30))
    x = np.full(30, large)
    within("exp", type_, paired(x, np.pi / 2 + small, type_), 1.7)
    within("sinh", type_, paired(-x, small, type_), 2.1)
    within("cosh", type_, paired(x, np.pi / 2 - small, type_), 2.1)
    within("sin", type_, paired(small, x, type_), 2.1)
    within("cos", type_, paired(np.pi / 2 - small, -x, type_), 2.1)
    twice = {"double": (1400.0, 2.0**-1040), "float": (180.0, 2.0**-140)}[type_]
    z = paired([twice[0]], [twice[1]], type_)
    for name in ("exp", "sinh"):
        assert errors(name, type_, z)[0, 2] <= 2.1


@pytest.mark.parametrize("type_", TYPES)
def test_tanh_far_from_the_imaginary_axis(type_):
    """The imaginary part is 4 e^(-2 |x|) sin y cos y, down to the smallest numbers."""
    x = np.linspace(15, {"double": 370.0, "float": 50.0}[type_], 60)
    y = np.linspace(-6, 6, 60)
    within("tanh", type_, paired(x, y, type_), 4.0)
    within("tan", type_, paired(y, -x, type_), 4.0)


@pytest.mark.parametrize("type_", TYPES)
def test_quotients_near_their_poles(type_):
    small = np.exp2(-np.arange(4.0, np.finfo(COMPLEX[type_]).nmant))
    pole = np.full(small.shape, np.pi / 2)
    within("tanh", type_, paired(small, pole, type_), 4.0)
    within("sech", type_, paired(-small, pole + small, type_), 4.0)
    within("arctanh", type_, paired(1 - small, small[::-1] ** 2, type_), 3.0)
    within("arctanh", type_, paired([1.0, -1.0], [2.0**-140, -(2.0**-126)], type_), 3.0)


@pytest.mark.parametrize("type_", TYPES)
def test_exponentials_less_one_near_zero(type_):
    size = np.exp2(-np.arange(1.0, 60.0))
    z = np.concatenate([paired(size, s * size[::-1], type_) for s in (1, -1)])
    assert errors("expm1", type_, z)[:, 0].max() <= BOUNDS["expm1"]


def exponents(type_, a, size):
    """Exponents for which |b log a| is about `size`."""
    rng = np.random.default_rng(3)
    b = rng.normal(size=(a.size, 2)) @ [1, 1j]
    with np.errstate(divide="ignore"):
        return (b / abs(b) * size / abs(np.log(a.astype(complex)))).astype(COMPLEX[type_])


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("size, bound", [(1, 1.4), (10, 2.7), (60, 12.0)])
def test_powers(type_, size, bound):
    """What is lost grows with |b log a|, to a seventh of what NumPy loses."""
    a = points(type_, 30)
    b = exponents(type_, a, size)
    found = errors("power", type_, a, b)[:, 0]
    assert found.max() <= bound, (a[found.argmax()], b[found.argmax()])


def test_large_powers():
    a = points("double", 30)
    assert errors("power", "double", a, exponents("double", a, 600))[:, 0].max() <= 125


# Zeros, infinities, NaN, and the sides of cuts

on_linux = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="NumPy calls a C library that signs zeros otherwise"
)


def special_values(type_):
    """All pairs of zeros, ones, infinities, NaN, the smallest and the largest numbers."""
    info = np.finfo(COMPLEX[type_])
    beyond = {"double": 800, "float": 95}[type_]  # where e^x overflows
    values = [
        0, 1, np.inf, np.nan, info.smallest_subnormal, info.tiny, info.max, info.max / 4, 0.5, 2,
        30, 100, 1e-3, beyond,
    ]  # fmt: skip
    parts = np.array([*values, *(-np.array(values))], info.dtype)
    x, y = map(np.ravel, np.meshgrid(parts, parts))
    return paired(x, y, type_)


def known_to_be_poor(name, z):
    """Where NumPy's own formulas lose the result: compiled code keeps it."""
    info = np.finfo(z.dtype)
    size = np.maximum(abs(z.real), abs(z.imag))
    if name == "sech":  # 1 / cosh z is NaN where cosh z has overflowed
        return abs(z.real) > {8: 88, 16: 700}[z.dtype.itemsize]
    if name == "log1p":  # log of the rounded |1 + z|: 0 for small z, infinite for large
        return (abs(z.real) < info.eps) | ((size >= info.max / 4) & np.isfinite(size))
    if name == "sign":  # |z| overflows
        return (size >= info.max / 4) & np.isfinite(size)
    return np.zeros(z.shape, bool)


def same_kind(got, expected, z):
    """The same NaN, infinities, zeros and signs; next to the smallest number 0 may stand."""
    least = np.finfo(got.dtype).smallest_subnormal
    known = ~np.isnan(expected)
    wrong = np.isnan(got) == known
    wrong |= known & (np.isinf(got) != np.isinf(expected))
    zero = (got == 0) != (expected == 0)
    wrong |= known & zero & (np.maximum(abs(got), abs(expected)) > 2 * least)
    wrong |= known & (np.signbit(got) != np.signbit(expected))
    assert not wrong.any(), list(zip(z[wrong], got[wrong], expected[wrong], strict=True))[:5]


def near(got, expected, exact_to=20):
    """Equal where both are finite, but for rounding."""
    with np.errstate(invalid="ignore", over="ignore"):
        off, size = abs(got - expected), abs(expected)
    info = np.finfo(got.dtype)
    finite = np.isfinite(got) & np.isfinite(expected) & np.isfinite(size)
    allowed = np.maximum(exact_to * info.eps * size, 2 * info.smallest_subnormal)
    assert np.all(off[finite] <= allowed[finite])


@on_linux
@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", UNARY)
def test_special_values(name, type_):
    z = special_values(type_)
    z = z[~known_to_be_poor(name, z)]
    got = compiled(name, type_)(z)
    with np.errstate(all="ignore"):
        expected = np.reciprocal(np.cosh(z)) if name == "sech" else getattr(np, name)(z)
    same_kind(got.real, expected.real, z)
    same_kind(got.imag, expected.imag, z)
    if name not in {"exp2", "log1p"}:  # for which NumPy rounds y log 2, and 1 + x
        near(got, expected)


@pytest.mark.parametrize("type_", TYPES)
def test_where_numpy_loses_the_result(type_):
    small = float(np.finfo(COMPLEX[type_]).tiny)
    large = float(np.finfo(COMPLEX[type_]).max)
    z = paired([small, -small, large], [0.0, small, large], type_)
    assert errors("log1p", type_, z, precision=2200)[:, 1:].max() <= 1.0
    assert errors("sign", type_, z[1:])[:, 1:].max() <= 1.0
    z = paired([large, -large, np.inf], [1.0, 1.0, -2.0], type_)
    np.testing.assert_array_equal(compiled("sech", type_)(z), np.zeros(3))


@on_linux
@pytest.mark.parametrize("type_", TYPES)
def test_special_powers(type_):
    """Of 0, to the power 0, of infinite numbers, and with parts on axes."""
    parts = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, np.inf, -np.inf]
    every = paired(*np.array(list(itertools.product(parts, parts))).T, type_)
    finite = every[np.isfinite(every)]
    a, b = map(np.ravel, np.meshgrid(every, finite))
    whole = (b.imag == 0) & (b.real == np.round(b.real)) & (b != 0)  # NumPy takes products
    keep = ~whole | (a == 0)
    a, b = a[keep], b[keep]
    got = compiled("power", type_)(a, b)
    with np.errstate(all="ignore"):
        expected = np.power(a, b)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    bad = np.isinf(got) != np.isinf(expected)
    assert not bad.any(), list(zip(a[bad], b[bad], got[bad], expected[bad], strict=True))[:5]
    near(got, expected)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", [*UNARY, "power"])
def test_loops_run_on_vectors(name, type_):
    body = vector_body(compiled(name, type_).text)
    assert f" x {type_}>" in body
    assert f" call {type_} " not in body
    assert f" fmul {type_} " not in body
