"""`like=` a tensor: what NumPy makes beside it records writes, and keeps gradients."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

X = leaf([1.0, 2.0])

MADE = {
    "zeros": lambda like: np.zeros((2, 3), like=like),
    "ones": lambda like: np.ones(3, like=like),
    "empty": lambda like: np.empty(3, like=like) * 0,
    "full": lambda like: np.full(3, 2.5, like=like),
    "eye": lambda like: np.eye(3, k=1, like=like),
    "identity": lambda like: np.identity(2, like=like),
    "tri": lambda like: np.tri(3, like=like),
    "arange": lambda like: np.arange(1.0, 4.0, like=like),
    "array": lambda like: np.array([[1.0, 2.0]], like=like),
    "asarray": lambda like: np.asarray([1, 2], like=like),
    "asarray of a dtype": lambda like: np.asarray([1, 2], np.float32, like=like),
    "ascontiguousarray": lambda like: np.ascontiguousarray(3.0, like=like),
    "require": lambda like: np.require([1.0], like=like),
    "fromfunction": lambda like: np.fromfunction(lambda i: i * 2.0, (3,), like=like),
    "fromiter": lambda like: np.fromiter(iter([1.0, 2.0]), float, like=like),
    "frombuffer": lambda like: np.frombuffer(np.ones(2).tobytes(), like=like),
    "fromstring": lambda like: np.fromstring("1 2", sep=" ", like=like),
}


@pytest.mark.parametrize("name", MADE)
def test_made_as_numpy_makes_it(name):
    made, wanted = MADE[name](X), MADE[name](None)
    assert isinstance(made, qd.Tensor)
    assert made.dtype == wanted.dtype
    close(made, wanted)


def test_what_is_made_records_writes():
    y = np.zeros(3, like=X)
    y[1:] = X * 3
    close(qd.grad(np.sum(y), [X])[0], [3.0, 3.0])


def test_what_carries_a_gradient_is_kept():
    s = leaf(3.0)
    y = np.array([[s, 1.0], [s * s, 2.0]], like=X)
    close(y, [[3.0, 1.0], [9.0, 2.0]])
    close(qd.grad(y.sum(), [s])[0], 7.0)
    close(qd.grad(np.full((2, 2), s, like=X).sum(), [s])[0], 4.0)
    assert np.asarray(X, like=X) is X
    assert np.array(X, like=X) is not X
    assert np.array(s, ndmin=2, like=X).shape == (1, 1)
    assert np.asarray([s], np.float32, like=X).dtype == np.float32
    close(qd.grad(lambda t: np.fromfunction(lambda i: i * t, (3,), like=t).sum())(2.0), 3.0)


def test_in_transforms():
    f = lambda x: np.prod(np.array([x[0], x[1] ** 2], like=x) + np.ones(2, like=x))
    close(qd.grad(f)(np.array([1.0, 2.0])), [5.0, 8.0])
    close(qd.jit(f)(np.array([1.0, 2.0])), 10.0)
    close(qd.vmap(f)(np.array([[1.0, 2.0], [0.0, 1.0]])), [10.0, 2.0])
