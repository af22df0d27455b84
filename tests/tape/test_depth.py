"""Long chains: no recursion, neither in the sweep nor when the graph is freed."""

import gc
import tracemalloc

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf

DEEP = 20_000  # ten times what Python's own stack allows


def chain(y, length):
    for _ in range(length):
        y = y * 0.9999 + 0.0001
    return y


def test_a_long_chain_is_swept():
    x = leaf(1.0)
    chain(x, DEEP).backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.9999**DEEP, rtol=1e-9)


def test_a_long_chain_is_freed_with_its_last_name():
    x = leaf(1.0)
    y = chain(x, DEEP)
    del y


def test_a_long_chain_is_freed_after_its_sweep():
    x = leaf(1.0)
    y = chain(x, DEEP)
    y.backward()
    del y, x


def test_a_long_chain_under_create_graph():
    x = leaf(1.0)
    y = x
    for _ in range(3000):
        y = y + 1e-4 * y * y
    (g,) = qd.grad(y, x, create_graph=True)
    (second,) = qd.grad(g, x)
    assert np.isfinite(second.numpy())


def test_a_long_chain_of_writes():
    x = leaf([1.0, 2.0])
    y = x * 1
    for _ in range(DEEP // 4):
        y[0] += 1.0
    y.sum().backward()
    close(x.grad, [1.0, 1.0])


def test_a_long_chain_through_functions():
    close(qd.grad(lambda x: chain(x, 5000))(1.0), 0.9999**5000, rtol=1e-9)
    _, dy = qd.jvp(lambda x: chain(x, 5000), (1.0,), (1.0,))
    close(dy, 0.9999**5000, rtol=1e-9)
    _, push = qd.linearize(lambda x: chain(x, 5000), 1.0)
    close(push(1.0), 0.9999**5000, rtol=1e-9)


def test_a_wide_sum_of_many_uses():
    x = leaf(1.0)
    total = 0.0
    for k in range(3000):
        total = total + k * x
    total.backward()
    close(x.grad, 3000 * 2999 / 2)


@pytest.mark.parametrize(
    "step",
    [lambda y: y + 1.0, lambda y: y.T, lambda y: -y, lambda y: y.reshape(1000)],
    ids=["add", "transpose", "negative", "reshape"],
)
def test_linear_steps_keep_no_values(step):
    x = leaf(np.zeros(1000))
    y = step(x)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(500):
            y = step(y)
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 500 * 2500  # an array of 8000 bytes for each step would be 4,000,000


def test_nothing_is_kept_where_nothing_requires_grad():
    y = qd.tensor(np.zeros(1000))
    tracemalloc.start()
    try:
        for _ in range(500):
            y = y * 2.0
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100_000


def test_a_freed_graph_holds_no_values():
    x = leaf(np.zeros(1000))
    tracemalloc.start()
    try:
        y = x
        for _ in range(300):
            y = np.sin(y)
        before, _ = tracemalloc.get_traced_memory()
        z = y.sum()
        z.backward()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert before > 300 * 8000
    assert after < 300 * 2000


def test_a_graph_is_freed_without_the_garbage_collector():
    x = leaf(np.zeros(10))
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(20):
            y = np.sin(x * x).sum()
            (g,) = qd.grad(y, x, create_graph=True)
            (g * g).sum().backward()
            x.grad = None
        del y, g
        assert len(gc.get_objects()) - before < 200
    finally:
        gc.enable()
