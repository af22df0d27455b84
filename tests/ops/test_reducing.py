"""Reductions against NumPy for every combination of arguments that it takes, and at their edges."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from checking import close, leaf
from ops.agreement import agree
from qiudao.core.errors import DetachError, DtypeError, RuleError, ShapeError
from qiudao.ops.reducing import logsumexp

rng = np.random.default_rng(3)


def quiet(f):
    """`f` without the warnings that NumPy gives at empty slices and where all is NaN."""

    def call(*xs):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return f(*xs)

    return call


def values(shape, kind, seed):
    """Values with zeros and ties ("grid"), or without ("free")."""
    draws = np.random.default_rng(seed)
    if kind == "grid":
        return draws.integers(-2, 3, shape).astype(float)
    if kind == "complex":
        return draws.normal(size=shape) + 1j * draws.normal(size=shape)
    return draws.normal(size=shape)


@st.composite
def calls(draw, smallest=0):
    """A shape, and arguments to reduce an array of it with."""
    shape = tuple(draw(st.lists(st.integers(smallest, 3), max_size=3)))
    ndim = len(shape)
    options = {}
    kind = draw(st.sampled_from(["none", "one", "some"]))
    if kind == "one" and ndim:
        options["axis"] = draw(st.integers(-ndim, ndim - 1))
    elif kind == "some":
        axes = draw(st.lists(st.integers(0, max(ndim - 1, 0)), unique=True, max_size=ndim))
        options["axis"] = tuple(k - ndim * draw(st.booleans()) for k in axes) if ndim else ()
    if draw(st.booleans()):
        options["keepdims"] = draw(st.booleans())
    return shape, options, draw(st.integers(0, 99))


def mask_for(shape, seed):
    """A mask that broadcasts to `shape`."""
    draws = np.random.default_rng(seed)
    return draws.random([n if draws.random() < 0.7 else 1 for n in shape]) < 0.6


@pytest.mark.parametrize("name", ["sum", "prod", "nansum", "nanprod"])
@given(calls(), st.sampled_from(["free", "grid", "complex"]), st.booleans(), st.booleans())
@settings(max_examples=25)
def test_sums_and_products(name, call, kind, masked, started):
    shape, options, seed = call
    if masked:
        options["where"] = mask_for(shape, seed)
    if started:
        options["initial"] = 2.5
    agree(lambda x: getattr(np, name)(x, **options), values(shape, kind, seed))


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "nanmax", "nanmin"])
@given(calls(), st.sampled_from(["free", "grid", "complex"]), st.booleans(), st.booleans())
@settings(max_examples=20)
def test_extremes(name, call, kind, masked, started):
    shape, options, seed = call
    if name.startswith("nan"):
        if kind == "complex":
            kind = "free"  # NumPy's fmax orders complex numbers in its own way
        if not shape:
            return  # NumPy takes numbers another way than arrays, and says NaN where none is kept
    x = values(shape, kind, seed)
    if masked:
        options["where"] = mask_for(shape, seed)
    if started or masked:
        options["initial"] = -0.5
    elif not x.size:
        with pytest.raises(ValueError, match="zero-size"):
            qd.vjp(lambda x: getattr(np, name)(x), x)
        return
    agree(quiet(lambda x: getattr(np, name)(x, **options)), x)


@pytest.mark.parametrize("name", ["mean", "var", "std", "nanmean", "nanvar", "nanstd"])
@given(calls(1), st.sampled_from(["free", "grid", "complex"]), st.booleans(), st.integers(0, 2))
@settings(max_examples=25)
def test_moments(name, call, kind, masked, ddof):
    shape, options, seed = call
    if masked:
        options["where"] = mask_for(shape, seed)
    if not name.endswith("mean") and ddof:
        options[["ddof", "correction"][ddof - 1]] = ddof
    f = quiet(lambda x: getattr(np, name)(x, **options))
    x = values(shape, kind, seed)
    expected = f(x)
    close(qd.vjp(f, x)[0], expected)
    if np.isfinite(expected).all():
        agree(f, x)


@pytest.mark.parametrize("name", ["ptp", "argmax", "argmin", "all", "any", "count_nonzero"])
@given(calls(1), st.booleans())
@settings(max_examples=20)
def test_other_reductions(name, call, masked):
    shape, options, seed = call
    if name.startswith("arg") and isinstance(options.get("axis"), tuple):
        options["axis"] = None
    if masked and name in ("all", "any"):
        options["where"] = mask_for(shape, seed)
    x = values(shape, "grid", seed)
    f = lambda x: getattr(np, name)(x, **options)
    if name == "ptp":
        agree(f, x)
        return
    found, expected = f(leaf(x)), f(x)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)
    many = np.stack([x, -x, x + 1])
    np.testing.assert_array_equal(qd.vmap(f)(many), np.stack([f(row) for row in many]))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_dtype(name, dtype):
    f = lambda x: getattr(np, name)(x, axis=0, dtype=dtype)
    agree(f, values((3, 2), "free", 1).astype("f4"), tolerance=1e-5)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "max", "median", "average"])
def test_single_precision_stays(name):
    x = values((3, 2), "free", 1).astype("f4")
    y, pull = qd.vjp(lambda x: getattr(np, name)(x), x)
    assert y.dtype == pull(np.float32(1))[0].dtype == np.float32
    assert qd.jvp(lambda x: getattr(np, name)(x), (x,), (x,))[1].dtype == np.float32


def test_half_precision_mean_does_not_overflow():
    x = np.full(5000, 100.0, np.float16)
    y, pull = qd.vjp(np.mean, x)
    assert y == 100.0
    assert y.dtype == pull(np.float16(1))[0].dtype == np.float16


@pytest.mark.parametrize("name", ["sum", "prod", "max", "any", "mean", "count_nonzero"])
def test_integers_and_booleans_under_vmap(name):
    f = lambda x: getattr(np, name)(x)
    for x in (
        rng.integers(-3, 3, (4, 3)),
        rng.integers(0, 9, (4, 3), dtype=np.int8),
        np.eye(3) > 0,
    ):
        found = qd.vmap(f)(x)
        wanted = np.stack([f(row) for row in x])
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["prod", "var", "std", "max", "mean"])
def test_to_second_order(name):
    assert qd.gradcheck(
        lambda x: getattr(np, name)(x, axis=-1) ** 2, rng.normal(size=(2, 3)), order=2
    )


# Edges


def others(x, *gone):
    """The product of the elements not in `gone`."""
    return math.prod(v for k, v in enumerate(x) if k not in gone)


@pytest.mark.parametrize("x", [[2.0, 3, 4], [0, 3, 4], [0, 0, 4], [0, 0, 0], [1e200, 1e-200, 0]])
def test_prod_at_zeros_to_third_order(x):
    x = np.array(x, float)
    first = [others(x, i) for i in range(3)]
    second = [[0 if i == j else others(x, i, j) for j in range(3)] for i in range(3)]
    third = [[[float(len({i, j, k}) == 3) for k in range(3)] for j in range(3)] for i in range(3)]
    for f in (np.prod, np.multiply.reduce, lambda x: np.cumprod(x)[-1]):
        close(qd.grad(f)(x), np.array(first))
        close(qd.hessian(f)(x), np.array(second))
        close(qd.jacfwd(qd.hessian(f))(x), np.array(third))
        close(qd.jacrev(qd.jacrev(qd.jacrev(f)))(x), np.array(third))


@pytest.mark.parametrize("f", [np.max, np.min, lambda x: np.sort(x)[-1], np.maximum.reduce])
def test_ties_share_equally(f):
    x = np.zeros(4)
    close(qd.grad(f)(x), np.full(4, 0.25))
    close(qd.jvp(f, (x,), (np.arange(4.0),))[1], np.array(1.5))
    close(qd.hessian(f)(x), np.zeros((4, 4)))
    grads = qd.vmap(qd.grad(f))(np.array([[1.0, 2, 2], [3, 1, 2]]))
    if f is np.max:
        close(grads, np.array([[0, 0.5, 0.5], [1, 0, 0]]))


def test_complex_numbers_below_all_others():
    """By their imaginary parts where the real ones are equal: the start of a maximum is below."""
    z = np.array([complex(-np.inf, -5), complex(-np.inf, -7)])
    start = complex(-np.inf, -9)
    found = np.max(qd.tensor(z), where=np.array([False, False]), initial=start)
    assert found.item() == start
    assert np.min(qd.tensor(-z), where=np.array([False, False]), initial=-start).item() == -start


def test_an_initial_value_ties_with_the_array_as_one_side():
    close(qd.grad(lambda x: np.max(x, initial=1.0))(np.array([1.0, 0.0])), np.array([0.5, 0.0]))
    close(qd.grad(lambda v: np.max(np.array([1.0, 0.0]) * v, initial=v))(1.0), np.array(1.0))


def test_infinite_ties():
    close(qd.grad(np.max)(np.array([np.inf, 1.0, np.inf])), np.array([0.5, 0, 0.5]))
    close(qd.grad(np.min)(np.full(2, np.inf)), np.full(2, 0.5))


def test_a_maximum_that_is_nan_has_no_derivative():
    x = np.array([1.0, np.nan, 2.0])
    assert np.isnan(qd.grad(np.max)(x)).all()
    assert np.isnan(qd.grad(lambda x: np.max(np.sin(x)))(x)).all()


def test_what_a_maximum_did_not_choose_contributes_nothing():
    f = lambda x: np.max(np.sqrt(x))
    close(qd.grad(f)(np.array([0.0, 4.0])), np.array([0.0, 0.25]))
    close(qd.vmap(qd.grad(f))(np.array([[0.0, 4.0], [4.0, 0.0]])), np.array([[0, 0.25], [0.25, 0]]))


@pytest.mark.parametrize("f", [np.std, np.nanstd, lambda x: np.std(x, ddof=1)])
def test_std_of_equal_elements(f):
    x = np.full(3, 7.0)
    close(qd.grad(f)(x), np.zeros(3))
    close(qd.hessian(f)(x), np.zeros((3, 3)))
    close(qd.vmap(qd.grad(f))(np.stack([x, x])), np.zeros((2, 3)))


def test_std_of_some_equal_rows():
    x = np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 5.0]])
    gradient = qd.grad(lambda x: np.std(x, axis=1).sum())(x)
    close(gradient[0], np.zeros(3))
    close(gradient[1], (x[1] - 2) / (3 * np.std(x[1])))


def test_var_of_complex_values_is_real():
    x = values((4,), "complex", 2)
    y, pull = qd.vjp(np.var, x)
    assert y.dtype == np.float64
    close(pull(np.float64(1))[0], 2 * (x - x.mean()) / 4)


def test_var_with_its_mean_given():
    x = rng.normal(size=(3, 4))
    f = lambda x: np.var(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)).sum()
    close(qd.hessian(f)(x), qd.hessian(lambda x: np.var(x, axis=1).sum())(x))
    with pytest.raises(ValueError, match="ddof and correction are two names"):
        np.var(leaf(x), ddof=1, correction=1)


@given(calls(1), st.booleans(), st.booleans())
@settings(max_examples=20)
def test_average(call, full, returned):
    shape, options, seed = call
    x = values(shape, "free", seed)
    axis = options.get("axis")
    if full or axis is None:
        w = np.abs(values(shape, "free", seed + 1)) + 0.1
    else:
        axes = axis if isinstance(axis, tuple) else (axis,)
        w = np.abs(values(tuple(shape[k] for k in axes), "free", seed + 1)) + 0.1
    if not returned:
        agree(lambda x, w: np.average(x, weights=w, **options), x, w)
    for k in (0, 1):
        f = lambda x, w, k=k: np.average(x, weights=w, returned=True, **options)[k]
        y, _ = qd.vjp(f, x, w)
        close(y, f(x, w))


def test_average_refuses_what_numpy_refuses():
    x = leaf(rng.normal(size=(2, 3)))
    with pytest.raises(ZeroDivisionError, match="average: the weights sum to zero"):
        np.average(x, weights=np.zeros((2, 3)))
    with pytest.raises(TypeError, match="need axis="):
        np.average(x, weights=np.ones(3))
    with pytest.raises(ValueError, match="do not fit axis 0"):
        np.average(x, axis=0, weights=np.ones(3))


# NaN


def test_nan_is_passed_over():
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    for name in (
        "nansum",
        "nanprod",
        "nanmean",
        "nanvar",
        "nanstd",
        "nanmax",
        "nanmin",
        "nanmedian",
    ):
        f = quiet(lambda x, name=name: getattr(np, name)(x, axis=1))
        y, pull = qd.vjp(f, x)
        close(y, f(x))
        gradient = pull(np.array([1.0, 1.0]))[0]
        assert np.isfinite(gradient).all()
        close(gradient[1], np.zeros(3))
        close(
            gradient[0, [0, 2]],
            qd.grad(lambda r, name=name: getattr(np, name[3:])(r))(x[0, [0, 2]]),
        )


def test_nan_searches():
    x = np.array([[1.0, np.nan, 3.0], [np.nan, 5.0, 2.0]])
    np.testing.assert_array_equal(np.nanargmax(leaf(x), axis=1), [2, 1])
    np.testing.assert_array_equal(qd.vmap(np.nanargmin)(x), [0, 2])
    with pytest.raises(ValueError, match="nanargmax: all elements of a slice are NaN"):
        np.nanargmax(leaf(np.full(2, np.nan)))
    with pytest.raises(ValueError, match="nanargmin: all elements of a slice are NaN"):
        qd.vmap(np.nanargmin)(np.array([[1.0, 2.0], [np.nan, np.nan]]))


# log sum exp


def exact(a, b):
    """Log |sum b e^a| in fifty digits."""
    with mpmath.workdps(50):
        return float(mpmath.log(abs(mpmath.fsum(w * mpmath.exp(v) for v, w in zip(a, b)))))


@pytest.mark.parametrize(
    "a", [[0.0, -40.0], [1e4, 1e4 + 1], [-800.0, -801], [3.0], [5e-9, -745.0, -700.0]]
)
@pytest.mark.parametrize("sign", [1.0, -0.5])
def test_logsumexp_is_accurate(a, sign):
    a = np.array(a)
    b = np.append(1.0, np.full(a.size - 1, sign))
    found, signs = logsumexp(a, b=b, return_sign=True)
    np.testing.assert_allclose(found, exact(a, b), rtol=4e-16)
    weights = b * np.exp(a - found) * signs
    gradient = qd.grad(lambda a: logsumexp(a, b=b, return_sign=True)[0])(a)
    np.testing.assert_allclose(gradient, weights, rtol=1e-11)


@given(calls(1), st.booleans())
@settings(max_examples=20)
def test_logsumexp_against_scipy(call, weighed):
    special = pytest.importorskip("scipy.special")
    shape, options, seed = call
    if options.get("axis") == () or shape == ():
        return
    a, b = values(shape, "grid", seed), values(shape, "free", seed)
    b = b if weighed else None
    found = logsumexp(leaf(a), b=b, return_sign=True, **options)
    wanted = special.logsumexp(a, b=b, return_sign=True, **options)
    for one, other in zip(found, wanted, strict=True):
        close(one, other)
    close(logsumexp(leaf(a), b=b, **options), special.logsumexp(a, b=b, **options))
    if not weighed:
        agree(lambda a: logsumexp(a, **options), a)


def test_logsumexp_in_its_weights():
    a, b = rng.normal(size=(2, 3)), rng.uniform(0.5, 2, size=(2, 3))
    assert qd.gradcheck(lambda a, b: logsumexp(a, 1, b), a, b, order=2)
    close(qd.grad(lambda b: logsumexp(a, b=b))(b), np.exp(a) / np.sum(b * np.exp(a)))
    zero = qd.grad(lambda a, b: logsumexp(a, b=b), argnums=(0, 1))(
        np.array([1.0, 900]), np.array([1.0, 0])
    )
    close(zero[0], np.array([1.0, 0.0]))


def test_logsumexp_of_infinities_shares_among_the_largest():
    close(qd.grad(logsumexp)(np.full(4, -np.inf)), np.full(4, 0.25))
    close(qd.hessian(logsumexp)(np.full(2, -np.inf)), np.array([[0.25, -0.25], [-0.25, 0.25]]))
    close(qd.grad(logsumexp)(np.array([-np.inf, 0.0, 0.0])), np.array([0, 0.5, 0.5]))
    close(qd.grad(logsumexp)(np.array([np.inf, 0.0, np.inf])), np.array([0.5, 0, 0.5]))
    assert np.isnan(qd.grad(logsumexp)(np.array([np.nan, 0.0]))).all()
    close(qd.vmap(qd.grad(logsumexp))(np.full((2, 2), -np.inf)), np.full((2, 2), 0.5))


def test_logsumexp_of_a_negative_sum():
    assert np.isnan(logsumexp(np.zeros(2), b=np.array([1.0, -2.0])))
    found, sign = logsumexp(np.zeros(2), b=np.array([1.0, -2.0]), return_sign=True)
    assert (found, sign) == (0.0, -1.0)
    with pytest.raises(RuleError, match="the sign of a complex sum"):
        logsumexp(np.zeros(2) + 1j, return_sign=True)


# The ufuncs' own spelling


UFUNCS = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.logaddexp2]


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
@pytest.mark.parametrize(
    "options",
    [{}, {"axis": None}, {"axis": (0, -1), "keepdims": True}, {"axis": 1, "initial": 0.5}],
)
def test_ufunc_reduce(ufunc, options):
    agree(lambda x: ufunc.reduce(x, **options), values((2, 3), "free", 5))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.logaddexp], ids=lambda u: u.__name__)
def test_ufunc_reduce_where(ufunc):
    where = np.array([[True, False, True], [False, True, True]])
    agree(lambda x: ufunc.reduce(x, axis=1, where=where), values((2, 3), "free", 5))


@pytest.mark.parametrize("ufunc", [np.logical_and, np.logical_or, np.logical_xor])
def test_logical_reduce(ufunc):
    x = values((4, 3), "grid", 1)
    np.testing.assert_array_equal(ufunc.reduce(leaf(x), axis=1), ufunc.reduce(x, axis=1))
    np.testing.assert_array_equal(qd.vmap(ufunc.reduce)(x), ufunc.reduce(x, axis=1))


# What cannot be honoured


def test_out_takes_a_tensor():
    x = leaf(np.array([1.0, 2.0]))
    out = np.zeros_like(x, shape=())
    assert np.sum(x, out=out) is out
    assert qd.grad(out, x) is not None
    with pytest.raises(DetachError, match="sum: out= is a plain NumPy array"):
        np.sum(x, out=np.zeros(()))


def test_refusals():
    x = leaf(np.ones((2, 2)))
    with pytest.raises(ValueError, match="max: where= may leave nothing to choose from"):
        np.max(x, where=np.eye(2) > 0)
    with pytest.raises(DtypeError, match="sum: where= must be booleans"):
        np.sum(x, where=np.ones((2, 2)))
    with pytest.raises(DtypeError, match="cannot become int64"):
        np.sum(x, dtype=int)
    with pytest.raises(ShapeError, match="names an axis twice"):
        np.sum(x, axis=(0, -2))
    with pytest.raises(np.exceptions.AxisError, match="sum: axis 2 is out of bounds"):
        np.sum(x, axis=2)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
@pytest.mark.parametrize("initial", [-1, 2**70])
def test_an_initial_integer_must_fit(name, initial):
    small = np.array([1, 2], np.uint8)
    f = getattr(np, name)
    for x in (small, qd.tensor(small)):
        with pytest.raises(OverflowError, match=r"out of bounds|too large"):
            f(x, initial=initial)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.max(x, axis=1),
        lambda x: np.min(x),
        lambda x: np.ptp(x, axis=(0, 1)),
        lambda x: np.maximum.reduce(x, axis=-1),
        lambda x: np.nanmin(x, axis=1),
    ],
)
def test_of_no_elements_none_is_the_largest_in_compiled_code_too(f):
    x = np.zeros((2, 0))
    for call in (f, qd.jit(f), lambda x: f(leaf(x)), qd.grad(lambda x: np.sum(f(x)))):
        with pytest.raises(ValueError, match=r"no identity|has no elements along the axes .*give"):
            call(x)
    largest = lambda x: np.max(x, axis=0)
    assert qd.jit(largest)(x).shape == largest(x).shape == (0,)


@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero")
@pytest.mark.parametrize("name", ["nanvar", "nanstd"])
def test_integers_are_never_nan(name):
    x = np.arange(4)
    f = getattr(np, name)
    for ddof in (1, 4, 9):
        expected = f(x, ddof=ddof)
        np.testing.assert_array_equal(f(qd.tensor(x), ddof=ddof).numpy(), expected)


# Covariances


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rowvar": False},
        {"bias": True},
        {"ddof": 0},
        {"fweights": np.array([1, 2, 0, 1])},
        {"aweights": np.array([0.5, 1.0, 2.0, 1.0])},
        {"fweights": np.array([1, 2, 1, 1]), "aweights": np.array([0.5, 1.0, 2.0, 1.0])},
    ],
    ids=str,
)
def test_covariances(options):
    shape = (4, 3) if options.get("rowvar") is False else (3, 4)
    x = values(shape, "free", 1)
    agree(lambda x: np.cov(x, **options), x)
    agree(lambda x: np.cov(x, **options), values(shape, "complex", 1))
    agree(lambda x, y: np.cov(x, y, **options), x, x**2)
    assert qd.gradcheck(lambda x: np.cov(x, **options), x, order=2)
    if "aweights" in options:
        w = options["aweights"]
        f = lambda x, w: np.cov(x, **{**options, "aweights": w})
        agree(f, x, w, batched=False)


@pytest.mark.parametrize("given", [np.float16, np.float32, np.int8])
@pytest.mark.parametrize("dtype", [None, np.float32, np.longdouble])
@pytest.mark.parametrize("f", [np.cov, np.corrcoef])
def test_covariances_are_computed_in_double_precision(f, given, dtype):
    x = (values((3, 4), "free", 1) * 9).astype(given)
    found, expected = f(qd.tensor(x), dtype=dtype).numpy(), f(x, dtype=dtype)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=20 * np.finfo(expected.dtype).eps)


@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero", "ignore:invalid")
@pytest.mark.parametrize("ddof", [3, 4, 7])
def test_covariances_without_degrees_of_freedom_are_numpys(ddof):
    x, w = values((2, 3), "free", 1), np.array([1.0, 2.0, 1.0])
    found = np.cov(leaf(x), ddof=ddof).detach().numpy()
    np.testing.assert_array_equal(found, np.cov(x, ddof=ddof))
    (found,) = qd.vmap(lambda w: np.cov(x, aweights=w, ddof=ddof))(w[None])
    np.testing.assert_array_equal(found, np.cov(x, aweights=w, ddof=ddof))


NOTHING_LEFT = {
    "var": lambda x: np.var(x, ddof=3),
    "var of more": lambda x: np.var(x, ddof=7),
    "var of selected": lambda x: np.var(x, ddof=2, where=SELECTED),
    "var with its mean": lambda x: np.var(x, ddof=2, where=SELECTED, mean=np.full(1, 2.0)),
    "std of selected": lambda x: np.std(x, ddof=2, where=SELECTED),
    "std of one": lambda x: np.std(x, ddof=1, where=np.array([True, False, False])),
    "var of one": lambda x: np.var(x, ddof=1, where=np.array([True, False, False])),
    "nanvar": lambda x: np.nanvar(x, ddof=3),
    "nanvar of selected": lambda x: np.nanvar(x, ddof=4, where=SELECTED),
    "nanstd": lambda x: np.nanstd(x, ddof=3),
    "cov": lambda x: np.cov(x, ddof=3),
    "cov of one": lambda x: np.cov(x[:1]),
    "cov with weights": lambda x: np.cov(x, aweights=np.array([1.0, 0.0, 0.0])),
    "cov with counts": lambda x: np.cov(x, fweights=np.array([1, 0, 0])),
    "corrcoef": lambda x: np.corrcoef(x[:1]),
}
SELECTED = np.array([True, True, False])


@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:divide by zero", "ignore:invalid")
@pytest.mark.parametrize("f", NOTHING_LEFT.values(), ids=NOTHING_LEFT)
def test_no_degrees_of_freedom_leave_no_derivative_in_any_mode(f):
    """NaN for what is read, 0 for what is not; and the value is NumPy's."""
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(f(leaf(x)).detach(), f(x))
    reverse = qd.grad(f)(x)
    assert np.isnan(reverse[0])
    assert set(reverse[~np.isnan(reverse)]) <= {0.0}
    np.testing.assert_array_equal(qd.jacfwd(f)(x), reverse)
    np.testing.assert_array_equal(qd.vmap(qd.grad(f))(np.stack([x, x])), [reverse, reverse])
    np.testing.assert_array_equal(qd.jit(qd.grad(f))(x), reverse)
    assert np.isnan(qd.jet(f, (x,), ([np.ones(3)],))[1][0])


