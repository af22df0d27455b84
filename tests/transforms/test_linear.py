"""`linearize` and `linear_transpose`: linear maps as functions."""

import numpy as np
import pytest

import qiudao as qd
from checking import close, same
from qiudao.core.errors import LeakError, RuleError

A = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 4.0]])


def f(x):
    return np.sin(A @ x) * x[0]


X = np.array([0.3, 0.9, -0.4])


def test_linearize_gives_the_value_and_the_derivative():
    y, push = qd.linearize(f, X)
    close(y, f(X))
    for dx in np.eye(3):
        close(push(dx), qd.jvp(f, (X,), (dx,))[1])


def test_linearize_runs_the_function_once():
    calls = []

    def counted(x):
        calls.append(1)
        return f(x)

    _, push = qd.linearize(counted, X)
    push(X)
    push(X)
    assert calls == [1]


def test_linearize_of_several_arguments_and_containers():
    def g(p, y):
        return {"z": p["a"] * y, "w": [p["b"] ** 2]}

    y, push = qd.linearize(g, {"a": 2.0, "b": 3.0}, 5.0)
    same(y, {"z": 10.0, "w": [9.0]})
    same(push({"a": 1.0, "b": 10.0}, 100.0), {"z": 205.0, "w": [60.0]})


def test_linearize_of_a_result_that_does_not_move():
    _y, push = qd.linearize(lambda x: (x, np.ones(2)), 3.0)
    same(push(5.0), (5.0, np.zeros(2)))


def test_linearize_of_branches_loops_and_writes():
    def g(x):
        y = np.zeros_like(x)
        for k in range(3):
            y[k] = x[k] ** 2 if x[k] > 0 else -x[k]
        view = y[1:]
        view *= x[0]
        return y

    _, push = qd.linearize(g, X)
    for dx in np.eye(3):
        close(push(dx), qd.jvp(g, (X,), (dx,))[1])


def test_the_derivative_may_be_differentiated():
    _, push = qd.linearize(f, X)
    close(qd.jacrev(push)(np.zeros(3)), qd.jacfwd(f)(X))


def test_linearize_inside_grad_is_differentiated():
    def slope(x):
        return qd.linearize(np.sin, x)[1](1.0)

    close(qd.grad(slope)(0.3), -np.sin(0.3))


def test_an_outer_value_written_to_after_linearize_changes_nothing():
    def g(x):
        held = x * 1
        _, push = qd.linearize(lambda y: (y * held).sum(), np.ones(3))
        held[...] = 0.0
        return push(np.ones(3))

    close(qd.grad(g)(X), np.ones(3))


def test_linearize_results_share_no_memory():
    _, push = qd.linearize(lambda x: (x, x), X)
    dx = np.ones(3)
    one, other = push(dx)
    one += 5
    close(other, np.ones(3))
    close(dx, np.ones(3))


