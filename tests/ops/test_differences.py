"""diff, ediff1d, gradient and trapezoid over NumPy's arguments."""

import numpy as np
import pytest

import qiudao as qd
from ops.agreement import agree

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 6))


@pytest.mark.parametrize(
    "options",
    [{}, {"n": 0}, {"n": 2}, {"axis": 0}, {"n": 3, "axis": -2}, {"prepend": 0.5},
     {"append": X[:, :2]}, {"prepend": X[:1], "append": 1.0, "axis": 0, "n": 2}, {"n": 6}],
)  # fmt: skip
def test_diff(options):
    agree(lambda x: np.diff(x, **options), X)


def test_diff_of_ends_and_masks():
    agree(lambda a, b, c: np.diff(a, prepend=b, append=c), X, np.array(2.0), X[:, :1])
    agree(lambda x: np.diff(x), X + 1j)
    moved = qd.vmap(lambda m: np.diff(m))(X > 0)
    np.testing.assert_array_equal(moved, np.diff(X > 0))
    t = qd.tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="n=-1"):
        np.diff(t, n=-1)
    with pytest.raises(ValueError, match="0-d"):
        np.diff(t[0, 0])


def test_ediff1d():
    agree(np.ediff1d, X)
    ends = np.array([1.0, 2.0]), np.array(3.0)
    agree(lambda x, b, e: np.ediff1d(x, to_begin=b, to_end=e), X, *ends)
    agree(lambda x: np.ediff1d(x, to_end=7), X)
    with pytest.raises(TypeError, match="to_end"):
        np.ediff1d(qd.tensor(X), to_end=1j)


STEPS = np.sort(RNG.uniform(0, 5, 6))


@pytest.mark.parametrize("options", [{}, {"dx": 0.3}, {"axis": 0}, {"x": STEPS}, {"x": X + 9}])
def test_trapezoid(options):
    agree(lambda y: np.trapezoid(y, **options), X)


def test_trapezoid_by_its_places():
    agree(lambda y, x: np.trapezoid(y, x), X, STEPS)
    agree(lambda y, x: np.trapezoid(y, x, axis=0), X, np.sort(STEPS[:5]))
    agree(lambda dx: np.trapezoid(X, dx=dx), np.array(0.3))


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    "spacing,options",
    [((), {}), ((0.3,), {}), ((0.3, 2), {}), ((0.5, STEPS), {}), ((STEPS[:5] ** 2, STEPS), {}),
     ((), {"axis": 1}), ((STEPS,), {"axis": -1}), ((), {"axis": (1, 0)}),
     ((np.arange(6) * 0.5,), {"axis": 1}), ((np.arange(6),), {"axis": 1})],
)  # fmt: skip
def test_gradient(spacing, options, edge_order):
    many = isinstance(np.gradient(X, *spacing, **options), tuple)
    for k in range(2 if many else 1):
        f = lambda x, k=k: (
            np.gradient(x, *spacing, **options, edge_order=edge_order)[k]
            if many
            else np.gradient(x, *spacing, **options, edge_order=edge_order)
        )
        agree(f, X)
        agree(f, X.astype(np.float32), tolerance=1e-5)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_by_its_spacing(edge_order):
    agree(lambda f, h: np.gradient(f, h, edge_order=edge_order), X[0], np.array(0.3))
    agree(lambda f, x: np.gradient(f, x, edge_order=edge_order), X[0], STEPS)
    even = lambda x: np.gradient(X[0], x, edge_order=edge_order)
    got = qd.jacfwd(even)(np.arange(6) * 0.5)
    h = 1e-6
    for k in range(6):
        step = h * np.eye(6)[k]
        slope = (even(np.arange(6) * 0.5 + step) - even(np.arange(6) * 0.5 - step)) / (2 * h)
        np.testing.assert_allclose(got[:, k], slope, atol=1e-7)


def test_gradient_refuses():
    t = qd.tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="edge_order=3"):
        np.gradient(t, edge_order=3)
    with pytest.raises(TypeError, match="3 spacings for 2 axes"):
        np.gradient(t, 1, 2, 3)
    with pytest.raises(ValueError, match="coordinates of shape"):
        np.gradient(t, STEPS, axis=0)
    with pytest.raises(ValueError, match="too short"):
        np.gradient(t[:1], axis=0)
