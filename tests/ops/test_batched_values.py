"""Functions that look at values before they compute look at all examples of a batch.

`vmap` over any of the arguments is a loop, and so are gradients inside it and outside it.
"""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

V = np.array([0.7, -0.4, 1.3, 0.2])
W = np.array([0.35, 0.8, 0.55, 0.15])
M = np.array([[2.1, 0.3, -0.4], [0.5, 1.7, 0.2], [-0.3, 0.6, 2.6]])
CDF = {"method": "inverted_cdf"}

WEIGHTED = {
    "quantile": lambda x, w: np.quantile(x, 0.4, weights=np.abs(w), **CDF),
    "percentile": lambda x, w: np.percentile(x, [40, 60], weights=np.abs(w), **CDF),
    "nanquantile": lambda x, w: np.nanquantile(x, 0.4, weights=np.abs(w), **CDF),
    "nanpercentile": lambda x, w: np.nanpercentile(x, [[40], [60]], weights=np.abs(w), **CDF),
}
SPACED = {
    "numbers": (lambda a, b: np.geomspace(a, b, 5), 0.6, 2.5),
    "below 0": (lambda a, b: np.geomspace(-np.exp(a), -np.exp(b), 5, endpoint=False), 0.6, 2.5),
    "vectors": (lambda a, b: np.geomspace(np.exp(a), np.exp(b), 4, axis=-1), V, W),
    "turned": (lambda a, b: np.geomspace(a, b, 4), 1.0 + 0.5j, -0.3 + 2.0j),
}


@pytest.mark.parametrize("f", WEIGHTED.values(), ids=WEIGHTED)
def test_weighted_quantiles(f):
    agree(f, V, W)
    rows = np.stack([V, V[::-1] + 0.05])
    shares = np.stack([W, W**2])
    for axes in ((0, 0), (0, None), (None, 0)):
        xs = [a if axis == 0 else a[0] for a, axis in zip((rows, shares), axes)]
        want = [f(*(x[k] if axis == 0 else x for x, axis in zip(xs, axes))) for k in range(2)]
        np.testing.assert_array_equal(qd.jit(qd.vmap(f, axes))(*xs), want)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_weighted_quantiles_along_an_axis(axis):
    f = lambda x, w: np.quantile(x, 0.4, axis=axis, weights=np.abs(w), **CDF)
    agree(f, M, np.cos(M))
    total = lambda x: np.sum(f(x, np.cos(M)) ** 2)
    rows = np.stack([M, M.T])
    want = [qd.grad(total)(x) for x in rows]
    np.testing.assert_array_equal(qd.vmap(qd.grad(total))(rows), want)
    np.testing.assert_array_equal(qd.grad(lambda x: np.sum(qd.vmap(total)(x)))(rows), want)


def test_a_nan_among_weighted_values():
    rows = np.stack([V, np.where(V > 1, np.nan, V)])
    f = lambda x: np.quantile(x, 0.4, weights=W, **CDF)
    np.testing.assert_array_equal(qd.vmap(f)(rows), [f(x) for x in rows])
    skipping = lambda x: np.nanquantile(x, 0.4, weights=W, **CDF)
    np.testing.assert_array_equal(qd.vmap(skipping)(rows), [skipping(x) for x in rows])


@pytest.mark.parametrize("name", SPACED)
def test_geometric_progressions(name):
    f, a, b = SPACED[name]
    a, b = np.asarray(a), np.asarray(b)
    agree(f, a, b, batched=name != "numbers")  # random numbers may have different signs
    ends = np.stack([a, 1.1 * a]), np.stack([b, 0.9 * b])
    want = [f(*pair) for pair in zip(*ends)]
    np.testing.assert_allclose(qd.vmap(f)(*ends), want, rtol=1e-12)
    np.testing.assert_allclose(qd.jit(f)(a, b), f(a, b), rtol=1e-12)


@pytest.mark.parametrize("act, text", [
    (lambda: qd.vmap(lambda w: np.quantile(V, 0.4, weights=w, **CDF))(-np.ones((2, 4))),
     "weights must not be negative"),
    (lambda: qd.vmap(lambda w: np.quantile(V, 0.4, weights=w, **CDF))(np.zeros((2, 4))),
     "weights of a lane are all zero"),
    (lambda: qd.vmap(lambda a: np.geomspace(a, 2.0))(np.array([1.0, 0.0])), "an end is 0"),
])  # fmt: skip
def test_one_bad_example_is_said(act, text):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=text):
        act()
