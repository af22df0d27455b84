"""The methods of ufuncs without a primitive of their own, and their `where=` and `out=`."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, slopes

X = np.array([2.0, 0.7, 1.3])


@pytest.mark.parametrize(
    "f",
    [
        np.subtract.reduce,
        np.divide.reduce,
        np.hypot.reduce,
        lambda x: np.power.reduce(x, initial=1.5),
        lambda x: np.subtract.reduce(x, where=[True, False, True], initial=1.0),
        lambda x: np.sum(np.divide.accumulate(x)),
        lambda x: np.sum(np.multiply.reduceat(x, [0, 1, 0]) ** 2),
        lambda x: np.sum(np.arctan2.outer(x, x)),
    ],
)
def test_derivatives(f):
    close(qd.grad(f)(X), slopes(f, X), rtol=1e-6, atol=1e-8)
    close(qd.vmap(f)(np.stack([X, X])), np.stack([f(X), f(X)]))


def test_at_repeats_as_often_as_an_index_occurs():
    def f(x):
        y = np.copy(x)
        np.multiply.at(y, [0, 0, 1], x)
        np.square.at(y, [2, 2])
        return np.sum(y)

    close(f(X), X[0] * X[0] * X[1] + X[1] * X[2] + X[2] ** 4)
    close(qd.grad(f)(X), slopes(f, X), rtol=1e-6)


def test_where_keeps_what_out_holds():
    mask = np.array([True, False, True])

    def f(x):
        out = x * 3.0
        np.log(x - 1.0, where=mask, out=out)
        return np.sum(out)

    x = np.array([2.0, 0.5, 3.0])  # the logarithm of -0.5 is not taken
    close(f(x), 1.5 + np.log(2.0))
    close(qd.grad(f)(x), [1.0, 3.0, 0.5])


def test_out_of_methods_and_of_several_results():
    x = leaf(X)
    out = np.zeros_like(x[:1])
    assert np.add.reduce(x, keepdims=True, out=out) is out
    close(out, [4.0])
    whole, rest = np.zeros_like(x), np.zeros_like(x)
    np.divmod(x, 0.5, out=(whole, rest))
    close(whole, X // 0.5)
    close(qd.grad(np.sum(rest), [x])[0], np.ones(3))
    wide = np.zeros_like(x, shape=(2, 3))
    np.sin(x, out=wide)
    close(qd.grad(np.sum(wide), [x])[0], 2 * np.cos(X))


def test_casting_is_numpys():
    x = leaf(np.float32([1.0, 2.0]))
    assert np.add(x, 1, dtype=np.float64).dtype == np.float64
    assert np.add(x, 1, signature=(None, None, "f8")).dtype == np.float64
    with pytest.raises(TypeError):
        np.add(x, np.float64([1.0, 2.0]), casting="no")
    with pytest.raises(TypeError):
        np.sin(x, out=np.zeros_like(x, dtype=int))
    with pytest.raises(ValueError, match="only supported for binary functions"):
        np.sin.reduce(x)
