"""In-place writes: readers keep the old value, and the gradient is that of what was computed."""

import contextlib

import numpy as np
import pytest

import qiudao as qd
from checking import close, leaf, slopes
from qiudao.core.source import line_of


def test_earlier_readers_keep_the_old_value():
    x = leaf([1.0, 2.0])
    y = x * 3
    z = y * y
    y[0] = 100.0
    close(z, [9.0, 36.0])
    close(qd.grad(z.sum(), x)[0], [18.0, 36.0])


def test_a_written_element_gets_its_gradient_from_what_was_written():
    x = leaf([1.0, 2.0])
    y = x * 3
    y[0] = x[1] * 10
    close(y, [20.0, 6.0])
    close(qd.grad(y.sum(), x)[0], [0.0, 13.0])


def test_writing_a_constant_stops_the_gradient_there():
    x = leaf([1.0, 2.0])
    y = x * 3
    y[0] = 7.0
    close(qd.grad(y.sum(), x)[0], [0.0, 3.0])


def test_writing_into_a_constant_tensor_makes_it_record():
    x = leaf([1.0, 2.0])
    y = qd.tensor(np.zeros(3))
    y[1:] = x * x
    assert y.requires_grad
    close(qd.grad(y.sum(), x)[0], [2.0, 4.0])


@pytest.mark.parametrize("make", [np.zeros_like, np.empty_like, np.ones_like, np.copy])
def test_arrays_made_like_a_tensor_record_what_is_written(make):
    x = leaf([1.0, 2.0])
    y = make(x)
    y[0], y[1] = x[1] * 2, x[0] * x[0]
    close(y, [4.0, 1.0])
    close(qd.grad(y.sum(), x)[0], [2.0, 2.0])


def test_a_loop_that_fills_an_array():
    def path(x):
        y = np.zeros_like(x)
        y[0] = x[0]
        for k in range(1, len(x)):
            y[k] = 0.5 * y[k - 1] + np.sin(x[k])
        return y.sum()

    data = np.array([0.3, 1.2, -0.4, 0.9])
    close(qd.grad(path)(data), slopes(path, data), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "act, wanted",
    [
        (lambda y, x: y.__iadd__(x), [4.0, 4.0]),
        (lambda y, x: y.__isub__(x), [2.0, 2.0]),
        (lambda y, x: y.__imul__(x), [6.0, 12.0]),
        (lambda y, x: y.__itruediv__(x), [0.0, 0.0]),
        (lambda y, x: y.__ipow__(2), [18.0, 36.0]),
        (lambda y, x: y.__imatmul__(np.array([[0.0, 1.0], [1.0, 0.0]])), [3.0, 3.0]),
        (lambda y, x: y.__imod__(100.0), [3.0, 3.0]),
    ],
)
def test_augmented_assignment(act, wanted):
    x = leaf([1.0, 2.0])
    y = x * 3
    assert act(y, x) is y
    close(qd.grad(y.sum(), x)[0], wanted)


def test_augmented_assignment_keeps_the_dtype():
    x = leaf(np.float32([1.0, 2.0]))
    y = x * 1
    y += np.array([0.5, 0.5])
    assert y.dtype == np.float32
    assert qd.grad(y.sum(), x)[0].dtype == np.float32


def test_a_write_keeps_the_dtype_of_the_target():
    x = leaf([1.0, 2.0])
    y = qd.tensor(np.zeros(2, np.float32))
    y[0] = x[0]
    assert y.dtype == np.float32
    close(qd.grad(y.sum(), x)[0], [1.0, 0.0])


def test_a_value_may_be_written_into_itself():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[1:] = y[:-1]
    close(y, [1.0, 1.0, 2.0])
    y[::-1] = y
    close(y, [2.0, 1.0, 1.0])
    close(qd.grad((y * [1.0, 10.0, 100.0]).sum(), x)[0], [110.0, 1.0, 0.0])


def test_a_write_may_broadcast():
    x = leaf([1.0, 2.0])
    y = qd.tensor(np.zeros((3, 2)))
    y[...] = x
    y[0] = x[0]
    close(y, [[1.0, 1.0], [1.0, 2.0], [1.0, 2.0]])
    close(qd.grad(y.sum(), x)[0], [4.0, 2.0])


