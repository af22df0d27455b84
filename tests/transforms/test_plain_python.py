"""Functions written in plain Python and NumPy, in every mode, without knowing of qiudao."""

from functools import cache, partial, reduce

import numpy as np
import pytest

import qiudao as qd
from checking import slopes


def power_loop(x):
    result = np.ones(3)
    for _ in range(3):
        result = result * x
    return result.sum()


def while_loop(x):
    y, steps = x, 0
    while np.abs(y).max() > 0.1 and steps < 50:
        y, steps = y * 0.7, steps + 1
    return (y * y).sum()


def branches(x):
    if x[0] > x[1]:
        return x[0] * x[2]
    if x[2] > 0:
        return np.sin(x[1]) * x[2]
    return x.sum()


def recursion(x):
    def fib(n):
        return x[n] if n < 2 else fib(n - 1) * fib(n - 2) + x[2]

    return fib(5)


def closures(x):
    scale = x[0]

    def scaled(y):
        return y * scale

    return sum(map(scaled, x[1:])) ** 2


def containers(x):
    table = {"a": x[0], "b": [x[1], x[2]]}
    table["c"] = table["a"] * table["b"][0]
    table["b"].append(table["c"] ** 2)
    return sum(table["b"]) + table["c"]


def comprehension(x):
    squares = [v * v for v in x]
    return np.prod(np.stack(squares)) + sum(a * b for a, b in zip(x, squares, strict=True))


def generators(x):
    def running():
        total = 0.0
        for v in x:
            total = total + v
            yield total

    return sum(t**2 for t in running())


def classes(x):
    class Body:
        def __init__(self, position, speed):
            self.position, self.speed = position, speed

        def step(self, dt):
            self.speed = self.speed - self.position * dt
            self.position = self.position + self.speed * dt

    body = Body(x[0], x[1])
    for _ in range(5):
        body.step(0.1 * x[2])
    return body.position**2 + body.speed


def filled(x):
    y = np.zeros_like(x)
    y[0] = x[0] ** 2
    for k in range(1, 3):
        y[k] = y[k - 1] * x[k] + np.sin(x[k])
    return (y * y).sum()


def table(x):
    t = np.zeros_like(x, shape=(3, 3))
    for i in range(3):
        for j in range(i + 1):
            t[i, j] = x[i] * x[j] + (t[i - 1, j] if i else 0.0)
    return (t**2).sum()


def accumulated(x):
    total = np.zeros(3)
    for k in range(3):
        total += x * k
    total *= x
    return total.sum()


def early_return(x):
    for v in x:
        if v < 0.5:
            return v**2
    return x.sum()


def exceptions(x):
    try:
        if x[0] < 1:
            raise ValueError(x[1])
    except ValueError as error:
        return error.args[0] * x[2]
    return x[0]


def unpacking(x):
    a, *rest = x
    b, c = rest
    return a * b + c


def tools(x):
    return reduce(lambda a, b: a * np.cos(b), x, 1.0) + partial(np.multiply, x[0])(x[1])


def sorted_values(x):
    low, _, high = sorted(x)
    return high**2 - low * min(x) + max(x) * abs(x[2])


def comparisons(x):
    return np.where((x > 0.5) & ~(x > 1.5), x**2, x).sum() + x[x > 0.5].prod()


def matrices(x):
    m = np.outer(x, x) + np.diag(x) + 2 * np.eye(3)
    return np.linalg.solve(m, x) @ np.linalg.inv(m) @ x + np.trace(m @ m)


def newton(x):
    y = x[0]
    for _ in range(6):
        y = y - (y * y * y - x[1]) / (3 * y * y)
    return y * x[2]


def runge_kutta(x):
    def rate(state):
        return np.stack([state[1], -np.sin(state[0]) * x[2]])

    state, h = x[:2], 0.1
    for _ in range(4):
        a = rate(state)
        b = rate(state + h / 2 * a)
        state = state + h * b
    return (state**2).sum()


def cached(x):
    @cache
    def value(k):
        return x[k] ** 2 if k == 0 else value(k - 1) * x[k]

    return value(2) + value(1)


def formatted(x):
    text = f"{x[0]:.3f}"
    return x[0] * len(text)


def asserted(x):
    assert np.isfinite(x).all()
    assert x.shape == (3,)
    assert np.allclose(x, x)
    return x.sum() ** 2


PROGRAMS = [
    power_loop, while_loop, branches, recursion, closures, containers, comprehension, generators,
    classes, filled, table, accumulated, early_return, exceptions, unpacking, tools, sorted_values,
    comparisons, matrices, newton, runge_kutta, cached, formatted, asserted,
]  # fmt: skip
X = np.array([0.7, 1.3, 0.4])
DATA_DEPENDENT = {"while_loop", "branches", "early_return", "exceptions", "sorted_values",
                  "comparisons", "formatted", "asserted"}  # fmt: skip
PROGRAM = pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)


@PROGRAM
def test_reverse(program):
    np.testing.assert_allclose(qd.grad(program)(X), slopes(program, X), rtol=1e-6, atol=1e-7)


@PROGRAM
def test_the_tape(program):
    x = qd.tensor(X, requires_grad=True)
    program(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes(program, X), rtol=1e-6, atol=1e-7)


@PROGRAM
def test_forward_and_taylor(program):
    dx = np.array([0.3, -0.5, 0.9])
    wanted = qd.grad(program)(X) @ dx
    np.testing.assert_allclose(qd.jvp(program, (X,), (dx,))[1], wanted, rtol=1e-12)
    np.testing.assert_allclose(qd.jet(program, (X,), ([dx],))[1][0], wanted, rtol=1e-12)
    np.testing.assert_allclose(qd.linearize(program, X)[1](dx), wanted, rtol=1e-12)


@PROGRAM
def test_second_order(program):
    found = qd.hessian(program)(X)
    wanted = np.stack([slopes(lambda x, k=k: qd.grad(program)(x)[k], X) for k in range(3)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@PROGRAM
def test_batched(program):
    points = np.stack([X, X + 0.05])
    wanted = np.stack([qd.grad(program)(p) for p in points])
    if program.__name__ in DATA_DEPENDENT:
        with pytest.raises(TypeError, match=r"np\.where"):
            qd.vmap(program)(points)
    else:
        found = qd.vmap(qd.grad(program))(points)
        np.testing.assert_allclose(found, wanted, rtol=1e-11)


@PROGRAM
def test_checkpointed(program):
    found = qd.grad(qd.checkpoint(program))(X)
    np.testing.assert_allclose(found, qd.grad(program)(X), rtol=1e-12)


@pytest.mark.parametrize("derive", [qd.grad, qd.jacfwd, qd.hessian, qd.jit, qd.vmap])
def test_clone_is_a_copy_in_every_transform(derive):
    def f(x, copy):
        y = copy(x)
        y *= x
        return np.sum(y * x)

    x = np.array([[1.0, 2.0]]) if derive is qd.vmap else np.array([1.0, 2.0])
    found = derive(lambda x: f(x, lambda v: v.clone()))(x)
    np.testing.assert_array_equal(found, derive(lambda x: f(x, lambda v: v.copy()))(x))
