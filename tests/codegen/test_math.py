"""The compiler's mathematical functions: accuracy against mpmath, special values against NumPy, and
that loops which call them run on vectors.
"""

import functools
import math
import re

import mpmath
import numpy as np
import pytest

from codegen.kernels import DTYPES, Kernel
from qiudao.codegen.code import Code, Module
from qiudao.codegen.math.table import BINARY, PARTS, UNARY, function, inlined

pytest.importorskip("llvmlite")

TYPES = tuple(DTYPES)
compiled = functools.cache(Kernel)

EXACT = {
    "absolute", "ceil", "copysign", "fabs", "floor", "fmax", "fmin", "fmod", "maximum", "minimum",
    "remainder", "rint", "sign", "sqrt", "trunc",
}  # fmt: skip
CALLS = {"fmod", "gammaln", "remainder"}  # these call the C library, and are not vectorised

# The greatest error in units in the last place, a little above what a search found.
BOUNDS = {
    "arccos": 0.75, "arccosh": 1.65, "arcsin": 0.75, "arcsinh": 1.3, "arctan": 0.9, "arctan2": 0.9,
    "arctanh": 1.1, "cbrt": 0.51, "cos": 0.9, "cosh": 1.3, "erf": 1.3, "erfc": 2.0, "exp": 1.2,
    "exp2": 1.1, "expm1": 1.65, "hypot": 1.1, "log": 0.9, "log10": 0.8, "log1p": 1.0, "log2": 0.9,
    "power": 1.4, "sech": 1.95, "sin": 0.9, "sinh": 1.2, "tan": 1.1, "tanh": 1.8,
}  # fmt: skip

ORACLES = {
    "arccos": mpmath.acos, "arccosh": mpmath.acosh, "arcsin": mpmath.asin,
    "arcsinh": mpmath.asinh, "arctan": mpmath.atan, "arctan2": mpmath.atan2,
    "arctanh": mpmath.atanh, "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "cos": mpmath.cos, "cosh": mpmath.cosh, "erf": mpmath.erf, "erfc": mpmath.erfc,
    "exp": mpmath.exp, "exp2": lambda x: mpmath.mpf(2) ** x, "expm1": mpmath.expm1,
    "hypot": mpmath.hypot, "log": mpmath.log, "log10": mpmath.log10, "log1p": mpmath.log1p,
    "log2": lambda x: mpmath.log(x, 2), "power": mpmath.power, "sech": mpmath.sech,
    "sin": mpmath.sin,
    "sinh": mpmath.sinh, "tan": mpmath.tan, "tanh": mpmath.tanh,
}  # fmt: skip

# Where a function is finite and real, if not everywhere.
DOMAINS = {
    "arccos": (-1, 1), "arccosh": (1, math.inf), "arcsin": (-1, 1), "arctanh": (-1, 1),
    "cosh": (-88, 88), "erfc": (-6, 9), "exp": (-87, 88), "exp2": (-126, 127), "expm1": (-104, 88),
    "log": (0, math.inf), "log10": (0, math.inf), "log1p": (-1, math.inf), "log2": (0, math.inf),
    "sinh": (-88, 88),
}  # fmt: skip


