"""Random programs: what is compiled against what NumPy computes, in every mode."""

import numpy as np
import pytest
from hypothesis import given, settings

import qiudao as qd
from qiudao.core.program import check
from test_programs import directions, gradients, programs, weighed

pytest.importorskip("llvmlite")

EDGES = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -0.5, 5e-324, 1e308, -1e308, 1e-200]
)
SINGLE = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -0.5, 1e-45, 3e38, -3e38, 1e-30],
    np.float32,
)


def agree(got, want, tolerance=1e-9):
    """Hold that arrays have one type and, relative to the largest, the same numbers."""
    got, want = np.asarray(got), np.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    finite = np.abs(want[np.isfinite(want)])
    atol = tolerance * (1 + np.max(finite, initial=0))
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=atol)


def agree_all(got, want, tolerance=1e-9):
    for g, w in zip(got, want, strict=True):
        agree(g, w, tolerance)


def each(count):
    return lambda test: settings(max_examples=count)(given(programs)(test))


def selects(program):
    """Whether a mask selects, and so the values decide the shapes."""
    return any("> 0]" in line for line in program.lines)


@each(25)
def test_values_gradients_and_tangents(program):
    xs, loss, dxs = program.inputs, weighed(program), directions(program)

    def everything(*z):
        return [program(*z), *gradients(loss, z), *qd.jvp(loss, z, dxs)]

    if selects(program):
        return
    jitted = qd.jit(everything)
    agree_all(jitted(*xs), everything(*xs))
    agree_all(jitted(*(np.array(x, order="F") for x in xs)), everything(*xs))


@each(12)
def test_derivatives_of_compiled_functions(program):
    xs, loss, dxs = program.inputs, weighed(program), directions(program)
    if selects(program):
        return
    jitted = qd.jit(loss)
    agree_all(gradients(jitted, xs), gradients(loss, xs))
    agree_all(qd.jvp(jitted, xs, dxs), qd.jvp(loss, xs, dxs))
    pushed = qd.jvp(lambda *z: gradients(jitted, z), xs, dxs)[1]
    agree_all(pushed, qd.jvp(lambda *z: gradients(loss, z), xs, dxs)[1], 1e-8)


@each(12)
def test_batches(program):
    xs, loss = program.inputs, weighed(program)
    if selects(program):
        return
    stacked = tuple(np.stack([x, 1.05 * x, 0.9 * x]) for x in xs)
    want = qd.vmap(program)(*stacked)
    agree(qd.vmap(qd.jit(program))(*stacked), want)
    agree(qd.jit(qd.vmap(program))(*stacked), want)

    def slopes(*z):
        return gradients(loss, z)

    agree_all(qd.jit(qd.vmap(slopes))(*stacked), qd.vmap(slopes)(*stacked))


@each(12)
def test_tensors_in_compiled_functions(program):
    xs, loss = program.inputs, weighed(program)
    if selects(program):
        return
    leaves = [qd.tensor(x, requires_grad=True) for x in xs]
    qd.jit(loss)(*leaves).backward()
    got = [t.grad.numpy() for t in leaves]
    agree_all(got, [np.asarray(g) for g in gradients(loss, xs)])


@each(12)
def test_single_precision(program):
    single = np.complex64 if np.iscomplexobj(program.inputs[0]) else np.float32
    xs = tuple(x.astype(single) for x in program.inputs)
    got, want = np.asarray(qd.jit(program)(*xs)), np.asarray(program(*xs))
    assert got.dtype == want.dtype
    agree(got, want, 1e-3)  # the steps of a program amplify rounding


@each(20)
def test_every_pass_keeps_to_the_grammar(program):
    if selects(program):
        return
    lowered = qd.jit(program).lower(*program.inputs)
    for _, made in lowered.passes:
        check(made)
    check(lowered.optimised)


# Numbers at the edge of what they can be

