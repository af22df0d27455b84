"""Distances between points: SciPy's values, and derivatives, also of a point from itself."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

theirs = pytest.importorskip("scipy.spatial.distance")
distance = qd.scipy.spatial.distance
A, B = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]]), np.array([[1.0, 1.0], [2.0, -1.0]])


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_distances(metric):
    want = theirs.cdist(A, B, metric)
    close(distance.cdist(qd.tensor(A, requires_grad=True), B, metric).detach(), want)
    close(distance.cdist(A, B, metric), want)
    apart = B + np.array([0.3, 0.41])  # no ties
    assert qd.gradcheck(lambda a, b: np.sum(np.sin(distance.cdist(a, b, metric))), A, apart)
    assert qd.gradgradcheck(lambda a: np.sum(np.sin(distance.cdist(a, apart, metric))), A)


def test_a_point_from_itself():
    g = qd.grad(lambda a: distance.cdist(a, B)[1, 1])(A)
    close(g, np.zeros_like(A))


def test_lifted():
    f = lambda a: theirs.cdist(a, B).sum()
    close(qd.grad(f, numpy="lift")(A), qd.grad(lambda a: distance.cdist(a, B).sum())(A))
