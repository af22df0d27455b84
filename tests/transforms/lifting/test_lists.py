"""NumPy's functions of lists of numbers that carry derivatives, and views by steps in memory."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, slopes
from qiudao.core.errors import ShapeError

X = np.array([0.7, 0.4, 1.3, 0.2])


def total(x):
    return np.sum([v**2 for v in x])


def determinant(x):
    return np.linalg.det([[x[0], x[1]], [x[2], x[3]]])


def elementwise(x):
    return np.sum(np.exp([x[0], 2.0, x[1]]))


def products(x):
    return np.max([x[0], x[1]]) + np.dot([x[0], 1.0], [2.0, x[1]])


def strided(x):
    return np.sum(np.lib.stride_tricks.as_strided(x, (3, 2), (8, 8)) ** 2)


def strided_by_its_own_steps(x):
    square = x.reshape(2, 2)
    diagonal = np.lib.stride_tricks.as_strided(square, (2,), (sum(square.strides),))
    return np.prod(diagonal)


@pytest.mark.parametrize(
    "f", [total, determinant, elementwise, products, strided, strided_by_its_own_steps]
)
def test_gradient(f):
    close(qd.grad(f, numpy="lift")(X), slopes(f, X), rtol=1e-6, atol=1e-8)
    close(qd.lift(f)(X), f(X))


def test_steps_that_lead_out_are_refused():
    def beyond(x):
        return np.lib.stride_tricks.as_strided(x, (5,), (8,)).sum()

    def between(x):
        return np.lib.stride_tricks.as_strided(x, (2,), (4,)).sum()

    with pytest.raises(
        ShapeError, match=r"shape \(5,\) with steps \(8,\) leads out of an array of"
    ):
        qd.grad(beyond, numpy="lift")(X)
    with pytest.raises(ShapeError, match="a step of 4 bytes is between numbers of 8"):
        qd.grad(between, numpy="lift")(X)