TRANSPOSES = {
    "matrix": (lambda x: A @ x, A.T),
    "scaling": (lambda x: 3.0 * x, 3 * np.eye(3)),
    "sum": (lambda x: np.sum(x)[None], np.ones((3, 1))),
    "slices": (lambda x: x[1:] - x[:-1], np.array([[-1.0, 0], [1, -1], [0, 1]])),
    "gather": (lambda x: x[[0, 0, 2]], np.array([[1.0, 1, 0], [0, 0, 0], [0, 0, 1]])),
    "concatenate": (
        lambda x: np.concatenate([x, 2 * x[:1]]),
        np.hstack([np.eye(3), [[2], [0], [0]]]),
    ),
    "where": (lambda x: np.where([True, False, True], x, 0.0), np.diag([1.0, 0, 1])),
    "cumsum": (np.cumsum, np.triu(np.ones((3, 3)))),
    "flip": (np.flip, np.eye(3)[::-1]),
    "division": (lambda x: x / 2.0, np.eye(3) / 2),
    "of itself": (lambda x: x, np.eye(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSPOSES)
def test_linear_transpose(name):
    g, wanted = TRANSPOSES[name]
    back = qd.linear_transpose(g, np.zeros(3))
    for k in range(wanted.shape[1]):
        (found,) = back(np.eye(wanted.shape[1])[k])
        close(found, wanted[:, k])


def test_linear_transpose_of_containers():
    back = qd.linear_transpose(lambda p: [p["a"] + p["b"], 2 * p["a"]], {"a": 0.0, "b": 0.0})
    same(back([1.0, 10.0]), ({"a": 21.0, "b": 1.0},))


def test_linear_transpose_of_complex_maps_conjugates():
    (found,) = qd.linear_transpose(lambda z: 1j * z, np.zeros(2, complex))(np.array([1.0, 1j]))
    close(found, [-1j, 1.0])


def test_an_input_that_is_not_used_gets_zeros():
    back = qd.linear_transpose(lambda x, y: 2 * x, np.zeros(2), np.zeros(3))
    same(back(np.ones(2)), (2 * np.ones(2), np.zeros(3)))


def test_the_transpose_of_float32_is_float32():
    (found,) = qd.linear_transpose(lambda x: 2 * x, np.zeros(2, np.float32))(np.ones(2))
    assert found.dtype == np.float32


# Buffers that the function fills again and again

REUSES = {
    "a factor": lambda x, b, k: x * b * x,
    "a mask": lambda x, b, k: np.where(b > 1.0, x, x * x),
    "an index": lambda x, b, k: x[np.argsort(b)] * x,
    "a product": lambda x, b, k: np.dot(b, x) * x,
    "a base": lambda x, b, k: b**x,
}


def through_a_buffer(use, size):
    buffer = np.zeros(size)

    def f(x):
        total = 0.0
        for k in range(3):
            buffer[:] = np.roll(np.linspace(0.5, 1.5, size), k)
            total = total + np.sum(use(x, buffer, k) * np.cos(np.arange(size)))
        return total

    return f


@pytest.mark.parametrize("size", [4, 5000])
@pytest.mark.parametrize("use", REUSES.values(), ids=REUSES)
def test_linearize_reads_a_buffer_as_it_was_at_each_use(use, size):
    f = through_a_buffer(use, size)
    x, dx = np.linspace(0.6, 1.4, size), np.sin(np.arange(size))
    close(qd.linearize(f, x)[1](dx), qd.jvp(f, (x,), (dx,))[1])
    close(qd.linearize(f, x)[1](dx), qd.grad(f)(x) @ dx)


def test_linear_transpose_reads_a_buffer_as_it_was_at_each_use():
    f = through_a_buffer(lambda x, b, k: x * b, 4)
    x = np.ones(4)
    close(qd.linear_transpose(f, x)(1.0)[0], qd.grad(f)(x))


def test_a_forward_rule_may_reuse_a_buffer():
    plain = through_a_buffer(lambda x, b, k: x * b, 4)
    ruled = qd.custom_jvp(lambda x: plain(x))
    ruled.defjvp(lambda xs, dxs: (plain(xs[0]), plain(dxs[0])))
    x = np.linspace(0.6, 1.4, 4)
    close(qd.grad(ruled)(x), qd.grad(plain)(x))


def test_a_reverse_rule_may_reuse_a_buffer():
    buffer = np.zeros(4)

    def back(x, ct):
        total = np.zeros_like(x)
        for k in range(3):
            buffer[:] = k + np.arange(4.0)
            total = total + ct * buffer
        return (total,)

    ruled = qd.custom_vjp(lambda x: np.sum(x * (3 * np.arange(4.0) + 3)))
    ruled.defvjp(lambda x: (np.sum(x * (3 * np.arange(4.0) + 3)), x), back)
    x = np.ones(4)
    close(qd.jvp(ruled, (x,), (np.eye(4)[2],))[1], 9.0)
    close(qd.grad(ruled)(x), 3 * np.arange(4.0) + 3)


def test_linear_transpose_puts_the_recording_mode_back():
    def f(x):
        qd.set_grad_enabled(False)
        return 3.0 * x

    close(qd.linear_transpose(f, np.zeros(2))(np.ones(2))[0], np.full(2, 3.0))
    assert qd.is_grad_enabled()


def test_linear_transpose_with_a_tape_inside():
    def f(x):
        return qd.tensor([1.0, 2.0], requires_grad=True) * x

    close(qd.linear_transpose(f, np.zeros(2))(np.ones(2))[0], np.array([1.0, 2.0]))


def test_what_linear_transpose_was_kept_from_is_refused():
    kept = []
    qd.linear_transpose(lambda x: (kept.append(3.0 * x), x)[1], np.zeros(2))
    with pytest.raises(LeakError, match="linear_transpose: this f64"):
        qd.grad(lambda y: np.sum(y * kept[0]))(np.ones(2))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + 3.0,
        lambda x: 3.0 - x,
        lambda x: np.concatenate([x, np.ones(1)]),
        lambda x: np.where(np.array([True, False]), x, 1.0),
        lambda x: qd.scan(lambda c, e: (c + e, c), 1.0, x),
    ],
)
def test_linear_transpose_refuses_what_adds_something(f):
    with pytest.raises(RuleError, match="affine"):
        qd.linear_transpose(f, np.zeros(2))


def test_linear_transpose_takes_zeros_that_are_added():
    back = qd.linear_transpose(lambda x: np.concatenate([x + 0.0, np.zeros(1)]), np.zeros(2))
    close(back(np.array([1.0, 2.0, 3.0]))[0], [1.0, 2.0])


def test_linear_transpose_takes_operands_that_only_measure():
    def f(x):
        return np.sum(np.exp(np.linalg.eigvalsh(np.diag(x) + np.outer(x, x))))

    x = np.array([1.0, 2.0, 4.0])
    back = qd.linear_transpose(qd.linearize(qd.grad(f), x)[1], x)
    close(back(X)[0], qd.hessian(f)(x) @ X, 1e-9)
