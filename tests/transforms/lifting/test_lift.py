"""Code that NumPy cannot dispatch, run unchanged: the same values, and derivatives that are right.

The helpers here are as a user's: nothing in them knows of qiudao.
"""

import copy
import functools
import math
import statistics
import threading
from math import sin as sine

import numpy as np
import pytest
from numpy import array, zeros

import qiudao as qd
from checking import close
from qiudao.core.errors import DetachError

FACTOR = 2.0


def filled(x):
    B = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            B[i, j] = x**i * (j + 1)
    return B.sum() + B[1, 2]


def rows(x):
    B = np.empty((2, 2))
    B[0] = x, 2.0
    B[1] = [x * x, 1.0]
    return np.linalg.det(B)


def from_numpy_names(x):
    z = zeros(2)
    z[0] = sine(x)
    return array([z[0], x]).prod()


def nested_lists(x):
    return np.array([[x, 1.0], [0.5, x * x]])[1, 1] + np.asarray([x, x], dtype=float).sum()


def whole_math(x):
    return (
        math.exp(x) * math.cos(x) + math.log(x, 2) + math.sqrt(x) + math.atan2(x, 2.0)
        + math.pow(x, 1.5) + math.hypot(x, 3.0, 1.0) + math.dist((x, 1.0), (0.0, x))
        + math.fsum([x, x]) + math.prod([x, x, 2.0]) + math.log1p(x) + math.radians(x)
    )  # fmt: skip


def python_numbers(x):
    return float(x) * int(3.7 * x) + complex(x, 2 * x).imag + round(x, 1) + max(x, 0.1) + abs(-x)


def floors(x):
    return x * math.floor(4 * x) + math.ceil(x) + math.trunc(2 * x) * x + round(x)


def full(x):
    return (
        np.full((2, 2), x).sum() + np.full_like(np.ones(3), x * x).sum() + np.full(2, [x, 1.0])[0]
    )


def vectorized(x):
    return np.vectorize(lambda u: u * u if u > 0 else -u)(np.array([x, -x, 2 * x])).sum()


@np.vectorize
def step(u, scale):
    return u * scale if u > 0.2 else 0.0


def vectorized_decorator(x):
    return np.vectorize(lambda u, v=1.0: (u * v, u + v))(np.array([x, 1.0]), v=x)[0].sum()


def methods_of_arrays(x):
    n = np.arange(3.0)
    return n.dot(np.array([x, x, x])) + np.ones(2).take(0) * x


def brackets(x):
    return np.r_[x, 2.0, np.array([x, x]), 0:3].sum() + np.c_[np.array([x, x]), np.ones(2)].sum()


def numpy_numbers(x):
    return np.float64(x) * 2 + np.float64(2.0) * x


def along_an_axis(x):
    a = np.array([[x, 2.0], [1.0, x * x]])
    return np.apply_along_axis(lambda v: v[0] * v[1], 0, a).sum() + np.apply_along_axis(
        lambda v: np.array([v.sum(), v[0]]), 1, a
    )[1, 0]  # fmt: skip


def from_iterator(x):
    return np.fromiter((x * k for k in range(3)), float).sum()


def comprehensions(x):
    table = {k: math.sin(k * x) for k in range(3)}
    return sum([float(v) for v in table.values()]) + np.array([v * 1 for v in table.values()]).sum()


def conditions(x):
    total = 0.0
    while total < 2:
        total += math.exp(x) if isinstance(x, float) else 100.0
        if total > 50:
            break
    return total * x


def read_out(x):
    y = np.array([x, x * x])
    return y[0].item() * y.item(1) + sum(y.tolist()) + np.array(y.tolist(), dtype=object).sum()


def from_python(x):
    square = np.frompyfunc(lambda v: v * v, 1, 1)
    return square(np.array([x, 2.0])).sum() + statistics.mean([x, 2 * x, 1.0])


def along_what_is_plain(x):
    return np.apply_along_axis(lambda row: row.sum() * x, 1, np.ones((2, 3))).sum()


def copies(x):
    return copy.deepcopy({"a": [np.array([x, 1.0])]})["a"][0][0] * copy.copy(x * 1.0)


class Model:
    """State, methods, and a callable object."""

    def __init__(self):
        self.scale = 3.0

    def __call__(self, x):
        return self.value(x) + self.bound(2.0, x)

    def value(self, x):
        return math.sqrt(x) * self.scale

    @staticmethod
    def bound(a, x):
        return np.array([a, x]).prod()


def closure(x):
    weights = np.array([1.0, 2.0])

    def inner(y, k=FACTOR):
        out = np.zeros(2)
        out[:] = weights * math.sin(y) * k
        return out

    return functools.reduce(lambda a, b: a + b, map(float, inner(x)))


def recursive(x, depth=3):
    return x if depth == 0 else math.sin(recursive(x, depth - 1))