UNARY = [
    "sin", "cos", "tan", "exp", "expm1", "log", "log1p", "log2", "log10", "exp2", "sqrt", "cbrt",
    "square", "absolute", "sign", "floor", "ceil", "trunc", "rint", "tanh", "sinh", "cosh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "negative", "reciprocal",
    "isnan", "isinf", "isfinite", "signbit", "deg2rad", "rad2deg", "logical_not", "nan_to_num",
    "sinc", "positive", "fix", "fabs", "conjugate",
]  # fmt: skip
BINARY = [
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "fmax", "fmin", "power",
    "arctan2", "hypot", "logaddexp", "logaddexp2", "fmod", "remainder", "floor_divide",
    "copysign", "heaviside", "greater", "greater_equal", "less", "less_equal", "equal",
    "not_equal", "logical_and", "logical_or", "logical_xor", "nextafter",
]  # fmt: skip
REDUCTIONS = [
    "sum", "prod", "max", "min", "cumsum", "cumprod", "sort", "argsort", "mean", "var", "nanmax",
    "nansum", "any", "all", "argmax", "argmin", "median", "count_nonzero", "ptp", "diff",
]  # fmt: skip
OF_INTEGERS = [
    "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "gcd", "lcm",
]  # fmt: skip
TIED = {"maximum", "minimum", "fmax", "fmin", "max", "min", "nanmax", "sort", "median"}


def defined(names, *xs):
    """The functions among them that NumPy has for these operands, with their values."""
    found = {}
    for name in names:
        try:
            value = getattr(np, name)(*xs)
        except (TypeError, ValueError):  # negative powers of integers are refused
            continue
        if np.result_type(value) != np.float16:  # which machine code leaves to NumPy
            found[name] = value
    return found


def hold(name, got, want):
    """Equal in type, NaN-ness, infinities and signs of zero, and otherwise within 4 ulp."""
    got, want = np.asarray(got), np.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape), name
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, name)
        return
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(want.dtype).eps, err_msg=name)
    signed = np.isinf(want) if name in TIED else np.isinf(want) | (want == 0)
    # which of -0 and 0 is the larger NumPy leaves to the processor
    np.testing.assert_array_equal(np.signbit(got[signed]), np.signbit(want[signed]), name)


def compiled(names, *xs):
    return qd.jit(lambda *z: [getattr(np, name)(*z) for name in names])(*xs)


def pairs(x):
    return [m.ravel().copy() for m in np.meshgrid(x, x)]


def integers(dtype):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    points = {0, 1, 2, 3, 5, 7, 100, most, most - 1, least, least + 1}
    return np.array(list(points), dtype)  # each once: how ties are sorted NumPy leaves open


