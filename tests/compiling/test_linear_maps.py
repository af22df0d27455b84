"""Compiled functions on tangents that are not known yet: `linearize` and `linear_transpose`."""

import numpy as np
import pytest

import qiudao as qd
from checking import close

pytest.importorskip("llvmlite")

A = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 4.0]])
X, V = np.array([0.3, 0.9, 1.4]), np.array([1.0, -2.0, 0.5])


def rolled(x):
    return qd.fori_loop(0, 3, lambda _, c: c * x, x)


def until(x):
    return qd.while_loop(lambda s: np.sum(s) < 100, lambda s: s * s + x, x)


FUNCTIONS = {
    "elementwise": lambda x: np.sin(x) * x,
    "product": lambda x: A @ np.exp(x),
    "loop": rolled,
    "while": until,
    "branch": lambda x: qd.cond(x[0] > 0, np.sin, np.cos, x),
    "gradient": qd.grad(lambda x: np.sum(np.sin(x) * x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_linearize_of_what_is_compiled(name):
    f = FUNCTIONS[name]
    value, push = qd.linearize(qd.jit(f), X)
    close(value, f(X))
    close(push(V), qd.jvp(f, (X,), (V,))[1])


def test_linearize_of_the_gradient_of_what_is_compiled():
    def f(x):
        return np.sum(np.sin(x) * x)

    _, push = qd.linearize(qd.grad(qd.jit(f)), X)
    close(push(V), qd.hvp(f, X, V))


def test_linearize_over_a_batch_of_what_is_compiled():
    _, push = qd.linearize(qd.vmap(qd.jit(np.sin)), X)
    close(push(V), np.cos(X) * V)
    found = qd.vmap(lambda x, v: qd.linearize(qd.jit(np.sin), x)[1](v))(X, V)
    close(found, np.cos(X) * V)


def test_linear_transpose_of_what_is_compiled():
    (found,) = qd.linear_transpose(qd.jit(lambda x: A @ x), X)(np.ones(2))
    close(found, A.sum(0))


def test_a_forward_rule_that_is_compiled_is_turned():
    cube = qd.custom_jvp(lambda x: x**3)
    slope = qd.jit(lambda x, dx: 3 * x**2 * dx)
    cube.defjvp(lambda xs, dxs: (xs[0] ** 3, slope(xs[0], dxs[0])))
    close(qd.grad(lambda x: np.sum(cube(x)))(X), 3 * X**2)
