"""Dask: a loss and its gradient are one expression, computed when asked for."""

import threading

import numpy as np
import pytest

import qiudao as qd

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
A = RNG.normal(size=(60, 5))
LABELS = np.where(A @ np.arange(-2.0, 3.0) > 0, 1.0, -1.0)


def logistic(w, a, labels):
    """The mean logistic loss of a linear classifier."""
    return np.mean(np.logaddexp(0.0, -labels * np.matmul(a, w)))


def network(p, a, labels):
    """The squared error of a network with one hidden layer."""
    h = np.tanh(np.matmul(a, p["w"]) + p["b"])
    return np.mean((np.matmul(h, p["v"]) - labels) ** 2)


def refuse(*args, **kwargs):
    raise AssertionError("dask computed something")


def never_computed():
    """Within, a computation by dask is an error."""
    return dask.config.set(scheduler=refuse)


def test_logistic_regression_over_chunks_in_one_go():
    a, labels = da.from_array(A, chunks=(16, 5)), da.from_array(LABELS, chunks=16)
    w = np.linspace(-1, 1, 5)
    with never_computed():
        value, gradient = qd.value_and_grad(logistic)(w, a, labels)
    assert isinstance(value, da.Array)
    assert isinstance(gradient, da.Array)
    assert (gradient.shape, gradient.dtype) == ((5,), np.float64)
    computed = dask.compute(value, gradient, scheduler="synchronous")
    for got, want in zip(computed, qd.value_and_grad(logistic)(w, A, LABELS), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_descent_learns():
    a, labels = da.from_array(A, chunks=(16, 5)), da.from_array(LABELS, chunks=16)
    w = np.zeros(5)
    for _ in range(5):
        value, gradient = dask.compute(
            *qd.value_and_grad(logistic)(w, a, labels), scheduler="synchronous"
        )
        w = w - 2.0 * gradient
    assert value < np.log(2.0) / 2


def test_a_network_over_chunks():
    a, labels = da.from_array(A, chunks=(16, 5)), da.from_array(LABELS, chunks=16)
    p = {
        "w": RNG.normal(size=(5, 4)), "b": np.zeros(4), "v": RNG.normal(size=4),
    }  # fmt: skip
    with never_computed():
        value, grads = qd.value_and_grad(network)(p, a, labels)
    value, grads = dask.compute(value, grads, scheduler="synchronous")
    want, wanted = qd.value_and_grad(network)(p, A, LABELS)
    np.testing.assert_allclose(value, want, rtol=1e-12)
    for name in p:
        np.testing.assert_allclose(grads[name], wanted[name], rtol=1e-10, atol=1e-14)


def test_dropped_lanes_do_not_need_the_numbers():
    x = da.from_array(np.array([-1.0, 0.0, 4.0, 9.0]), chunks=2)
    with never_computed():
        g = qd.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x)
    with np.errstate(all="ignore"):
        found = g.compute(scheduler="synchronous")
    np.testing.assert_array_equal(found, [0.0, 0.0, 0.25, 1 / 6])


def test_backward_second_order_and_products_stay_lazy():
    x = da.from_array(np.linspace(0.5, 2.0, 7), chunks=3)
    with never_computed():
        t = qd.tensor(x, requires_grad=True)
        np.sum(np.log(t) * t[::-1]).backward()
        h = qd.hvp(lambda x: np.sum(np.exp(x) * x), x, x)
        _, dy = qd.jvp(np.sin, (x,), (x,))
        text = repr(t)
    assert text == "tensor(dask.array f64[7], requires_grad=True)"
    n = np.linspace(0.5, 2.0, 7)
    got = dask.compute(t.grad.array(), h, dy, scheduler="synchronous")
    want = (np.log(n)[::-1] + n[::-1] / n, np.exp(n) * (n + 2) * n, np.cos(n) * n)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12)


def test_a_gradient_larger_than_memory_is_only_described():
    x = da.random.default_rng(0).random((10**6, 10**6), chunks=10**5)
    before = threading.active_count()
    with never_computed():
        g = qd.grad(lambda x: np.sum(np.tanh(x) ** 2))(x)
    assert g.shape == x.shape
    assert g.chunks == x.chunks
    assert threading.active_count() == before
