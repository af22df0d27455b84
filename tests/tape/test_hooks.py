"""Hooks: when they run, in which order, what they may change, and how they go."""

import gc
import weakref

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf


def test_a_hook_sees_the_whole_gradient_once():
    x = leaf(2.0)
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(float(g)))
    (y * y + y).backward()
    assert seen == [13.0]


def test_a_hook_may_replace_the_gradient():
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.backward()
    close(x.grad, 30.0)


def test_hooks_run_in_order_of_registration():
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: g * 10)
    y.backward()
    close(x.grad, 60.0)


def test_a_hook_on_a_leaf_changes_what_is_summed():
    x = leaf(2.0)
    x.register_hook(lambda g: -g)
    (3 * x).backward()
    close(x.grad, -3.0)


def test_a_hook_on_a_leaf_serves_grad_too():
    x = leaf(2.0)
    x.register_hook(lambda g: -g)
    close(qd.grad(3 * x, x)[0], -3.0)


def test_the_order_of_everything():
    x = leaf(2.0)
    y = x * 3
    order = []
    y.register_hook(lambda g: order.append("hook of y"))
    y.retain_grad()
    y.register_hook(lambda g: order.append("second hook of y"))
    x.register_hook(lambda g: order.append(f"hook of x, x.grad {x.grad}"))
    x.register_post_accumulate_grad_hook(lambda t: order.append(f"after, x.grad {t.grad}"))
    y.backward()
    assert order == [
        "hook of y",
        "second hook of y",
        "hook of x, x.grad None",
        "after, x.grad tensor(3.)",
    ]


def test_retain_grad_keeps_what_the_hooks_left():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 7)
    y.backward()
    close(y.grad, 7.0)


def test_grad_does_not_run_post_accumulate_hooks():
    x = leaf(2.0)
    x.register_post_accumulate_grad_hook(lambda t: pytest.fail("it ran"))
    qd.grad(3 * x, x)


def test_a_post_accumulate_hook_may_take_a_step():
    x = leaf(2.0)

    def step(tensor):
        tensor -= 0.1 * tensor.grad  # nothing is recorded in the hooks of a plain sweep
        tensor.zero_grad()

    x.register_post_accumulate_grad_hook(step)
    (3 * x).backward()
    close(x, 1.7)
    assert x.grad is None


def test_a_removed_hook_does_not_run():
    x = leaf(2.0)
    handle = x.register_hook(lambda g: g * 10)
    handle.remove()
    handle.remove()
    (3 * x).backward()
    close(x.grad, 3.0)


def test_a_removed_post_accumulate_hook_does_not_run():
    x = leaf(2.0)
    x.register_post_accumulate_grad_hook(lambda t: pytest.fail("it ran")).remove()
    (3 * x).backward()


def test_a_hook_may_remove_itself():
    x = leaf(2.0)
    seen = []

    def once(gradient):
        seen.append(float(gradient))
        handle.remove()

    handle = x.register_hook(once)
    (3 * x).backward()
    (3 * x).backward()
    assert seen == [3.0]


def test_a_hook_registered_before_a_write_stays_with_the_old_value():
    x = leaf([1.0, 2.0])
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y *= 5
    y.sum().backward()
    assert seen == [[5.0, 5.0]]


def test_a_hook_on_a_view():
    x = leaf([1.0, 2.0])
    v = (x * 1)[:1]
    v.register_hook(lambda g: g * 10)
    v.sum().backward()
    close(x.grad, [10.0, 0.0])


@pytest.mark.parametrize("create_graph", [False, True])
def test_recording_inside_a_hook_follows_create_graph(create_graph):
    x = leaf(2.0)
    states = []
    x.register_hook(lambda g: states.append(qd.is_grad_enabled()))
    qd.graph.register_multi_grad_hook([x], lambda gs: states.append(qd.is_grad_enabled()))
    x.register_post_accumulate_grad_hook(lambda t: states.append(qd.is_grad_enabled()))
    (x * x).backward(create_graph=create_graph)
    assert states == [create_graph] * 3
    assert qd.is_grad_enabled()


def test_a_post_accumulate_hook_that_raises_leaves_its_mode():
    x = leaf(2.0)
    x.register_post_accumulate_grad_hook(lambda t: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * x).backward()
    assert qd.is_grad_enabled()


def test_under_create_graph_a_hook_is_differentiated_through():
    x = leaf(2.0)
    y = x * x
    handle = y.register_hook(lambda g: g * y)
    (g,) = qd.grad(y, x, create_graph=True)
    close(g, 2 * 2.0**3)
    handle.remove()  # or it would run in the second sweep too
    close(qd.grad(g, x)[0], 6 * 2.0**2)


def test_under_create_graph_a_hook_on_a_view_is_differentiated_through():
    x = leaf([2.0, 1.0])
    v = (x * x)[:1]
    handle = v.register_hook(lambda g: g * v)
    (g,) = qd.grad(v.sum(), x, create_graph=True)
    handle.remove()
    close(qd.grad(g.sum(), x)[0], [24.0, 0.0])


def test_a_write_to_the_gradient_inside_a_hook_changes_nothing():
    x = leaf(2.0)

    def write(gradient):
        gradient += 100.0

    x.register_hook(write)
    (3 * x).backward()
    close(x.grad, 3.0)


def test_a_plain_answer_of_a_hook_is_taken():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: np.array([5.0, 6.0]))
    x.sum().backward()
    close(x.grad, [5.0, 6.0])


def test_a_hook_on_an_output_sees_its_cotangent():
    x = leaf(2.0)
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(float(g)))
    y.backward(5.0)
    assert seen == [5.0]


def test_a_hook_on_the_gradient_of_a_complex_tensor_sees_the_public_convention():
    z = leaf(3 + 4j)
    seen = []
    z.register_hook(lambda g: seen.append(complex(g)))
    (np.abs(z) ** 2).backward()
    assert seen == [6 + 8j]


def test_a_hook_where_a_mask_drops_an_infinite_slope_sees_the_right_gradient():
    x = leaf([0.0, 2.0])
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    with np.errstate(divide="ignore"):
        np.where(x > 0, np.log(x), x).sum().backward()
    assert seen == [[1.0, 0.5]]
    close(x.grad, [1.0, 0.5])


def test_hooks_see_batched_cotangents_as_tensors():
    x = leaf([1.0, 2.0])
    y = x * x
    y.register_hook(lambda g: g * 10)
    (g,) = qd.grad(y, x, np.eye(2), is_grads_batched=True)
    close(g, [[20.0, 0.0], [0.0, 40.0]])


def test_a_hook_makes_no_cycle():
    gc.disable()
    try:
        x = leaf(1.0)
        y = x * 2
        y.register_hook(print)
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()
