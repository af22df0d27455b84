"""Sorting, ranks, quantiles, searching and counting against NumPy, and at ties."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qiudao as qd
from checking import close, leaf
from ops.agreement import agree
from qiudao.core.errors import DetachError, RuleError, ShapeError
from qiudao.ops.quantiles import PARAMETERS, RANKS

rng = np.random.default_rng(5)


def numbers(shape, seed=0, ties=False):
    draws = np.random.default_rng(seed)
    return draws.integers(-2, 3, shape).astype(float) if ties else draws.normal(size=shape)


@st.composite
def arrays(draw, smallest=0):
    """An array, with ties or without, and an axis of it (or None)."""
    shape = tuple(draw(st.lists(st.integers(smallest, 4), min_size=1, max_size=3)))
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    return numbers(shape, draw(st.integers(0, 99)), draw(st.booleans())), axis


# Sorting


@given(arrays())
@settings(max_examples=40)
def test_sort(call):
    x, axis = call
    agree(lambda x: np.sort(x, axis), x)


@given(arrays(1), st.data())
@settings(max_examples=40)
def test_partition(call, data):
    x, axis = call
    n = x.size if axis is None else x.shape[axis]
    kth = data.draw(st.one_of(st.integers(-n, n - 1), st.lists(st.integers(0, n - 1), min_size=1)))
    agree(lambda x: np.partition(x, kth, axis), x)


@pytest.mark.parametrize("name", ["sort", "partition"])
def test_complex_and_single_precision(name):
    f = lambda x: getattr(np, name)(x, *([2] if name == "partition" else []))
    agree(f, numbers((4, 3)) + 1j * numbers((4, 3), 1))
    agree(f, numbers((4, 3)).astype("f4"), tolerance=1e-6)


SORTS = {
    "sort": np.sort,
    "partition": lambda x: np.sort(np.partition(x, 2)),
    "partitioned": lambda x: np.partition(x, [0, 1, 2, 3]),
    "in place": lambda x: sorted_in_place(x),
}


def sorted_in_place(x):
    y = np.copy(x)
    y[:] = np.sort(y)
    return y


@pytest.mark.parametrize("f", SORTS.values(), ids=SORTS)
def test_tied_elements_share(f):
    x = np.array([2.0, 1.0, 2.0, 1.0])
    want = np.array([[0, 0.5, 0, 0.5], [0, 0.5, 0, 0.5], [0.5, 0, 0.5, 0], [0.5, 0, 0.5, 0]])
    for jacobian in (qd.jacfwd, qd.jacrev):
        close(jacobian(f)(x), want)
        close(jacobian(qd.jacrev(f))(x), np.zeros((4, 4, 4)))
    y = np.array([0.0, 3.0, 1.0, 2.0])
    close(qd.vmap(qd.jacrev(f))(np.stack([x, y])), np.stack([want, np.eye(4)[np.argsort(y)]]))


def test_the_derivative_of_a_tie_is_the_central_difference():
    x, d, h = np.array([1.0, 1, 1, 0]), rng.normal(size=4), 1e-7
    want = (np.sort(x + h * d) - np.sort(x - h * d)) / (2 * h)
    found = qd.jvp(lambda x: np.sum(np.sort(x) * np.array([1.0, 2, 2, 2])), (x,), (d,))[1]
    np.testing.assert_allclose(found, want @ np.array([1.0, 2, 2, 2]), rtol=1e-6)


def test_sorting_a_sum_of_squares_to_third_order():
    x = numbers((5,), 3)
    f = lambda x: np.sum(np.sort(x) ** 3 * np.arange(5.0))
    rank = np.argsort(np.argsort(x)).astype(float)
    close(qd.hessian(f)(x), np.diag(6 * x * rank))
    close(qd.jacfwd(qd.hessian(f))(x)[1, 1, 1], 6 * rank[1])


def test_nan_sorts_last():
    x = np.array([np.nan, 2.0, 1.0])
    y, pull = qd.vjp(np.sort, x)
    np.testing.assert_array_equal(y, [1, 2, np.nan])
    np.testing.assert_array_equal(pull(np.array([1.0, 2, 3]))[0], [3, 2, 1])


def test_indices_that_sort():
    x = numbers((3, 4), ties=True)
    for f in (
        lambda x: np.argsort(x, kind="stable"),
        lambda x: np.argsort(x, axis=0, kind="stable"),
        lambda x: np.argsort(x, axis=None, stable=True),
        lambda x: np.lexsort((x, -x)),
        lambda x: np.lexsort((x, x[::-1]), axis=0),
    ):
        np.testing.assert_array_equal(f(leaf(x)), f(x))
        many = np.stack([x, -x])
        np.testing.assert_array_equal(qd.vmap(f)(many), np.stack([f(row) for row in many]))
    found = np.argpartition(leaf(x), 1, axis=0)
    np.testing.assert_array_equal(np.take_along_axis(x, found, 0)[1], np.sort(x, 0)[1])


def test_sort_complex():
    agree(np.sort_complex, numbers((4,)))


def test_sorting_refuses():
    x = leaf(np.ones(3))
    with pytest.raises(RuleError, match="sort: order= names fields"):
        np.sort(x, order="a")
    with pytest.raises(ValueError, match="partition: kth=3 is out of bounds"):
        np.partition(x, 3)


# Searching


@given(st.integers(0, 5), st.sampled_from(["left", "right"]), st.integers(0, 99))
@settings(max_examples=40)
def test_searchsorted(n, side, seed):
    draws = np.random.default_rng(seed)
    a = np.sort(draws.integers(0, 4, (3, n)).astype(float), axis=-1)
    v = draws.integers(-1, 5, (3, 2, 2)).astype(float)
    f = lambda a, v: np.searchsorted(a, v, side)
    np.testing.assert_array_equal(f(leaf(a[0]), leaf(v[0])), f(a[0], v[0]))
    np.testing.assert_array_equal(qd.vmap(f)(a, v), np.stack([f(p, q) for p, q in zip(a, v)]))
    np.testing.assert_array_equal(qd.vmap(f, (0, None))(a, v[0]), np.stack([f(p, v[0]) for p in a]))
    np.testing.assert_array_equal(qd.vmap(f, (None, 0))(a[0], v), np.stack([f(a[0], q) for q in v]))


def test_searchsorted_with_a_sorter():
    a = np.array([3.0, 1.0, 2.0])
    assert np.searchsorted(leaf(a), 2.5, sorter=np.argsort(a)) == 2
    with pytest.raises(ValueError, match="side='middle'"):
        np.searchsorted(leaf(a), 2.5, side="middle")


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("bins", [[0.0, 1, 2], [2.0, 1, 0], [0.0, 1, 1, 2], [1.0]])
def test_digitize(right, bins):
    x = np.array([[-1.0, 0, 0.5], [1, 2, 3]])
    bins = np.array(bins)
    f = lambda x, b: np.digitize(x, b, right)
    np.testing.assert_array_equal(f(leaf(x), bins), f(x, bins))
    np.testing.assert_array_equal(qd.vmap(f, (0, None))(x, bins), f(x, bins))
    many = np.stack([bins, bins + 1])
    np.testing.assert_array_equal(qd.vmap(f)(x, many), np.stack([f(*p) for p in zip(x, many)]))
    with pytest.raises(ValueError, match="digitize: bins must be a vector that only rises"):
        np.digitize(leaf(x), np.array([0.0, 2, 1]))


# Quantiles

METHODS = [*RANKS, *PARAMETERS]


@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile", "nanpercentile"])
@given(
    arrays(1), st.sampled_from(METHODS), st.sampled_from([0.3, 0, 1, [0.0, 0.25, 1.0]]), st.data()
)
@settings(max_examples=30)
def test_quantiles(name, call, method, q, data):
    x, axis = call
    keepdims = data.draw(st.booleans())
    q = np.array(q) if isinstance(q, list) else q
    q = q * 100 if name.endswith("percentile") else q
    agree(lambda x: getattr(np, name)(x, q, axis, method=method, keepdims=keepdims), x)


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@given(arrays(1), st.booleans())
@settings(max_examples=40)
def test_medians(name, call, keepdims):
    x, axis = call
    agree(lambda x: getattr(np, name)(x, axis, keepdims=keepdims), x)
    if x.ndim > 2:
        agree(lambda x: getattr(np, name)(x, (0, -1), keepdims=keepdims), x)


@pytest.mark.parametrize("q", [0.5, np.float64(0.5), np.array([0.5, 0.1]), 0, np.array([0, 1])])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_dtype_of_quantiles(q, dtype):
    agree(lambda x: np.quantile(x, q), numbers((5,)).astype(dtype), tolerance=1e-6, batched=False)


@pytest.mark.parametrize("method", ["linear", "hazen", "midpoint", "averaged_inverted_cdf"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_of_single_precision_throughout(name, method):
    """Also in q, which is an array: no whole number among them makes it double."""
    x, q = numbers((5,)).astype("f4"), np.array([0.3, 0.8], "f4")
    agree(lambda x: getattr(np, name)(x, q, method=method), x, tolerance=1e-6, batched=False)
    f = lambda x, q: getattr(np, name)(x, q, method=method)
    agree(f, x, q, tolerance=1e-6, batched=False)


def test_quantiles_of_tied_values():
    x = np.array([1.0, 1.0, 2.0, 2.0])
    close(qd.grad(np.median)(x), np.full(4, 0.25))
    close(qd.hessian(np.median)(x), np.zeros((4, 4)))
    close(
        qd.vmap(qd.grad(np.median))(np.stack([x, x + np.arange(4)])),
        np.array([[1, 1, 1, 1], [0, 2, 2, 0]]) / 4,
    )


def test_quantiles_in_q():
    x = np.array([0.0, 1.0, 5.0])
    f = lambda q: np.quantile(x, q)
    for jacobian in (qd.jacfwd, qd.jacrev):
        slope = jacobian(f)
        for q, want in ((0.25, 2.0), (0.75, 8.0), (0.5, 5.0), (0.0, 2.0), (1.0, 8.0)):
            close(slope(q), np.array(want))
        close(jacobian(lambda q: np.quantile(x, q, method="nearest"))(0.3), np.array(0.0))
    close(qd.jacrev(f)(np.array([0.25, 0.75])), np.diag([2.0, 8.0]))
    found = qd.vmap(lambda x, q: np.quantile(x, q))(np.stack([x, 2 * x]), np.array([0.25, 0.75]))
    close(found, np.array([0.5, 6.0]))


def test_quantiles_of_nan():
    x = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for f in (np.median, np.nanmedian, lambda x, axis: np.nanquantile(x, 0.4, axis)):
            close(qd.vjp(lambda x, f=f: f(x, axis=1), x)[0], f(x, axis=1))
    gradient = qd.vjp(lambda x: np.nanquantile(x, 0.4, axis=1), x)[1](np.ones(2))[0]
    close(gradient, np.array([[0.6, 0, 0.4], [0, 0, 0]]))
    some = np.array([1.0, np.nan, 2.0])
    for f in (np.median, lambda x: np.quantile(x, 0.2), lambda x: np.quantile(x, qd.tensor(0.2))):
        assert np.isnan(f(leaf(some)).detach().numpy())
        assert np.isnan(qd.vmap(f)(np.stack([some, some]))).all()
    assert np.isnan(qd.grad(np.median)(some)).all()


def test_quantiles_refuse():
    x = leaf(np.ones(3))
    with pytest.raises(ValueError, match="quantile: q=2 must lie between 0 and 1"):
        np.quantile(x, 2)
    with pytest.raises(ValueError, match="percentile: q=101 must lie between 0 and 100"):
        np.percentile(x, 101)
    with pytest.raises(ValueError, match="'sideways' is no method; choose one of"):
        np.quantile(x, 0.5, method="sideways")
    with pytest.raises(ValueError, match="quantile: weights= with method='linear'; with weights"):
        np.quantile(x, 0.5, weights=np.ones(3))
    with pytest.raises(ValueError, match="quantile: weights must not be negative"):
        np.quantile(x, 0.5, weights=-np.ones(3), method="inverted_cdf")
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match="the weights of a lane are all zero, or not finite"),
    ):
        np.quantile(x, 0.5, weights=np.zeros(3), method="inverted_cdf")
    with pytest.raises(TypeError, match="complex numbers have no order"):
        np.quantile(leaf(np.ones(2) + 1j), 0.5)


# Counting


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_unique(axis):
    x = numbers((4, 3), 1, ties=True)
    agree(lambda x: np.unique(x, axis=axis), x, batched=False)
    found = np.unique(leaf(x), True, True, True, axis=axis)
    for one, other in zip(found, np.unique(x, True, True, True, axis=axis), strict=True):
        close(one, other)


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
def test_unique_of_the_array_standard(name):
    x = np.array([2.0, 1.0, 2.0, np.nan, np.nan])
    found, wanted = getattr(np, name)(leaf(x)), getattr(np, name)(x)
    if name == "unique_values":
        close(found, wanted)
        return
    assert type(found) is type(wanted)
    for one, other in zip(found, wanted, strict=True):
        close(one, other)


def test_a_repeated_value_is_that_of_its_first_occurrence():
    x = np.array([2.0, 1.0, 2.0])
    close(qd.jacrev(np.unique)(x), np.array([[0.0, 1, 0], [1, 0, 0]]))
    with pytest.raises(DetachError, match="vmap: this value differs"):
        qd.vmap(np.unique)(np.stack([x, x]))


def test_sets():
    a, b = np.array([3.0, 1.0, 2.0, 2.0]), np.array([2.0, 5.0, 3.0])
    for f in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d):
        agree(f, a, b, batched=False)
    agree(lambda a, b: np.setdiff1d(a, b, assume_unique=True), a, b, batched=False)
    for one, other in zip(
        np.intersect1d(leaf(a), b, return_indices=True), np.intersect1d(a, b, return_indices=True)
    ):
        close(one, other)
    for invert in (False, True):
        f = lambda a, b, invert=invert: np.isin(a, b, invert=invert)
        np.testing.assert_array_equal(f(leaf(a), b), f(a, b))
        many = np.stack([a, a + 1])
        np.testing.assert_array_equal(qd.vmap(f, (0, None))(many, b), f(many, b))
        np.testing.assert_array_equal(qd.vmap(f, (None, 0))(a, b[:, None]), [f(a, v) for v in b])


def test_bincount():
    x = np.array([0, 3, 1, 1, 3, 3])
    agree(lambda w: np.bincount(x, w, 6), numbers((6,)))
    agree(lambda w: np.bincount(x, w), numbers((6,)).astype("f4"))
    close(qd.jacrev(lambda w: np.bincount(x, w))(np.ones(6)), np.eye(4)[:, x])
    with pytest.raises(ShapeError, match="bincount: weights of shape"):
        np.bincount(x, leaf(np.ones(2)))


@pytest.mark.parametrize(
    "options",
    [{}, {"bins": 3}, {"bins": [-1.0, 0.0, 0.0, 2.0]}, {"range": (-1, 1)}, {"bins": "sturges"}],
)
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
def test_histogram(options, density, weighed):
    x, w = np.append(numbers((7,)), [-1.0, 0.0, 1.0]), np.abs(numbers((10,), 1))
    if weighed and options.get("bins") == "sturges":
        return
    with np.errstate(all="ignore"):
        for k in (0, 1):
            f = lambda x, w, k=k: np.histogram(
                x, weights=w if weighed else None, density=density, **options
            )[k]
            want = f(x, w)
            close(f(leaf(x), leaf(w)), want)
            assert f(leaf(x), leaf(w)).dtype == want.dtype


@pytest.mark.parametrize("density", [False, True])
def test_a_histogram_of_single_precision(density):
    x = numbers((9,)).astype("f4")
    for k in (0, 1):
        f = lambda x, k=k: np.histogram(x, 4, density=density, weights=x * x)[k]
        agree(f, x, tolerance=1e-5, batched=False)


def test_derivatives_of_a_histogram():
    x, w = np.array([0.1, 0.9, 0.6, 0.2]), np.array([1.0, 2.0, 3.0, 4.0])
    counts = qd.jacrev(lambda w: np.histogram(x, 2, weights=w)[0])(w)
    close(counts, np.array([[1.0, 0, 0, 1], [0, 1, 1, 0]]))
    edges = qd.jacfwd(lambda x: np.histogram(x, 2)[1])(x)
    close(edges, np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0]]))
    assert qd.gradcheck(lambda x, w: np.histogram(x, 2, density=True, weights=w)[0], x, w)
    f = lambda x, w: np.histogram(x, 2, weights=w)[0]
    many = np.stack([x, x**2])
    close(qd.vmap(f)(many, np.stack([w, w])), np.stack([f(many[0], w), f(many[1], w)]))
    close(
        qd.vmap(lambda x: np.histogram(x, np.array([0.0, 0.5, 1]))[0])(many),
        np.array([[2, 2], [3, 1]]),
    )


@pytest.mark.parametrize("bins", [3, [2, 4], [[-2.0, 0.0, 2.0], 3]])
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
def test_histograms_of_points(bins, density, weighed):
    x, y, w = numbers((9,), 1), numbers((9,), 2), np.abs(numbers((9,), 3))
    for k in range(3):
        f = lambda x, y, w, k=k: np.histogram2d(
            x, y, bins, density=density, weights=w if weighed else None
        )[k]
        close(f(leaf(x), leaf(y), leaf(w)), f(x, y, w))
    f = lambda p: np.histogramdd(p, bins, weights=w if weighed else None)[0]
    points = np.stack([x, y], axis=1)
    close(f(leaf(points)), f(points))
    if weighed:
        g = lambda w: np.histogram2d(x, y, bins, density=density, weights=w)[0]
        agree(g, w, batched=False)
    with pytest.raises(ValueError, match="one entry for each of 2 axes"):
        np.histogramdd(leaf(points), [1, 2, 3])


def test_methods_in_place():
    x = np.array([3.0, 1.0, 2.0])
    for change, order in (
        (lambda y: y.sort(), [1, 2, 0]),
        (lambda y: y.partition(1), [1, 2, 0]),
        (lambda y: y.put([0, 1, 2], y[np.array([1, 2, 0])]), [1, 2, 0]),
    ):

        def f(x, change=change):
            y = x.copy()
            change(y)
            return y

        agree(f, x)
        close(qd.jacrev(f)(x), np.eye(3)[order])
    assert leaf(x).argpartition(0)[0] == 1
    close(leaf(x).compress([True, False, True]), np.array([3.0, 2.0]))
