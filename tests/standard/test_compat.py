"""array-api-compat and array-api-extra: their functions on our values."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.numpy as xp
from checking import close, leaf
from qiudao.core.errors import GradientError

compat = pytest.importorskip("array_api_compat")
extra = pytest.importorskip("array_api_extra")

X = np.array([0.5, 1.5, 2.25, 1.0])


def test_compat_knows_our_arrays():
    x = leaf(X)
    assert compat.is_array_api_obj(x)
    assert compat.array_namespace(x, x > 1, xp.argmax(x), 2.0) is xp
    assert compat.device(x) == "cpu"
    assert compat.size(x) == 4
    assert compat.to_device(x, "cpu") is x
    assert compat.is_writeable_array(x)
    assert not compat.is_lazy_array(x)


FUNCTIONS = {
    "apply_where": (
        lambda x: extra.apply_where(x > 1, x, xp.sqrt, xp.square),
        lambda x: np.where(x > 1, np.sqrt(x), x**2),
    ),
    "apply_where, filled": (
        lambda x: extra.apply_where(x > 1, (x, x * x), xp.multiply, fill_value=7.0),
        lambda x: np.where(x > 1, x**3, 7.0),
    ),
    "at.set": (
        lambda x: extra.at(x, x > 1).set(3.0, copy=True) * x,
        lambda x: np.where(x > 1, 3.0, x) * x,
    ),
    "at.add": (lambda x: extra.at(x)[1:3].add(x[0], copy=True), lambda x: x + [0, 1, 1, 0] * x[0]),
    "at.multiply": (
        lambda x: extra.at(x)[0].multiply(x[1], copy=True),
        lambda x: x * np.where(np.arange(4) == 0, x[1], 1.0),
    ),
    "at.max": (lambda x: extra.at(x)[:2].max(1.0, copy=True)[:2], lambda x: np.maximum(x[:2], 1.0)),
    "atleast_nd": (lambda x: extra.atleast_nd(x, ndim=2), np.atleast_2d),
    "cov": (lambda x: extra.cov(xp.stack([x, x * x])), lambda x: np.cov(np.stack([x, x * x]))),
    "create_diagonal": (extra.create_diagonal, np.diag),
    "kron": (lambda x: extra.kron(x, x), lambda x: np.kron(x, x)),
    "nan_to_num": (extra.nan_to_num, np.nan_to_num),
    "one_hot": (
        lambda x: extra.one_hot(xp.argsort(x), 4, dtype=xp.float64) @ x,
        lambda x: x[np.argsort(x)],
    ),
    "pad": (lambda x: extra.pad(x, (1, 2), constant_values=9.0), lambda x: np.pad(x, (1, 2))),
    "partition": (lambda x: xp.sort(extra.partition(x, 2)[:2]), lambda x: np.sort(x)[:2]),
    "sinc": (extra.sinc, np.sinc),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_extra(name):
    theirs, ours = FUNCTIONS[name]
    assert isinstance(theirs(xp.asarray(X)), qd.Tensor)
    close(qd.jacrev(theirs)(X), qd.jacrev(ours)(X))
    close(qd.jacfwd(theirs)(X), qd.jacfwd(ours)(X))


def test_counting_and_comparing():
    x = xp.asarray([1.0, 2.0, 2.0])
    assert int(extra.nunique(x)) == 2
    assert bool(xp.all(extra.isclose(x, x)))
    assert extra.setdiff1d(x, xp.asarray([2.0])).tolist() == [1.0]
    assert extra.default_dtype(xp) == np.float64


def test_a_leaf_is_not_written_in_place():
    with pytest.raises(GradientError, match="a recorded write would lose it"):
        extra.at(leaf(X))[0].set(7.0)
