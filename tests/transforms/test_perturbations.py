"""Perturbation confusion: an inner derivative never takes an outer one's variable for its own."""

import itertools

import numpy as np
import pytest

import qiudao as qd
from checking import close


def by_tape(f):
    def slope(x):
        is_recorded = isinstance(x, qd.Tensor) and x.requires_grad
        t = x * 1.0 if is_recorded else qd.tensor(x, requires_grad=True)
        return qd.grad(f(t), t, create_graph=True, unused="zero")[0]

    return slope


D = {
    "grad": qd.grad,
    "jvp": lambda f: lambda x: qd.jvp(f, (x,), (1.0,))[1],
    "jet": lambda f: lambda x: qd.jet(f, (x,), ([1.0],))[1][0],
    "linearize": lambda f: lambda x: qd.linearize(f, x)[1](1.0),
    "jacrev": qd.jacrev,
    "tape": by_tape,
}


def pairs(inner):
    """Each way to take a derivative outside each of the `inner` ways."""
    chosen = [pytest.param(D[a], D[b], id=f"{a} of {b}") for a, b in itertools.product(D, inner)]
    return pytest.mark.parametrize("outer, inner", chosen)


PAIRS = pairs(D)


@PAIRS
def test_the_classic(outer, inner):
    # d/dx (x d/dy (x + y)) = d/dx (x 1) = 1, and not 2
    close(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0), 1.0)


@PAIRS
def test_the_inner_point_is_the_outer_variable(outer, inner):
    # d/dx (x d/dy (x y) at y = x) = d/dx x^2 = 2x
    close(outer(lambda x: x * inner(lambda y: x * y)(x))(3.0), 6.0)


@pairs([name for name in D if name != "tape"])  # there, what is not on the tape is an error
def test_the_inner_function_does_not_use_its_variable(outer, inner):
    close(outer(lambda x: x * inner(lambda y: x * x)(x))(3.0), 0.0)


@PAIRS
def test_the_inner_point_is_a_function_of_the_outer_variable(outer, inner):
    # d/dx sin'(x^2) = -2x sin(x^2)
    close(outer(lambda x: inner(np.sin)(x * x))(0.7), -1.4 * np.sin(0.49))


@PAIRS
def test_one_function_differentiated_inside_itself(outer, inner):
    def f(x):
        return x * x * x

    close(outer(lambda x: f(x) + inner(f)(x))(2.0), 12.0 + 12.0)


@pytest.mark.parametrize("first", ["grad", "jvp", "jet", "tape"])
@pytest.mark.parametrize("second", ["grad", "jvp", "jet", "tape"])
@pytest.mark.parametrize("third", ["grad", "jvp", "jet", "tape"])
def test_three_levels(first, second, third):
    # d/dx (x d/dy (x y d/dz (x y z)))  = d/dx (x d/dy (x^2 y^2)) = d/dx (2 x^3 y) at y = 5
    a, b, c = D[first], D[second], D[third]
    found = a(lambda x: x * b(lambda y: x * y * c(lambda z: x * y * z)(7.0))(5.0))(2.0)
    close(found, 2 * 3 * 2.0**2 * 5.0)


def test_vmap_between():
    def f(x):
        return qd.vmap(lambda y: qd.grad(lambda z: x * y * z * z)(y))(np.array([1.0, 2.0])).sum()

    close(qd.grad(f)(3.0), 2 * (1 + 4.0))
    close(qd.jvp(f, (3.0,), (1.0,))[1], 10.0)


def test_two_variables_of_one_level():
    def f(x, y):
        return qd.grad(lambda t: t * x * y)(x)

    close(qd.grad(f, 0)(2.0, 3.0), 3.0)
    close(qd.grad(f, 1)(2.0, 3.0), 2.0)


def test_a_function_returned_from_a_derivative():
    def make(x):
        return lambda y: x * y * y

    def f(x):
        return qd.grad(make(x))(x)

    close(qd.grad(f)(3.0), 12.0)


def test_curried_derivatives_that_close_over_each_other():
    def f(x):
        def g(y):
            return qd.grad(lambda z: z * z * x * y)(y)  # 2 y x y

        return qd.grad(g)(x)  # d/dy 2 x y^2 at y = x: 4 x^2, with x held in g

    close(f(3.0), 36.0)
    close(qd.grad(f)(3.0), 24.0)


def test_a_pullback_kept_from_an_outer_level():
    def f(x):
        _, pull = qd.vjp(lambda y: y * y * x, x)  # ct -> 2 y x ct at y = x
        return qd.grad(lambda ct: pull(ct)[0] * ct)(x)  # d/dct 2 x^2 ct^2 at ct = x

    close(f(2.0), 32.0)
    close(qd.grad(f)(2.0), 48.0)
