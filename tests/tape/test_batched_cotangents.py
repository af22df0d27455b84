"""Many cotangents at once: equal to a loop, mixed with shared ones, in chunks."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, same

A = np.array([[1.0, 2.0, 0.5], [3.0, 4.0, -1.0]])


def outputs(x):
    return [np.sin(A @ x), (x * x).sum(), np.exp(x[0]) * x]


def looped(ys, x, cotangents, size):
    """The same, one at a time."""
    rows = [
        qd.grad(ys, x, [c[k] if c is not None else None for c in cotangents], retain_graph=True)[0]
        for k in range(size)
    ]
    return np.stack([r.numpy() for r in rows])


@pytest.fixture
def x():
    return leaf([0.3, -0.7, 1.2])


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 3, 4, 100])
def test_a_batch_equals_a_loop(x, chunk_size):
    rng = np.random.default_rng(0)
    cotangents = [rng.normal(size=(4, 2)), rng.normal(size=4), rng.normal(size=(4, 3))]
    ys = outputs(x)
    wanted = looped(ys, x, cotangents, 4)
    (g,) = qd.grad(ys, x, cotangents, is_grads_batched=True, chunk_size=chunk_size)
    close(g, wanted)


def test_a_cotangent_that_is_left_out_is_shared(x):
    ys = [np.sin(A @ x), (x * x).sum()]
    batch = np.eye(2)
    wanted = looped(ys, x, [batch, None], 2)
    close(qd.grad(ys, x, [batch, None], is_grads_batched=True)[0], wanted)


def test_a_cotangent_without_batch_axis_is_shared(x):
    ys = outputs(x)
    shared = np.array([1.0, 2.0, 3.0])
    batch = np.array([5.0, 6.0])
    wanted = looped(ys, x, [np.eye(2), batch, np.stack([shared, shared])], 2)
    found = qd.grad(
        ys, x, [np.eye(2), batch, shared], is_grads_batched=True, batch_dims=[0, 0, None]
    )
    close(found[0], wanted)


def test_the_batch_may_be_any_axis(x):
    y = A @ x
    batch = np.arange(8.0).reshape(2, 4)
    (g,) = qd.grad(y, x, batch, is_grads_batched=True, batch_dims=1)
    close(g, batch.T @ A)


def test_batch_dims_may_be_negative(x):
    y = A @ x
    batch = np.arange(8.0).reshape(2, 4)
    (g,) = qd.grad(y, x, batch, is_grads_batched=True, batch_dims=-1)
    close(g, batch.T @ A)


def test_batch_dims_is_a_tree(x):
    ys = {"a": A @ x, "b": [x.sum(), x * 2]}
    cotangents = {"a": np.eye(2), "b": [5.0, np.ones((3, 2))]}
    found = qd.grad(
        ys, {"x": x}, cotangents, is_grads_batched=True, batch_dims={"a": 0, "b": [None, 1]}
    )
    same(found, {"x": A + 5.0 + 2.0})


def test_every_input_gets_the_batch_axis(x):
    w = leaf(2.0)
    gx, gw = qd.grad(x * w, [x, w], np.eye(3), is_grads_batched=True)
    close(gx, 2 * np.eye(3))
    close(gw, x.detach().numpy())


def test_an_input_reached_only_by_the_shared_part_is_repeated(x):
    w = leaf(2.0)
    found = qd.grad([x * 1, w * w], w, [np.eye(3), None], is_grads_batched=True)
    close(found[0], [4.0, 4.0, 4.0])


def test_an_unused_input_gets_zeros_with_a_batch_axis(x):
    w = leaf([1.0, 2.0])
    found = qd.grad(x * 1, [x, w], np.eye(3), is_grads_batched=True, unused="zero")
    close(found[1], np.zeros((3, 2)))


def test_an_input_that_is_the_output_gets_its_cotangents(x):
    y = x * 2
    gy, gx = qd.grad(y, [y, x], np.eye(3), is_grads_batched=True)
    close(gy, np.eye(3))
    close(gx, 2 * np.eye(3))


def test_no_cotangent_is_batched(x):
    (g,) = qd.grad((x * x).sum(), x, None, is_grads_batched=True)
    close(g, 2 * x.detach().numpy())


def test_an_empty_batch(x):
    (g,) = qd.grad(x * 2, x, np.zeros((0, 3)), is_grads_batched=True)
    close(g, np.zeros((0, 3)))


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_batched_gradients_may_be_differentiated_again(x, chunk_size):
    (rows,) = qd.grad(
        np.sin(x), x, np.eye(3), is_grads_batched=True, create_graph=True, chunk_size=chunk_size
    )
    (g,) = qd.grad(rows.sum(), x)
    close(g, -np.sin(x.detach().numpy()))


def test_the_graph_is_freed_after_the_last_chunk(x):
    y = np.exp(x)
    qd.grad(y, x, np.eye(3), is_grads_batched=True, chunk_size=1)
    with pytest.raises(RuntimeError, match="were freed by"):
        qd.grad(y, x, np.ones(3))


def test_a_batch_of_complex_cotangents():
    z = leaf([1 + 2j, 3 - 1j])
    y = z * z
    batch = np.array([[1.0, 0.0], [0.0, 1j]])
    wanted = [qd.grad(y, z, c, retain_graph=True)[0].numpy() for c in batch]
    close(qd.grad(y, z, batch, is_grads_batched=True)[0], np.stack(wanted))


def test_a_mask_over_an_infinite_slope_in_a_batch():
    x = leaf([0.0, 2.0])
    with np.errstate(divide="ignore"):
        y = np.where(x > 0, np.log(x), x)
    (g,) = qd.grad(y, x, np.eye(2), is_grads_batched=True)
    close(g, [[1.0, 0.0], [0.0, 0.5]])
