"""What captured functions call, and how they compose with transforms."""

import functools

import numpy as np
import pytest

import qiudao as qd
from checking import close
from qiudao.core.errors import TraceError
from qiudao.transforms.capture import captured
from transforms.capture.running import agree, compiled


def relu(x):
    if x > 0:
        return x
    return 0.0 * x


def test_functions_that_are_called_are_captured_too():
    def f(x):
        return relu(x) + relu(-x) * 2

    agree(f, 3.0, -3.0)


def test_nested_functions_and_lambdas():
    def f(x):
        limit = 2.0

        def clip(t):
            if t > limit:
                return limit
            return t

        sign = lambda t: 1.0 if t > 0 else -1.0
        return clip(x * 1.0) * sign(x)

    agree(f, 3.0, -3.0, 1.0)


def test_a_nested_function_that_changes_variables():
    def f(x):
        total, count = 0.0, 0

        def add(t):
            nonlocal total, count
            total = total + t
            count += 1

        if x > 0:
            add(x)
        while total < 5:
            add(1.0)
        return total, count

    agree(f, 3.0, -3.0, 10.0)


def test_decisions_of_a_function_defined_after_a_decision():
    def f(x):
        if x > 5:
            return -x

        def doubled(t):
            while t < 3:
                t = t * 2
            return t if t < 5 else t + 1

        return doubled(x)

    def g(x):
        k = 0
        while k < 3:

            def step(t):
                if t > 2:
                    return t - 1
                return t * 2

            x = step(x)
            k += 1
        return x

    agree(f, 7.0, 1.0, 2.6)
    agree(g, 1.0, 2.5)


def test_methods():
    class Model:
        def __init__(self, w):
            self.w = w

        def act(self, x):
            return x if x > 0 else self.__leak * x

        __leak = 0.1

        def __call__(self, x):
            for _ in range(3):
                x = self.act(self.w * x - 1)
            return x

    agree(Model(2.0), 3.0, -3.0)


def test_recursion_that_a_known_value_ends():
    def power(x, n):
        if n == 0:
            return 1.0 + 0 * x
        return x * power(x, n - 1) if x > 0 else power(-x, n - 1)

    agree(lambda x: power(x, 3), 2.0, -2.0)


def test_functions_given_to_functions():
    def f(x):
        return sum(map(relu, [x, -x, 2 * x])) + functools.reduce(
            lambda a, b: a if a > b else b, [x, 1.0, x * x]
        )

    agree(f, 3.0, -3.0)


def step_down(x):
    k = 0
    while x > 1:
        x = x / 2
        k += 1
    return x * x


def first_large(x):
    for i in range(20):
        x = x * (1 + 0.1 * i)
        if x > 10:
            break
    return x


def piecewise(x):
    if x > 2:
        return x**3
    return -x


@pytest.mark.parametrize("f", [step_down, first_large, piecewise])
@pytest.mark.parametrize("x", [9.0, 1.7, 0.3])
def test_derivatives(f, x):
    want = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
    run = qd.jit(captured(f))
    close(qd.grad(run)(x), want, 1e-6)
    close(qd.jvp(run, (x,), (1.0,))[1], want, 1e-6)


@pytest.mark.parametrize("f", [step_down, first_large, piecewise])
def test_a_gradient_inside_a_traced_function(f):
    def g(x):
        return qd.grad(f)(x) * 2.0

    xs = [9.0, 1.7, 0.3]
    run = compiled(g, xs[0])
    for x in xs:
        close(run(np.float64(x)), g(x), 1e-9)


def test_filling_an_array_inside_a_gradient():
    def g(x):
        def loss(w):
            z = np.zeros(3)
            z[0] = x
            z[1] = w[0]
            for i in range(3):
                z[i] += w[i] * x
            k = 0
            while k < x:
                z[0] += w[1]
                k += 1
                if k > 5:
                    break
            return (z * z).sum()

        return qd.grad(loss)(np.array([1.0, 2.0, 3.0]))

    def exact(x, k):
        a, b, c = 1.0, 2.0, 3.0
        first, second, third = x + a * x + k * b, a + b * x, c * x
        return [2 * first * x + 2 * second, 2 * first * k + 2 * second * x, 2 * third * x]

    run = compiled(g, 2.0)
    for x, steps in ((2.0, 2), (-1.0, 0), (9.0, 6)):
        close(run(np.float64(x)), np.array(exact(x, steps)))


@pytest.mark.parametrize("f", [step_down, first_large, piecewise])
def test_many_at_once(f):
    xs = np.array([9.0, 1.7, 0.3])
    run = qd.jit(captured(lambda v: qd.vmap(f)(v)))
    close(run(xs), np.array([f(x) for x in xs]), 1e-12)


@pytest.mark.parametrize("f", [step_down, first_large, piecewise])
def test_compiled(f):
    run = qd.jit(captured(f))
    for x in (9.0, 1.7, 0.3):
        close(run(x), f(x), 1e-12)


def test_an_array_of_other_arguments_takes_what_carries_a_derivative():
    def f(x, k):
        a, b, c, d, e = (k * 1.0 for _ in range(5))
        a += x
        b[1:] += x[1:]
        c.fill(x[0])
        np.copyto(d, x)
        np.sin(x, out=e)
        z = np.zeros(3)
        z[k] += x * k
        return sum(np.sum(y * y) for y in (a, b, c, d, e, z))

    x, k = np.array([1.0, 3.0, 2.0]), np.array([0, 2, 1])
    close(qd.jit(qd.grad(f))(x, k), qd.grad(qd.lift(f))(x, k))

    def shared(x, k):
        a = k * 1.0
        b = a
        a += x
        return np.sum(b)

    with pytest.raises(TraceError, match="is written into an array that other names hold"):
        qd.jit(qd.grad(shared))(x, k)