def numbers(dtype, count, seed=0):
    """Numbers of every magnitude, and more of them near 0 and 1."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    signs = rng.choice([-1.0, 1.0], 4 * count)
    magnitudes = np.concatenate(
        [
            np.exp2(rng.uniform(info.minexp - info.nmant, info.maxexp - 1, count)),
            np.exp2(rng.uniform(-12, 12, count)),
            rng.uniform(0, 2, count),
            1 + np.exp2(rng.uniform(-info.nmant, -1, count)) * rng.choice([-1, 1], count),
        ]
    )
    return (signs * magnitudes).astype(dtype)


def operands(name, dtype, count):
    """Operands for which the result is a finite number."""
    x = numbers(dtype, count)
    if name in DOMAINS:
        low, high = DOMAINS[name]
        x = np.where((x > low) & (x < high), x, -x)
        inside = np.random.default_rng(1).uniform(low, min(high, 100), x.size).astype(dtype)
        x = np.where((x > low) & (x < high), x, inside)
    if name not in BINARY:
        return (x,)
    y = numbers(dtype, count, seed=2)
    y = np.random.default_rng(3).permutation(y)
    if name == "power":
        x = np.abs(x)
        logs = np.log2(np.where(x == 1, 2, x).astype(np.float64))
        limit = -np.finfo(dtype).minexp
        y = (np.random.default_rng(4).uniform(-limit, limit, x.size) / logs).astype(dtype)
        y = np.clip(y, -np.sqrt(np.finfo(dtype).max), np.sqrt(np.finfo(dtype).max))
    if name == "hypot":
        x, y = x / 2, y / 2
    return x, y


def worst(name, got, xs, oracle=None):
    """The greatest error in units in the last place, with the operands where it occurs."""
    info = np.finfo(got.dtype)
    least = mpmath.mpf(float(info.smallest_subnormal))
    found = (0.0, ())
    with mpmath.workprec(1200 if name in {"sin", "cos", "tan"} else 160):
        for value, *x in zip(got.tolist(), *(x.tolist() for x in xs)):
            exact = (oracle or ORACLES[name])(*map(mpmath.mpf, x))
            exponent = mpmath.frexp(exact)[1] if exact else 0
            unit = max(mpmath.ldexp(1, exponent - info.nmant - 1), least)
            found = max(found, (float(abs(mpmath.mpf(value) - exact) / unit), tuple(x)))
    return found


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_accuracy(name, type_):
    dtype = DTYPES[type_]
    xs = operands(name, dtype, 100)
    error, where = worst(name, compiled(name, type_)(*xs), xs)
    assert error <= BOUNDS[name], where


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_that_nearly_are_multiples_of_a_right_angle(name):
    """Of all doubles the hardest to reduce (the first by continued fractions), and near them."""
    hard = [6381956970095103.0 * 2.0**797, 5319372648326541.0 * 2.0**755, 2.0**40, 2.0**1023]
    x = np.concatenate([np.multiply(hard, s) for s in (1.0, -1.0)])
    x = np.concatenate([x, np.nextafter(x, 0), np.round(np.arange(1, 60) * np.pi / 2, 12)])
    multiples = np.arange(1, 400) * (np.pi / 2)
    x = np.concatenate([x, multiples, multiples * 2.0**30, multiples * 2.0**50])
    error, where = worst(name, compiled(name, "double")(x), (x,))
    assert error <= BOUNDS[name], where


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
@pytest.mark.parametrize("type_", TYPES)
def test_sums_of_exponentials(name, type_):
    """In units of the larger of the two terms, max and log(1 + e^-d), which may cancel."""
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(-20, 20, (2, 300)) * rng.choice([1, 0.01], (2, 300))).astype(DTYPES[type_])
    got = compiled(name, type_)(x, y)
    base = mpmath.e if name == "logaddexp" else mpmath.mpf(2)
    for value, a, b in zip(got.tolist(), x.tolist(), y.tolist()):
        with mpmath.workprec(160):
            top, rest = max(a, b), mpmath.log1p(base ** -abs(mpmath.mpf(a) - b)) / mpmath.log(base)
            unit = np.spacing(DTYPES[type_].type(max(abs(top), float(rest))))
            assert abs(value - (top + rest)) <= 2.5 * unit, (a, b)


@pytest.mark.parametrize("type_", TYPES)
def test_overflow_and_denormal_results(type_):
    info = np.finfo(DTYPES[type_])
    least, most = math.log(float(info.smallest_subnormal)), math.log(float(info.max))
    for name, scale in (("exp", 1), ("exp2", math.log2(math.e)), ("sinh", 1), ("cosh", 1)):
        start = least if name.startswith("exp") else most
        x = np.concatenate([
            np.linspace(start - 2, start + 40, 200), np.linspace(most - 2, most + 2, 201)
        ]).astype(info.dtype) * info.dtype.type(scale)  # fmt: skip
        got = compiled(name, type_)(x)
        with np.errstate(over="ignore"):
            wide = getattr(np, name)(x.astype(np.longdouble))
            expected = wide.astype(info.dtype)
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(got), finite)
        unit = np.spacing(np.abs(expected[finite]))
        assert np.all(np.abs(got[finite] - wide[finite]) <= 1.5 * unit), name


SPECIAL = (
    0.0, 1.0, math.inf, math.nan, 0.5, 1.5, 2.0, 2.5, 3.0, 4.0, 1e-3, 20.0, 89.0, 720.0, 2.0**31,
    2.0**53, 1e30,
)  # fmt: skip


def special_values(dtype):
    info = np.finfo(dtype)
    edges = [info.max, info.tiny, info.smallest_subnormal, info.eps, 1 + info.eps, 1 - info.epsneg]
    values = np.array([*SPECIAL, *map(float, edges)]).astype(dtype)
    return np.concatenate([values, -values])


def same_kind(got, expected):
    """NaN where NaN is due, and the same infinities, zeros and signs."""
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    for peculiar in (np.isinf(expected), expected == 0):
        np.testing.assert_array_equal(got[peculiar], expected[peculiar])
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(expected[known]))


def expected_by_numpy(name, *xs):
    with np.errstate(all="ignore"):
        if name == "sech":  # which NumPy lacks
            return (1 / np.cosh(xs[0].astype(np.longdouble))).astype(xs[0].dtype)
        return getattr(np, name)(*xs)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", sorted((UNARY.keys() | PARTS.keys()) - {"erf", "erfc", "gammaln"}))
def test_special_values(name, type_):
    x = special_values(DTYPES[type_])
    got, expected = compiled(name, type_)(x), expected_by_numpy(name, x)
    same_kind(got, expected)
    if name in EXACT:
        np.testing.assert_array_equal(got, expected)
    else:
        finite = np.isfinite(expected)
        tolerance = 8 * np.finfo(x.dtype).eps
        np.testing.assert_allclose(got[finite], expected[finite], rtol=tolerance)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", sorted(BINARY))
def test_special_pairs(name, type_):
    values = special_values(DTYPES[type_])
    x, y = map(np.ravel, np.meshgrid(values, values))
    got, expected = compiled(name, type_)(x, y), expected_by_numpy(name, x, y)
    if name in {"fmax", "fmin", "maximum", "minimum"}:  # which of two zeros is left open
        np.testing.assert_array_equal(got, expected)
        return
    if name in {"logaddexp", "logaddexp2"}:  # a sum of terms that cancel has no exact zero
        tolerance = 4 * np.finfo(x.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
        return
    same_kind(got, expected)
    if name in EXACT:
        np.testing.assert_array_equal(got, expected)
    else:
        finite = np.isfinite(expected)
        tolerance = 8 * np.finfo(x.dtype).eps
        np.testing.assert_allclose(got[finite], expected[finite], rtol=tolerance)


@pytest.mark.parametrize("type_", TYPES)
def test_special_functions_of_scipy(type_):
    special = pytest.importorskip("scipy.special")
    x = special_values(DTYPES[type_])
    for name in ("erf", "erfc", "gammaln"):
        got, expected = compiled(name, type_)(x), getattr(special, name)(x)
        if name == "gammaln":  # at its poles SciPy has inf, and so has C
            np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        else:
            same_kind(got, expected)
        finite = np.isfinite(expected)
        eps = np.finfo(x.dtype).eps  # the absolute part is for SciPy's gammaln near 1
        np.testing.assert_allclose(got[finite], expected[finite], rtol=16 * eps, atol=2 * eps)


def vector_body(text):
    """The part of the optimised text in which the loop runs on vectors."""
    _, _, rest = text.partition("vector.body:")
    return re.split(r"\n\n", rest)[0]


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", sorted((UNARY.keys() | PARTS.keys() | BINARY.keys()) - CALLS))
def test_loops_run_on_vectors(name, type_):
    body = vector_body(compiled(name, type_).text)
    arithmetic = re.findall(rf"^.* = .*<\d+ x {type_}>.*$", body, re.MULTILINE)
    assert arithmetic
    scalar = [line for line in body.splitlines() if re.search(rf"(call|fadd|fmul) {type_} ", line)]
    assert scalar == []


def test_far_angles_among_near_ones():
    """Each lane of a vector takes its own path."""
    x = np.array([1.0, 1e300, -2.0, 3.0, -1e22, 2.0**41, math.inf, 0.5] * 3)
    got = compiled("sin", "double")(x)
    expected = np.sin(np.where(np.isinf(x), np.nan, x))
    np.testing.assert_allclose(got, expected, rtol=4e-16)
    alone = np.concatenate([compiled("sin", "double")(x[k : k + 1]) for k in range(x.size)])
    np.testing.assert_array_equal(got, alone)


def test_names():
    module = Module()
    assert function(module, "exp", "double") == "@qd.exp.f64"
    assert function(module, "exp", "float") == "@qd.exp.f32"
    text = str(module)
    assert function(module, "exp", "double") == "@qd.exp.f64"
    assert str(module) == text
    assert function(module, "no_such_function", "double") is None
    assert function(module, "exp", "i32") is None
    assert inlined(Code(module), "no_such_function", "double", ["%x"]) is None


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", ["cos", "exp", "exp2", "expm1", "log", "sin", "sinh", "tanh"])
def test_not_a_number_whatever_its_payload(name, type_):
    """Exponents are put together from low bits, which a payload may fill."""
    dtype = DTYPES[type_]
    whole = np.dtype(f"u{dtype.itemsize}")
    first = int(np.array(np.inf, dtype).view(whole))
    payloads = [1, 0x7A2, 0xFFF, 0x55555]
    xs = np.array([[first + k, first + k + (1 << 8 * dtype.itemsize - 1)] for k in payloads], whole)
    assert np.isnan(compiled(name, type_)(xs.ravel().view(dtype))).all()
