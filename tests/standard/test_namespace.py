"""`qiudao.numpy`: what is made is a tensor, gradients pass, and all of NumPy's names are there."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.numpy as xp
from checking import close, leaf

X = np.array([1.0, 4.0, 2.0])


def test_every_name_of_numpys_is_there():
    names = [n for n in np.__all__ if not n.startswith("_")]
    assert [n for n in names if not hasattr(xp, n)] == []
    assert set(names) <= set(dir(xp))
    for module in ("linalg", "fft"):
        ours, numpys = getattr(xp, module), getattr(np, module)
        assert [n for n in numpys.__all__ if not hasattr(ours, n)] == []
        assert dir(ours) == sorted(numpys.__all__)


@pytest.mark.parametrize(
    "made",
    [
        xp.zeros(3), xp.ones((2, 2), dtype=xp.float32), xp.arange(3), xp.linspace(0.0, 1.0, 3),
        xp.eye(2), xp.full(2, 7.0), xp.asarray([1, 2]), xp.asarray(1.0), xp.array([1.0]),
        xp.empty_like(X), xp.argmax(X), xp.nonzero(X)[0], xp.any(X > 2), xp.linalg.inv(np.eye(2)),
        xp.fft.fft(X), xp.special.gamma(X), xp.unique_all(X).counts, xp.broadcast_arrays(X, 1.0)[0],
    ],
    ids=lambda made: str(made.shape),
)  # fmt: skip
def test_whatever_is_given_tensors_come_back(made):
    assert type(made) is qd.Tensor
    assert not made.requires_grad


@pytest.mark.parametrize(
    "other", [xp.shape(X), xp.isdtype(X.dtype, "integral"), xp.pi, xp.result_type(X), xp.newaxis]
)
def test_what_is_no_array_stays(other):
    assert not isinstance(other, qd.Tensor)


def test_finfo_of_arrays_and_dtypes():
    assert xp.finfo(leaf(X)).eps == xp.finfo(xp.float64).eps == np.finfo(float).eps
    assert xp.iinfo(xp.asarray([1])).max == np.iinfo(np.int64).max


def test_asarray_keeps_gradients():
    x = leaf(2.0)
    assert xp.asarray(x) is x
    assert xp.asarray(x, dtype=xp.float64) is x
    (slope,) = qd.grad(xp.sum(xp.asarray([[x, 1.0], [x * x, 3.0]])), x)
    close(slope, 5.0)
    copied = xp.asarray(x, copy=True)
    assert copied is not x
    close(qd.grad(copied, x)[0], 1.0)
    assert xp.asarray(x, dtype=xp.float32).dtype == np.float32
    assert xp.array(x, ndmin=2).shape == (1, 1)


def test_asarray_without_a_copy():
    assert np.shares_memory(xp.asarray(X, copy=False).numpy(), X)


def test_who_changes_an_array_later_changes_no_gradient():
    mine = X.copy()
    x = xp.asarray(mine).requires_grad_()
    y = xp.sum(x * x)
    mine[0] = 100.0
    close(qd.grad(y, x)[0], 2 * X)


def test_astype():
    x = leaf(X)
    assert xp.astype(x, xp.float64, copy=False) is x
    close(qd.grad(xp.sum(xp.astype(x, xp.float64)), x)[0], np.ones(3))
    assert xp.astype(x > 2, xp.int8).dtype == np.int8
    assert xp.astype(x, xp.bool).tolist() == [True] * 3
    assert not xp.astype(x, xp.int64).requires_grad


def test_sorting_downwards_is_stable():
    x = np.array([2.0, 1.0, 2.0, 3.0])
    assert xp.argsort(x, descending=True).tolist() == [3, 0, 2, 1]
    assert xp.argsort(x).tolist() == [1, 0, 2, 3]
    y = leaf(x)
    close(qd.grad(xp.sum(xp.sort(y, descending=True) * np.arange(4.0)), y)[0], [1.5, 3, 1.5, 0])


@pytest.mark.parametrize("dtype", [xp.float32, xp.float64, xp.complex64])
def test_limits_are_pythons_floats(dtype):
    limits, numpys = xp.finfo(dtype), np.finfo(dtype)
    for name in ("eps", "max", "min", "smallest_normal", "tiny"):
        assert type(getattr(limits, name)) is float
        assert getattr(limits, name) == getattr(numpys, name)
    assert (limits.bits, limits.dtype) == (numpys.bits, numpys.dtype)
    assert repr(limits) == repr(numpys)


def test_clip_by_the_standards_names():
    x = leaf(X)
    close(qd.grad(xp.sum(xp.clip(x, min=1.5, max=3.0)), x)[0], [0.0, 0.0, 1.0])
    assert xp.clip(x).tolist() == X.tolist()


def test_frequencies_in_a_dtype():
    for name in ("fftfreq", "rfftfreq"):
        found = getattr(xp.fft, name)(5, d=0.5, dtype=xp.float32)
        assert found.dtype == np.float32
        close(found, getattr(np.fft, name)(5, 0.5), rtol=1e-6)