@pytest.mark.filterwarnings("ignore:invalid", "ignore:divide by zero")
def test_a_row_without_degrees_of_freedom_leaves_the_others_theirs():
    x = values((3, 2), "free", 1)
    mask = np.array([[True, True], [False, True], [False, True]])
    for f in (
        lambda x: np.sum(np.var(x, axis=0, ddof=1, where=mask)),
        lambda x: np.sum(np.var(x, axis=0, ddof=1, where=mask, keepdims=True)),
    ):
        for found in (qd.grad(f)(x), qd.jacfwd(f)(x)):
            np.testing.assert_array_equal(found[:, 0], [np.nan, 0.0, 0.0])
            np.testing.assert_allclose(found[:, 1], x[:, 1] - np.mean(x[:, 1]), rtol=1e-12)


def test_covariances_without_degrees_of_freedom_warn():
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"):
        np.cov(leaf(np.ones(3)), ddof=3)


def test_correlations():
    x = values((3, 5), "free", 4)
    agree(np.corrcoef, x)
    agree(lambda x: np.corrcoef(x, rowvar=False), x)
    agree(np.corrcoef, values((3, 5), "complex", 4))
    agree(np.corrcoef, x[0])
    agree(lambda x: np.corrcoef(x[0], x[1])[0, 1], x)
    with pytest.raises(ShapeError, match="cov: an array of 3 axes"):
        np.cov(leaf(np.ones((1, 1, 1))))
