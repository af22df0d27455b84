"""What the array standard asks of the array itself, on every tracer, and DLPack."""

import numpy as np
import pytest

import qiudao as qd
import qiudao.numpy as xp
from checking import close, leaf

X = np.array([1.0, 4.0, 2.0])


def vjp(f, x):
    return qd.vjp(f, x)[0]


def jvp(f, x):
    return qd.jvp(f, (x,), (x,))[0]


def jet(f, x):
    return qd.jet(f, (x,), ([x],))[0]


def compiled(f, x):
    pytest.importorskip("llvmlite")
    return qd.jit(f)(x)


WAYS = [vjp, jvp, jet, lambda f, x: qd.vmap(f)(x[None])[0], compiled]


@pytest.mark.parametrize("way", WAYS, ids=["vjp", "jvp", "jet", "vmap", "jit"])
def test_every_tracer_names_its_namespace_and_masks_are_of_its_kind(way):
    seen = []

    def f(x):
        results = (x, x > 2, xp.floor(x), x // 2, xp.argmax(x), xp.zeros(3), x == x)
        seen.extend(each.__array_namespace__() for each in results)
        filled = xp.zeros_like(x)
        filled[0] = x[1] * x[2]
        return xp.where(x > 2, x * x, 3 * x) + filled + xp.ones(3)

    close(way(f, X), np.where(X > 2, X * X, 3 * X) + [8, 0, 0] + 1)
    assert seen == [xp] * len(seen)


def test_gradients_through_the_namespace():
    def f(x):
        xp = x.__array_namespace__()
        order = xp.argsort(x, descending=True)
        made = xp.concat([xp.take(x, order), xp.asarray([x[0], 1.0]), xp.asarray(x, copy=True)])
        return xp.sum(xp.cumulative_sum(made**2)) * xp.linalg.vector_norm(x)

    def plain(x):
        order = np.argsort(x)[::-1]
        made = np.concatenate([x[order], np.stack([x[0], 1.0]), x])
        return np.sum(np.cumsum(made**2)) * np.linalg.norm(x)

    close(qd.grad(f)(X), qd.grad(plain)(X))


def test_what_a_transform_gives_back_stays_a_plain_array():
    def f(x):
        return xp.sum(xp.asarray([2.0, 3.0, 4.0]) * x * x)

    assert type(qd.grad(f)(X)) is np.ndarray
    assert type(qd.hessian(f)(X)) is np.ndarray


def test_device_and_versions():
    x = leaf(X)
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    assert x.__array_namespace__(api_version="2024.12") is xp is qd.numpy


def test_dlpack_out_is_a_copy_that_others_may_write():
    x = qd.tensor(X)
    there = np.from_dlpack(x)
    there[0] = 7.0
    assert x.tolist() == X.tolist()
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_out_without_a_copy_is_read_only():
    x = qd.tensor(X)
    there = np.from_dlpack(x, copy=False)
    assert np.shares_memory(there, x.numpy())
    assert not there.flags.writeable


def test_dlpack_to_an_older_library_is_a_copy():
    class Older:
        def __init__(self, x):
            self.x = x

        def __dlpack__(self, **options):
            return self.x.__dlpack__()

        def __dlpack_device__(self):
            return self.x.__dlpack_device__()

    x = qd.tensor(X)
    assert not np.shares_memory(np.from_dlpack(Older(x)), x.numpy())


@pytest.mark.peer
def test_dlpack_to_torch_and_back():
    torch = pytest.importorskip("torch")
    x = qd.tensor(X)
    there = torch.from_dlpack(x)
    there[0] = 7.0
    assert x.tolist() == X.tolist()
    assert xp.from_dlpack(there).tolist() == [7.0, 4.0, 2.0]


def test_dlpack_in():
    x = xp.from_dlpack(X)
    assert isinstance(x, qd.Tensor)
    assert not np.shares_memory(x.numpy(), X)
    assert np.shares_memory(xp.from_dlpack(X, copy=False).numpy(), X)
    assert xp.from_dlpack(qd.tensor(X)).numpy().tolist() == X.tolist()
