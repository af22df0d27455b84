"""`while_loop` and `fori_loop`."""

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.ops.control import CapacityError, room
from transforms.control.tracing import agree, run, run_one

X = np.linspace(0.2, 1.4, 7)


def grow(x, **options):
    return qd.while_loop(lambda v: v < 1e9, lambda v: v * (1.01 + x * 1e-3), x, **options)


def test_python_runs_an_untraced_loop():
    assert qd.while_loop(lambda v: len(v) < 5, lambda v: [*v, len(v)], []) == [0, 1, 2, 3, 4]
    assert qd.fori_loop(2, 5, lambda i, v: [*v, i], []) == [2, 3, 4]


def test_a_loop_may_take_no_step():
    assert run(lambda x: qd.while_loop(lambda v: v < 0, lambda v: v * x, x), 2.0) == [2.0]
    agree(qd.grad(lambda x: qd.while_loop(lambda v: v < 0, lambda v: v * x, x)), 2.0)
    agree(qd.grad(lambda x: qd.fori_loop(3, 1, lambda i, v: v * x, x)), 2.0)


def test_numbers_at_the_start_take_the_dtype_that_the_body_makes():
    f = lambda x: qd.fori_loop(0, 3, lambda i, v: v * x, 1.0)
    assert run_one(f, np.float32(0.5)).dtype == f(np.float32(0.5)).dtype == np.float32
    g = lambda x: qd.while_loop(lambda v: v < 3, lambda v: v + x, 0)
    assert run_one(g, np.float32(0.5)).dtype == np.float32
    agree(lambda x: qd.fori_loop(0, 3, lambda i, v: (v[0] * x, v[1] + 2 * i), (1.0, 0))[1], 0.3)
    agree(
        lambda x: qd.while_loop(
            lambda v: v[1] < x, lambda v: (np.logical_not(v[0]), v[1] + 1), (True, 0)
        )[0],
        3.0,
    )


def test_the_length_may_be_traced():
    f = lambda x, n: qd.fori_loop(0, n, lambda i, v: v * x + i, 1.0)
    agree(f, 0.3, 4)
    agree(qd.grad(f), 0.3, 4)
    agree(qd.grad(qd.grad(f)), 0.3, 4)
    counts = np.array([4, 0, 2])
    close(qd.vmap(f)(X[:3], counts), [f(x, n) for x, n in zip(X, counts, strict=False)])
    agree(qd.vmap(qd.grad(f)), X[:3], counts)


def test_the_index_reads_and_writes_arrays():
    def filled(x):
        def body(i, z):
            z[i + 1] = np.sin(z[i]) * x[i]
            return z

        return qd.fori_loop(0, 6, body, np.copy(x))

    z = X.copy()
    for i in range(6):
        z[i + 1] = np.sin(z[i]) * X[i]
    close(run_one(filled, X), z)
    agree(filled, X)
    agree(qd.jacrev(filled), X)
    agree(qd.hessian(lambda x: np.sum(filled(x) * x)), X)


def test_matrices_are_carried():
    def f(a):
        return np.sum(qd.fori_loop(0, 3, lambda i, m: np.sin(m @ a) + i, np.eye(2)))

    a = np.array([[0.1, 0.5], [-0.3, 0.2]])
    agree(f, a)
    agree(qd.hessian(f), a)


def test_the_gradient_of_an_outer_variable_passes_into_the_loop():
    f = lambda w: qd.grad(lambda x: qd.while_loop(lambda v: v < 5, lambda v: v * w * x, x))(1.5)
    agree(f, 1.2)
    agree(qd.grad(f), 1.2)
    agree(lambda w: qd.jvp(f, (w,), (1.0,))[1], 1.2)


def test_what_the_body_does_not_differentiate():
    agree(qd.grad(lambda x: qd.fori_loop(0, 3, lambda i, v: v * qd.stop_gradient(v) * x, x)), 0.3)
    agree(
        lambda x: qd.fori_loop(0, 3, lambda i, v: v * qd.grad(lambda y: np.sin(y) * v)(v), x), 0.3
    )


def test_rules_of_the_users_own_hold_inside():
    @qd.custom_vjp
    def clipped(x):
        return x * 1.0

    clipped.defvjp(lambda x: (x * 1.0, x), lambda x, ct: (np.clip(ct, -1, 1) * x,))
    f = qd.grad(lambda x: qd.fori_loop(0, 3, lambda i, v: clipped(v) * x * 3, x))
    agree(f, 0.3)


def test_more_than_max_steps():
    for act in (lambda: grow(0.3, max_steps=9), lambda: run(lambda x: grow(x, max_steps=9), 0.3)):
        with pytest.raises(CapacityError, match="more than 9 steps; give a larger max_steps"):
            act()
    with pytest.raises(CapacityError):
        qd.vmap(lambda x: grow(x, max_steps=9))(X)


def test_exactly_max_steps():
    f = lambda x: qd.while_loop(lambda v: v < 8, lambda v: v * x, 1.0, max_steps=3)
    assert f(2.0) == 8
    agree(f, 2.0)
    agree(qd.grad(qd.grad(f)), 2.0)


def test_a_program_of_values_needs_no_room():
    agree(grow, 0.3)


def test_a_traced_gradient_has_room_for_as_many_steps_as_the_thread_is_set_to(monkeypatch):
    with pytest.raises(CapacityError) as caught:
        run(qd.grad(grow), 0.3)
    assert caught.value.capacity == room.capacity
    monkeypatch.setattr(room, "capacity", 4096)
    agree(qd.grad(grow), 0.3)
    agree(qd.vmap(qd.grad(grow)), X[:3])


def test_the_gradient_of_a_program_finds_the_room_it_needs():
    program = qd.trace(grow)(np.float64(0.3))
    close(qd.grad(lambda x: program(x)[0])(0.3), qd.grad(grow)(0.3), rtol=1e-10)


def test_examples_that_are_done_stay_as_they_are():
    """Past its end an example would divide by zero."""
    f = qd.vmap(lambda x: qd.while_loop(lambda v: v > 1, lambda v: v - 1 + 0 / (v - 0.2 > 0), x))
    close(f(np.array([3.2, 1.2, 0.2])), [0.2, 0.2, 0.2])
