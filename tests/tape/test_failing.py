"""A call that fails changes nothing: not `.grad`, not the graph, not the mode."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


class OddError(Exception):
    pass


def failing(_):
    raise OddError


@pytest.fixture
def x():
    x = leaf([1.0, 2.0])
    x.grad = [10.0, 10.0]
    return x


def graph(x):
    y = np.exp(x)
    return y, (y * x).sum()


def unchanged(x, z):
    """`.grad` is as it was, the mode too, and the graph can still be swept."""
    close(x.grad, [10.0, 10.0])
    assert qd.is_grad_enabled()
    z.backward()
    close(x.grad, 10 + np.exp([1.0, 2.0]) * np.array([2.0, 3.0]))


def test_an_error_in_a_hook(x):
    y, z = graph(x)
    handle = y.register_hook(failing)
    with pytest.raises(OddError):
        z.backward()
    handle.remove()
    unchanged(x, z)


def test_an_error_in_a_hook_of_one_of_two_leaves():
    x, w = leaf(2.0), leaf(3.0)
    z = x * w
    handle = x.register_hook(failing)
    with pytest.raises(OddError):
        z.backward()
    assert x.grad is None
    assert w.grad is None
    handle.remove()
    z.backward()
    close(w.grad, 2.0)


def test_a_hook_that_changes_the_shape(x):
    y, z = graph(x)
    handle = y.register_hook(lambda g: g.sum())
    with pytest.raises(ValueError, match="returned shape"):
        z.backward()
    handle.remove()
    unchanged(x, z)


def test_a_cotangent_of_a_wrong_shape(x):
    _, z = graph(x)
    with pytest.raises(ValueError, match="shape"):
        z.backward(np.ones(3))
    unchanged(x, z)


def test_one_wrong_output_among_several(x):
    _, z = graph(x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        qd.backward([z, qd.tensor(1.0)])
    unchanged(x, z)


def test_an_unused_input(x):
    _, z = graph(x)
    with pytest.raises(RuntimeError, match="gets no gradient"):
        qd.grad(z, [x, leaf(1.0)])
    unchanged(x, z)


def test_an_unused_input_beside_other_leaves(x):
    w = leaf(1.0)
    _y, z = graph(x)
    with pytest.raises(RuntimeError, match="gets no gradient"):
        qd.grad(z, w, only_inputs=False)
    unchanged(x, z)


def test_an_unknown_policy(x):
    _, z = graph(x)
    with pytest.raises(RuntimeError, match="is unknown"):
        qd.grad(z, [x, leaf(1.0)], unused=lambda path, reason: "nil")
    unchanged(x, z)


def test_skip_in_nested_inputs(x):
    _, z = graph(x)
    with pytest.raises(RuntimeError, match="cannot leave"):
        qd.grad(z, {"a": [x, leaf(1.0)]}, unused="skip")
    unchanged(x, z)


def test_skip_in_a_dict_of_lists(x):
    _, z = graph(x)
    with pytest.raises(RuntimeError, match="cannot leave"):
        qd.grad(z, {"a": x, "b": [leaf(1.0)]}, unused="skip")
    unchanged(x, z)


def test_an_array_that_cannot_keep_a_gradient(x):
    y, z = graph(x)
    kept = np.zeros(2)
    with pytest.raises(TypeError, match="cannot keep a gradient"):
        z.backward(inputs=[y, x], into=[kept, np.zeros(2, int)])
    assert not kept.any()
    unchanged(x, z)


def test_batches_of_different_sizes(x):
    y, z = graph(x)
    with pytest.raises(ValueError, match="different batch sizes"):
        qd.grad([y, y], x, [np.ones((2, 2)), np.ones((3, 2))], is_grads_batched=True)
    unchanged(x, z)


def test_a_freed_part_of_a_graph(x):
    w = leaf([1.0, 1.0])
    inner = np.exp(w)
    inner.sum().backward()
    w.grad = None
    z = (inner * x).sum() + np.exp(x).sum()
    with pytest.raises(RuntimeError, match="were freed by"):
        z.backward()
    assert w.grad is None
    close(x.grad, [10.0, 10.0])
    z = np.exp(x).sum()
    z.backward()
    close(x.grad, 10 + np.exp([1.0, 2.0]))


def test_an_array_that_was_changed():
    size = (1 << 21) + 1
    x = leaf(np.ones(size))
    data = np.ones(size)
    z = (np.exp(x) * data).sum()
    data[0] = 3.0
    with pytest.raises(RuntimeError, match="was changed"):
        z.backward()
    assert x.grad is None
    data[0] = 1.0
    z.backward()
    close(x.grad, np.full(size, np.e))


def test_an_error_in_a_post_accumulate_hook_comes_after_the_gradients():
    x, w = leaf(2.0), leaf(3.0)
    x.register_post_accumulate_grad_hook(failing)
    with pytest.raises(OddError):
        (x * w).backward()
    close(x.grad, 3.0)
    close(w.grad, 2.0)


def test_a_write_that_does_not_fit(x):
    y = x * 1
    v = y[:1]
    for write in (
        lambda: y.__setitem__(0, np.ones(3)),
        lambda: y.__setitem__(5, 1.0),
        lambda: y.__iadd__(np.ones((3, 2))),
        lambda: y.__iadd__(1j),
        lambda: v.__setitem__(slice(None), np.ones(3)),
    ):
        with pytest.raises((ValueError, IndexError, TypeError)):
            write()
    close(y, [1.0, 2.0])
    assert y._version == 0
    close(qd.grad(y.sum(), x)[0], [1.0, 1.0])


def test_a_gradient_that_does_not_fit(x):
    with pytest.raises(ValueError, match="does not fit"):
        x.grad = np.ones(3)
    close(x.grad, [10.0, 10.0])


def test_a_nan_is_a_value_and_no_failure():
    x = leaf([np.nan, 1.0])
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [np.nan, 2.0])
