"""Where a value is infinite, NaN, tiny or huge, forward and reverse mode say the same.

A direction that does not move an operand does not move the result, even where another slope is
infinite or NaN.
"""

import numpy as np
import pytest

import qiudao as qd

NAN, INF = np.nan, np.inf
POINTS = {
    "infinite": [INF, 1.0, 2.0, 3.0],
    "infinite of both signs": [INF, -INF, 2.0, 3.0],
    "several infinite": [INF, INF, 2.0, 3.0],
    "NaN": [NAN, 1.0, 2.0, 3.0],
    "a NaN within": [1.0, 2.0, NAN, 3.0],
    "tiny": [1e-300, 2e-300, 3e-300, 1e-300],
    "huge": [1e300, 2e300, 1e300, 3e300],
    "equal": [1.0, 1.0, 1.0, 1.0],
    "zeros": [0.0, -0.0, 2.0, 0.0],
}
WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0])
FUNCTIONS = {
    "prod": np.prod,
    "nanprod": np.nanprod,
    "var": np.var,
    "std": np.std,
    "norm": np.linalg.norm,
    "norm of order 3": lambda x: np.linalg.norm(x, 3),
    "norm of order 1/2": lambda x: np.linalg.norm(x, 0.5),
    "maximum.accumulate": lambda x: np.sum(np.maximum.accumulate(x) * WEIGHTS),
    "minimum.accumulate": lambda x: np.sum(np.minimum.accumulate(x) * WEIGHTS),
    "max": np.max,
    "median": np.median,
    "sort": lambda x: np.sum(np.sort(x) * WEIGHTS),
    "logsumexp": np.logaddexp.reduce,
    "det": lambda x: np.linalg.det(x.reshape(2, 2)),
    "max of columns": lambda x: np.sum(np.max(x.reshape(2, 2), axis=0) * WEIGHTS[:2]),
    "maximum": lambda x: np.sum(np.maximum(x[:2], x[2:]) * WEIGHTS[:2]),
    "clip": lambda x: np.sum(np.clip(x, -1.0, 2.0) * WEIGHTS),
    "clip by the next": lambda x: np.sum(np.clip(x[:3], x[1:], 2.0) * WEIGHTS[:3]),
    "interp": lambda x: np.sum(np.interp(x, [0.0, 1.0, 2.0], [1.0, 3.0, 2.0]) * WEIGHTS),
}
SELECTING = ["max of columns", "maximum", "clip", "clip by the next", "interp"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_and_reverse_agree(name, point):
    f, x = FUNCTIONS[name], np.array(POINTS[point])
    with np.errstate(all="ignore"):
        reverse, forward = qd.grad(f)(x), qd.jacfwd(f)(x)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SELECTING)
def test_compiled_forward_mode_agrees(name):
    f = FUNCTIONS[name]
    compiled = qd.jit(qd.jacfwd(f))
    for point in POINTS.values():
        x = np.array(point)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(compiled(x), qd.grad(f)(x), rtol=1e-12, atol=1e-12)


def test_an_infinite_tangent_of_a_dropped_lane_is_dropped():
    for f in (lambda x: np.maximum(np.sqrt(x), 1.0), lambda x: np.clip(np.sqrt(x), 0.5, 1.0)):
        for derivative in (qd.grad(f), qd.jacfwd(f), qd.jit(qd.jacfwd(f))):
            with np.errstate(all="ignore"):
                assert derivative(0.0) == 0.0


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_cofactors_whose_determinant_is_out_of_range(size):
    x = np.array([[1.0, 2.0], [3.0, 1.0]]) * size
    want = np.array([[1.0, -3.0], [-2.0, 1.0]]) * size
    rows = np.stack([x, np.eye(2), np.ones((2, 2)), np.full((2, 2), NAN)])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(qd.grad(np.linalg.det)(x), want, rtol=1e-12)
        np.testing.assert_allclose(qd.jit(qd.grad(np.linalg.det))(x), want, rtol=1e-12)
        found = qd.vmap(qd.grad(np.linalg.det))(rows)
    np.testing.assert_allclose(found[0], want, rtol=1e-12)
    np.testing.assert_allclose(found[1:3], [np.eye(2), [[1, -1], [-1, 1]]], atol=1e-15)
    assert np.all(np.isnan(found[3]))


def test_a_nan_in_a_running_maximum_is_no_silent_zero():
    x = np.array([3.0, 1.0, NAN, 4.0])
    jacobian = qd.jacrev(np.maximum.accumulate)(x)
    np.testing.assert_array_equal(jacobian[:2], [[1, 0, 0, 0], [1, 0, 0, 0]])
    assert np.isnan(jacobian[2, 2])
    assert np.all(np.isnan(jacobian[3, 2:]))
    np.testing.assert_array_equal(qd.jacfwd(np.maximum.accumulate)(x)[:, 2:], jacobian[:, 2:])