POINTS = {
    "float64": EDGES,
    "float32": SINGLE,
    "bool": np.array([True, False, True]),
    **{name: integers(name) for name in
       ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")},
}  # fmt: skip


@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edges_of_one_operand(dtype):
    x = POINTS[dtype]
    want = defined([*UNARY, *REDUCTIONS, "invert"], x)
    for (name, value), got in zip(want.items(), compiled(want, x), strict=True):
        hold(name, got, value)


@pytest.mark.parametrize("dtype", POINTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edges_of_two_operands(dtype):
    xs = pairs(POINTS[dtype])
    want = defined([*BINARY, *OF_INTEGERS], *xs)
    for (name, value), got in zip(want.items(), compiled(want, *xs), strict=True):
        hold(name, got, value)


@pytest.mark.parametrize("dtype", "?bBhHil")
@pytest.mark.parametrize("deg", [False, True])
def test_angles_of_integers_have_the_dtype_of_numpy(dtype, deg):
    x = np.arange(3).astype(dtype)
    hold("angle", qd.jit(lambda x: np.angle(x, deg=deg))(x), np.angle(x, deg=deg))


@pytest.mark.parametrize("dtype", "?bBhHil")
@pytest.mark.parametrize("name", ["arctan2", "hypot", "copysign", "power", "add", "equal"])
def test_python_integers_widen_nothing(name, dtype):
    x = np.arange(3).astype(dtype)
    f = getattr(np, name)
    hold(name, qd.jit(lambda x: f(1, x))(x), f(1, x))


@pytest.mark.parametrize("source", ["float64", "float32"])
@pytest.mark.parametrize("target", ["int64", "int32", "int8", "uint8", "bool"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_floats_become_integers(source, target):
    x = np.array([0.0, -0.0, 1.0, -3.7, 100.9, -0.2], source)
    x = np.abs(x) if target == "uint8" else x
    got = qd.jit(lambda x: qd.stop_gradient(x).astype(target))(x)
    hold("astype", got, x.astype(target))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_edges_of_complex_numbers(name):
    x = np.array([1 + 2j, 0j, complex(-0.0, -0.0), complex(np.inf, -1), complex(np.nan, 1), 3 - 4j])
    xs = pairs(x)
    got, want = compiled([name], *xs)[0], getattr(np, name)(*xs)
    for part in (np.real, np.imag):
        np.testing.assert_allclose(part(got), part(want), rtol=1e-15)


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 5, 1 / 3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers(exponent):
    hold("power", qd.jit(lambda x: x**exponent)(EDGES), EDGES**exponent)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_whole_powers_of_integers_overflow_as_in_numpy():
    x = np.array([0, 1, -1, 3, -7, 2**40])
    got = qd.jit(lambda x: [x**k for k in range(5)])(x)
    for k in range(5):
        hold(f"power {k}", got[k], x**k)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", ["sqrt", "exp", "log", "square"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_gradient_where_nan_and_infinity_are_masked(name, dtype):
    def loss(x):
        return np.sum(np.where(np.isfinite(x), getattr(np, name)(x), 0.0) + np.maximum(x, 0.5))

    x = np.array([np.nan, np.inf, -np.inf, 2.0, 0.25], dtype)
    agree(qd.jit(qd.grad(loss))(x), qd.grad(loss)(x), 1e-6)
    agree(qd.grad(qd.jit(loss))(x), qd.grad(loss)(x), 1e-6)


def test_the_gradient_of_squares_of_data_that_is_missing():
    x = np.array([np.nan, 1.0, 2.0])

    def loss(m):
        return np.sum(np.where(np.isnan(x), 0.0, (x - m) ** 2))

    agree(qd.grad(qd.jit(loss))(0.5), qd.grad(loss)(0.5))


@pytest.mark.parametrize(
    "a",
    [
        np.array([[2.0, 1.0], [0.5, 3.0]]),
        np.array([[1.0, 2.0], [2.0, 4.0]]),
        np.zeros((3, 3)),
        np.stack([np.eye(2), np.ones((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])]),
    ],
)
def test_the_gradient_of_the_logarithm_of_a_determinant_is_machine_code(a):
    """Infinite where the matrix is singular, as Python finds it."""
    slope = qd.grad(lambda a: np.sum(np.linalg.slogdet(a)[1]))
    jitted = qd.jit(slope)
    assert not jitted.lower(a).fallbacks
    with np.errstate(all="ignore"):
        wanted = slope(a)
    np.testing.assert_allclose(jitted(a), wanted, rtol=1e-12)


@pytest.mark.parametrize("index", [slice(0, 0), [0, 0], [0, 0, 0], slice(None)], ids=str)
@pytest.mark.parametrize("n", [1, 3])
def test_what_is_written_has_the_shape_of_the_array_and_is_stretched(index, n):
    """Its cotangent has the shape of the region, and must have its own."""

    def row(x):
        v = np.reshape(x, (1, -1))
        v[index] = v
        return np.sum(v * np.arange(1.0, n + 1))

    def copied(x):
        v = x.copy()
        v[index] = v[:1] if n > 1 else v
        return np.sum(v * np.arange(1.0, n + 1))

    for f in (row, copied):
        agree(qd.jit(qd.grad(f))(np.ones(n)), qd.grad(f)(np.ones(n)))


def summed(x):
    total = 0.0 * x
    for _ in range(12):
        total += x + np.arange(3.0)
        x = np.tanh(x)
    return total


def set_in_rows(x):
    rows = np.zeros((16, 2)) + 0.0 * np.sum(x)
    for i in range(16):
        nothing = np.mean(x, axis=0)
        nothing -= nothing
        rows[i] = np.arange(2.0)
    return rows


@pytest.mark.parametrize("f", [summed, set_in_rows])
def test_steps_of_a_loop_that_use_a_constant_array(f):
    x = np.linspace(-1.0, 1.0, 3)
    agree(qd.jit(f)(x), f(x))
    agree(qd.jit(qd.grad(lambda x: np.sum(f(x))))(x), qd.grad(lambda x: np.sum(f(x)))(x))
