"""Tensors made, swept and read inside functions that are mapped or differentiated."""

import numpy as np
import pytest

import qiudao as qd
from checking import close


def slope_by_backward(x):
    t = qd.tensor(x, requires_grad=True)
    (t**3).sum().backward()
    return t.grad


def slope_by_grad(x):
    t = qd.tensor(x, requires_grad=True)
    return qd.grad((t**3).sum(), t, create_graph=True)[0]


SLOPES = pytest.mark.parametrize("slope", [slope_by_backward, slope_by_grad])
X = np.array([1.0, 2.0])


@SLOPES
def test_inside_vmap(slope):
    close(qd.vmap(slope)(X), 3 * X**2)


@SLOPES
def test_inside_grad(slope):
    close(qd.grad(lambda x: slope(x).sum())(X), 6 * X)


@SLOPES
def test_inside_jvp(slope):
    close(qd.jvp(slope, (X,), (np.ones(2),))[1], 6 * X)


@SLOPES
def test_inside_jet(slope):
    _, (first, second) = qd.jet(slope, (X,), ([np.ones(2), np.zeros(2)],))
    close(first, 6 * X)
    close(second, [3.0, 3.0])


@SLOPES
def test_inside_linearize(slope):
    close(qd.linearize(slope, X)[1](np.ones(2)), 6 * X)


@SLOPES
def test_inside_jacobians(slope):
    close(qd.jacfwd(slope)(X), np.diag(6 * X))
    close(qd.jacrev(slope)(X), np.diag(6 * X))


@SLOPES
def test_inside_vmap_of_grad_and_grad_of_vmap(slope):
    close(qd.vmap(qd.grad(slope))(X), 6 * X)
    close(qd.grad(lambda x: qd.vmap(slope)(x).sum())(X), 6 * X)


@SLOPES
def test_inside_checkpoint(slope):
    close(qd.grad(qd.checkpoint(lambda x: slope(x).sum()))(X), 6 * X)


def test_a_parameter_made_of_plain_numbers_inside_a_transform():
    def f(x):
        w = qd.tensor(2.0, requires_grad=True)
        (w * w * x).backward()
        return w.grad  # 2 w x

    close(qd.grad(f)(5.0), 4.0)
    close(qd.vmap(f)(X), 4 * X)
    close(qd.jvp(f, (5.0,), (1.0,))[1], 4.0)


def test_two_parameters_made_inside_share_a_tape():
    def f(x):
        a, b = qd.tensor(x, requires_grad=True), qd.tensor(3.0, requires_grad=True)
        y = a * a * b
        y.backward()
        return a.grad + b.grad  # 2 a b + a^2

    close(qd.vmap(f)(X), 6 * X + X**2)
    close(qd.grad(f)(2.0), 6 + 4.0)


def test_the_argument_of_a_gradient_may_be_swept_to():
    def f(x):
        (g,) = qd.grad((x**3).sum(), x)
        return (g * g).sum()

    close(qd.grad(f)(X), 36 * X**3)


def test_edges_inside_a_gradient():
    def f(x):
        y = x * x
        before = y.edge
        y *= 2
        return qd.grad(y.sum(), before)[0].sum() + qd.grad(x.edge, x.edge, np.ones(2))[0].sum()

    close(qd.grad(f)(X), [0.0, 0.0])


def test_the_tape_inside_leaves_the_tape_outside_alone():
    w = qd.tensor(2.0, requires_grad=True)
    y = w * w

    def f(x):
        t = qd.tensor(x, requires_grad=True)
        (t * t).backward()
        return t.grad

    close(qd.grad(f)(3.0), 2.0)
    y.backward()
    close(w.grad, 4.0)


def test_a_tensor_of_the_tape_outside_is_not_swept_to_from_inside():
    w = qd.tensor(2.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"make those of the tape inside the function"):
        qd.grad(lambda x: qd.grad(w * x, w)[0])(3.0)


def test_detached_values_inside_a_transform_are_constants():
    close(qd.grad(lambda x: x * qd.tensor(x.detach()))(3.0), 3.0)
    close(qd.grad(lambda x: x * qd.tensor(x.detach().item()))(3.0), 3.0)


def test_hooks_inside_a_gradient():
    def f(x):
        t = qd.tensor(x, requires_grad=True)
        t.register_hook(lambda g: g * x)
        (t * t).backward()
        return t.grad  # 2 x^2

    close(qd.grad(f)(3.0), 12.0)


def test_gradients_summed_over_two_sweeps_inside():
    def f(x):
        t = qd.tensor(x, requires_grad=True)
        (t * t).backward()
        (t * t * t).backward()
        return t.grad

    close(qd.grad(f)(3.0), 2 + 18.0)


def test_no_grad_update_inside_a_gradient():
    def f(x):
        w = qd.tensor(x, requires_grad=True)
        (w * w).backward()
        with qd.no_grad():
            w -= 0.1 * w.grad
        return w * 1.0

    # the inner update is plain arithmetic on the tape inside, and so a constant to it alone
    close(f(3.0).detach(), 3.0 - 0.6)