FUNCTIONS = [
    filled, rows, from_numpy_names, nested_lists, whole_math, python_numbers, floors, full,
    vectorized, vectorized_decorator, methods_of_arrays, brackets, numpy_numbers, along_an_axis,
    from_iterator, comprehensions, conditions, Model(), Model().value, closure, recursive,
    read_out, from_python, along_what_is_plain, copies,
    functools.partial(recursive, depth=2), lambda x: float(step(x, x)) * x,
]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: getattr(f, "__name__", type(f).__name__))
def test_values_and_derivatives(f):
    x, h = 0.7, 1e-6
    lifted = qd.lift(f)
    assert float(lifted(x)) == pytest.approx(float(f(x)), rel=1e-14)
    slope = (f(x + h) - f(x - h)) / (2 * h)
    assert float(qd.grad(f, numpy="lift")(x)) == pytest.approx(slope, rel=1e-6)
    assert float(qd.jvp(lifted, (x,), (1.0,))[1]) == pytest.approx(slope, rel=1e-6)
    t = qd.tensor(x, requires_grad=True)
    lifted(t).backward()
    assert float(t.grad) == pytest.approx(slope, rel=1e-6)


SECOND = [filled, rows, whole_math, full, vectorized, brackets, closure, Model(), recursive]


@pytest.mark.parametrize("f", SECOND, ids=lambda f: getattr(f, "__name__", type(f).__name__))
def test_second_derivatives_and_batches(f):
    x, h = 0.7, 1e-5
    first = qd.grad(f, numpy="lift")
    assert float(qd.hessian(f, numpy="lift")(x)) == pytest.approx(
        (first(x + h) - first(x - h)) / (2 * h), rel=1e-5
    )
    points = np.array([0.3, 0.7])
    if f is not vectorized:  # its branches differ from example to example
        close(qd.vmap(first)(points), np.array([first(p) for p in points]))


def test_compiled():
    for f in (filled, rows, nested_lists, full, brackets):
        close(qd.jit(qd.grad(f, numpy="lift"))(0.7), qd.grad(f, numpy="lift")(0.7))


def test_every_transform_takes_it():
    def f(x):
        return np.array([math.sin(x[0]), x[1] * x[0]])

    point = np.array([0.3, 0.5])
    expected = np.array([[np.cos(0.3), 0.0], [0.5, 0.3]])
    for derive in (qd.jacobian, qd.jacfwd, qd.jacrev):
        close(derive(f, numpy="lift")(point), expected)
    value, gradient = qd.value_and_grad(lambda x: math.exp(x), numpy="lift")(0.3)
    assert float(value) == float(gradient) == pytest.approx(math.exp(0.3))


written = None


def test_globals_closures_and_containers_keep_their_meaning():
    kept = []
    count = 0

    def f(x):
        global written
        nonlocal count
        count += 1
        written = math.sin(float(x.detach() if hasattr(x, "detach") else x))
        kept.append(count)
        return math.sin(x)

    lifted = qd.lift(f)
    lifted(0.5)
    qd.grad(lifted)(0.7)
    assert (count, kept, written) == (2, [1, 2], math.sin(0.7))


def test_nothing_outside_is_changed():
    before = np.array, math.sin, np.vectorize
    qd.grad(whole_math, numpy="lift")(0.7)
    assert (np.array, math.sin, np.vectorize) == before
    with pytest.raises(DetachError):
        qd.grad(whole_math)(0.7)


def test_exceptions_pass_with_the_users_lines():
    def f(x):
        return math.sqrt(x) + [][3]

    with pytest.raises(IndexError) as info:
        qd.grad(f, numpy="lift")(1.0)
    assert any("[][3]" in str(entry.statement) for entry in info.traceback)


def test_threads():
    results = {}

    def work(k):
        results[k] = float(qd.grad(filled, numpy="lift")(0.1 * k))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {k: float(qd.grad(filled, numpy="lift")(0.1 * k)) for k in range(4)}


def test_modules_narrow_it():
    def f(x):
        return math.sin(x)

    assert float(qd.grad(qd.lift(f, modules=f.__module__.partition(".")[0]))(0.0)) == 1.0
    with pytest.raises(DetachError):
        qd.grad(qd.lift(f, modules=["somewhere_else"]))(0.0)


def test_names_and_signatures_stay():
    assert qd.lift(filled).__name__ == "filled"
    assert qd.lift(modules="tests")(filled).__name__ == "filled"


def test_what_has_no_source_raises_where_a_derivative_would_be_lost():
    f = eval("lambda x: math.sin(x)", {"math": math})
    with pytest.raises(DetachError):
        qd.grad(f, numpy="lift")(0.7)


def test_a_write_into_an_array_of_the_callers_is_refused():
    outside = np.zeros(2)

    def f(x, target):
        target[0] = x
        return target.sum()

    with pytest.raises(qd.core.errors.QiudaoError, match="plain array"):
        qd.grad(f, numpy="lift")(1.0, outside)
    assert outside.tolist() == [0.0, 0.0]