def test_where_an_index_repeats_the_last_value_stays():
    x = leaf([1.0, 2.0, 3.0])
    y = qd.tensor(np.zeros(2))
    y[[0, 1, 0]] = x
    close(y, [3.0, 2.0])
    close(qd.grad(y.sum(), x)[0], [0.0, 1.0, 1.0])


def test_an_augmented_write_at_a_repeated_index_adds_once():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[[0, 0, 1]] += np.array([10.0, 20.0, 30.0])
    close(y, [21.0, 32.0, 3.0])
    close(qd.grad(y.sum(), x)[0], [1.0, 1.0, 1.0])


def test_a_write_by_a_mask():
    x = leaf([1.0, -2.0, 3.0])
    y = x * 1
    y[x < 0] = 0.0
    y[y > 2] *= 5
    close(y, [1.0, 0.0, 15.0])
    close(qd.grad(y.sum(), x)[0], [1.0, 0.0, 5.0])


def test_disjoint_slices_of_one_buffer_are_written_and_read():
    # torch refuses this: it sees one version counter for the whole buffer
    x = leaf([1.0, 2.0])
    buffer = qd.tensor(np.zeros(4))
    left, right = buffer[:2], buffer[2:]
    left[...] = x
    a = left * left
    right[...] = a * x
    b = right * right
    (a.sum() + b.sum()).backward()
    close(x.grad, [2 + 6.0, 4 + 6 * 32.0])


def test_a_buffer_that_is_used_again_and_again():
    x = leaf([1.0, 2.0])
    buffer, total = np.zeros_like(x), 0.0
    for power in range(1, 4):
        buffer[...] = x**power
        total = total + buffer.sum()
    close(qd.grad(total, x)[0], [1 + 2 + 3.0, 1 + 4 + 12.0])


def test_a_slot_may_be_shifted():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    y[:-1] += y[1:]
    close(y, [3.0, 5.0, 3.0])
    close(qd.grad((y * y).sum(), x)[0], [6.0, 16.0, 16.0])


# Under no_grad


def test_a_parameter_is_updated_under_no_grad():
    w = leaf([1.0, 2.0])
    (w * w).sum().backward()
    with qd.no_grad():
        w -= 0.5 * w.grad
    close(w, [0.0, 0.0])
    assert w.is_leaf
    assert w.requires_grad
    w.zero_grad()
    (3 * w).sum().backward()
    close(w.grad, [3.0, 3.0])


def test_an_element_of_a_parameter_is_set_under_no_grad():
    w = leaf([1.0, 2.0])
    with qd.no_grad():
        w[0] = 7.0
        w[1:][0] = 8.0
    close(w, [7.0, 8.0])
    assert w.is_leaf


def test_a_write_under_no_grad_leaves_earlier_readers():
    w = leaf([1.0, 2.0])
    y = (w * w).sum()
    with qd.no_grad():
        w[...] = 100.0
    y.backward()
    close(w.grad, [2.0, 4.0])


def test_a_write_under_no_grad_to_a_computed_tensor_keeps_its_place():
    x = leaf([1.0, 2.0])
    y = x * 3
    with qd.no_grad():
        y[0] = 10.0
    close(qd.grad((y * y).sum(), x)[0], [60.0, 36.0])


def test_a_view_read_under_no_grad_after_a_recorded_write_keeps_its_gradient():
    x = leaf([1.0, 2.0])
    y = x * 1
    v = y[:1]
    y *= 5
    with qd.no_grad():
        close(v, [5.0])
    close(qd.grad(v.sum(), x)[0], [5.0, 0.0])


def test_a_view_made_under_no_grad_is_a_constant_and_shows_later_values():
    x = leaf([1.0, 2.0])
    y = x * 1
    with qd.no_grad():
        v = y[:1]
    assert not v.requires_grad
    y *= 5
    close(v, [5.0])
    assert not v.requires_grad


