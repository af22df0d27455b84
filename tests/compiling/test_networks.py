"""Convolutions and pools compiled: as eager, natively, and the same bits for any threads."""

import numpy as np
import pytest

import qiudao as qd
from ops.networks.settings import SETTINGS

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def one_thread_afterwards():
    yield
    qd.set_num_threads(1)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_convolution_as_eager(setting, dtype):
    x, kernel = setting.draw(dtype)

    def f(x, kernel):
        return np.sum(np.sin(qd.convolution(np.tanh(x), kernel, **setting.options)))

    def both(x, kernel):
        return f(x, kernel), qd.grad(f, argnums=(0, 1))(x, kernel)

    value, gradients = both(x, kernel)
    compiled_value, compiled = qd.jit(both)(x, kernel)
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(compiled_value, value, rtol=tolerance)
    for got, want in zip(compiled, gradients, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", [{}, {"stride": 1, "padding": 1}, {"stride": (2, 3)}])
def test_pools_as_eager(dtype, options):
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8)).astype(dtype)

    def f(x):
        pooled = qd.max_pool(np.tanh(x), 3, **options)
        return np.sum(pooled**2) + np.sum(qd.avg_pool(x, 3, **options) ** 3)

    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    value, gradient = qd.value_and_grad(f)(x)
    compiled_value, compiled = qd.jit(qd.value_and_grad(f))(x)
    np.testing.assert_allclose(compiled_value, value, rtol=tolerance)
    np.testing.assert_allclose(compiled, gradient, rtol=tolerance, atol=tolerance)


SHARED = [
    ((8, 16, 20, 20), (32, 16, 3, 3), {"padding": 1}),
    ((9, 8, 21, 20), (16, 4, 3, 3), {"padding": 1, "groups": 2, "stride": 2}),
    ((7, 32, 24, 12), (64, 32, 1, 1), {}),
]


@pytest.mark.parametrize("shape, length, options", SHARED)
def test_threads_share_images(shape, length, options):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=shape), rng.normal(size=length)
    ct = rng.normal(size=qd.convolution(x, kernel, **options).shape)

    def both(x, kernel, ct):
        out, pullback = qd.vjp(lambda x, k: qd.convolution(x, k, **options), x, kernel)
        return out, *pullback(ct)

    compiled = qd.jit(both)
    found = []
    for threads in (1, 2, 3):
        qd.set_num_threads(threads)
        found.append(compiled(x, kernel, ct))
    for first, *others, want in zip(*found, both(x, kernel, ct), strict=True):
        assert all(np.array_equal(first, other) for other in others)
        np.testing.assert_allclose(first, want, atol=1e-10)


def test_nothing_is_left_to_numpy():
    x, kernel = np.ones((2, 4, 9, 8)), np.ones((4, 2, 3, 3))

    def f(x, kernel):
        x = qd.convolution(x, kernel, groups=2, padding=1, stride=(1, 2))
        x = qd.transposed_convolution(x, kernel, groups=2, stride=2)
        return np.sum(qd.max_pool(x, 3, stride=2, padding=1) ** 2) + np.sum(qd.avg_pool(x, 2) ** 2)

    def penalised(x, kernel):
        slopes = qd.grad(f, argnums=(0, 1))(x, kernel)
        return sum(np.sum(g * g) for g in slopes)

    assert qd.jit(qd.grad(penalised)).lower(x, kernel).fallbacks == []


def test_long_windows_are_loops():
    x = np.random.default_rng(0).normal(size=(2, 3, 400))
    for pool in (qd.max_pool, qd.avg_pool):
        for options in ({}, {"stride": 7, "padding": 20}):

            def f(x, pool=pool, options=options):
                return np.sum(pool(x, 100, **options) ** 2)

            got, want = qd.jit(qd.grad(f))(x), qd.grad(f)(x)
            np.testing.assert_allclose(got, want, atol=1e-12)