def test_views_of_a_leaf_show_what_is_written_under_no_grad():
    w = leaf([1.0, 2.0])
    v = w[:1]
    with qd.no_grad():
        w *= 10
    close(v, [10.0])
    close(qd.grad((v * 3).sum(), w)[0], [3.0, 0.0])


# Inside functions that are differentiated


@pytest.mark.parametrize(
    "slope",
    [
        lambda f, x: qd.grad(f)(x),
        lambda f, x: qd.jacfwd(f)(x),
        lambda f, x: qd.jacrev(f)(x),
        lambda f, x: qd.vmap(qd.grad(f))(x[None])[0],
    ],
    ids=["grad", "jacfwd", "jacrev", "vmap"],
)
def test_an_argument_may_be_written_to_and_the_callers_array_stays(slope):
    def f(x):
        x[0] = x[1] * 2
        x += 1
        return (x * x).sum()

    data = np.array([1.0, 2.0, 3.0])
    close(slope(f, data), [0.0, 2 * 5 * 2 + 2 * 3.0, 8.0])
    close(data, [1.0, 2.0, 3.0])


def test_an_outer_value_that_is_written_to_after_an_inner_function_read_it():
    def outer(x):
        held = x * 1

        def inner(y):
            z = (y * held).sum()
            held[...] = 0.0
            return z

        return qd.grad(inner)(x).sum()

    close(outer(np.array([2.0, 3.0])), 5.0)
    close(qd.grad(outer)(np.array([2.0, 3.0])), [1.0, 1.0])


def test_the_value_that_vjp_returned_may_be_written_to():
    data = np.array([0.0, 1.0])
    y, pull = qd.vjp(np.exp, data)
    y += 100.0
    close(pull(np.ones(2))[0], np.exp(data))


def test_the_value_that_linearize_returned_may_be_written_to():
    data = np.array([0.0, 1.0])
    y, push = qd.linearize(np.exp, data)
    y += 100.0
    close(push(np.ones(2)), np.exp(data))


@pytest.mark.parametrize(
    "both",
    [
        lambda f, a: qd.grad(f, argnums=(0, 1))(a, a),
        lambda f, a: qd.vjp(f, a, a)[1](1.0),
    ],
    ids=["grad", "vjp"],
)
def test_gradients_share_no_memory(both):
    a = np.ones(3)
    left, right = both(lambda x, y: (x + y).sum(), a)
    left[0] = 50.0
    close(left, [50.0, 1.0, 1.0])
    close(right, [1.0, 1.0, 1.0])


def test_a_pulled_back_cotangent_shares_no_memory_with_the_one_given():
    ct = np.ones(2)
    _, pull = qd.vjp(lambda x: x, np.zeros(2))
    (g,) = pull(ct)
    g[0] = 5.0
    close(ct, [1.0, 1.0])


def test_a_pushed_tangent_shares_no_memory_with_the_one_given():
    x, dx = np.zeros(2), np.ones(2)
    y, dy = qd.jvp(lambda x: x, (x,), (dx,))
    y[0], dy[0] = 5.0, 5.0
    close(x, [0.0, 0.0])
    close(dx, [1.0, 1.0])


@pytest.mark.parametrize("operator", ["+=", "-=", "*=", "/=", "**=", "@="])
def test_operators_in_place_are_recorded_where_the_user_wrote_them(operator):
    written = compile(f"\n\ny {operator} w", "<a user's file>", "exec")
    space = {"y": leaf(np.eye(2)) * 1.0, "w": np.eye(2) + 1.0}
    exec(written, space)
    node = space["y"].node
    assert line_of(node.code, node.offset)[:2] == ("<a user's file>", 3)


def test_numbers_of_a_transform_are_recorded_where_they_are_added_to():
    written = compile("\n\ny += 2.0", "<a user's file>", "exec")

    def f(x):
        for mode in (contextlib.nullcontext(), qd.no_grad()):
            space = {"y": x}
            with mode:
                exec(written, space)
            y = space["y"]
            where = y.cut.where if y.node is None else (y.node.code, y.node.offset)
            assert line_of(*where)[:2] == ("<a user's file>", 3)
        return y + x

    assert qd.grad(f)(1.0) == 1.0
