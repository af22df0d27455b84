"""Loops of plain Python, traced and rolled: short programs with the same results, bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from qiudao.compiling.tracing import trace
from qiudao.core.program import Program, check, inner_programs
from qiudao.ops.control import Scan
from qiudao.passes.roll import roll, rolled


class Case(NamedTuple):
    """A function, its arguments, and how many equations may be left, those inside loops too."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    most: int


rng = np.random.default_rng(3)
X = rng.normal(size=60)
Y = rng.normal(size=60)
A = rng.normal(size=(60, 3, 3)) / 3
M = rng.normal(size=(3, 3)) / 3


def slope(y: Any, k: Any) -> Any:
    """A pendulum."""
    angle, speed = y
    return speed, -k[0] * np.sin(angle) - k[1] * speed


def runge_kutta(y: Any, k: Any) -> Any:
    """Four stages of scalars."""
    a, b = y[0], y[1]
    h = 0.01
    for _ in range(50):
        a1, b1 = slope((a, b), k)
        a2, b2 = slope((a + 0.5 * h * a1, b + 0.5 * h * b1), k)
        a3, b3 = slope((a + 0.5 * h * a2, b + 0.5 * h * b2), k)
        a4, b4 = slope((a + h * a3, b + h * b3), k)
        a = a + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        b = b + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    return a, b


def vector_state(y: Any, k: Any) -> Any:
    """The state as an array that is taken apart and stacked in each step."""
    for _ in range(40):
        y = y + 0.01 * np.stack(slope((y[0], y[1]), k))
    return y


def history(y: Any, k: Any) -> Any:
    """A list of all states, stacked after the loop."""
    a, b = y[0], y[1]
    seen = [a]
    for _ in range(50):
        da, db = slope((a, b), k)
        a, b = a + 0.1 * da, b + 0.1 * db
        seen.append(a)
    return np.stack(seen)


def rows_in_columns(y: Any, k: Any) -> Any:
    """Vectors stacked along a later axis."""
    seen = []
    for _ in range(40):
        y = np.tanh(y * k)
        seen.append(y)
    return np.stack(seen, axis=1)


def recurrence(x: Any, y: Any) -> Any:
    """Reads of x[i], x[i - 1] and y[n - i]."""
    total = x[0]
    for i in range(1, 60):
        total = np.sin(total) * x[i] + x[i - 1] / (1 + y[-i] ** 2)
    return total


def over_elements(x: Any, y: Any) -> Any:
    """`zip` and `enumerate` over arrays, whose counter is a constant of each step."""
    total = 0.0
    for i, (a, b) in enumerate(zip(x, y)):
        total = total + a * b * (i + 0.5)
    return total


def unpacked(x: Any) -> Any:
    """Elements taken out before the loop."""
    elements = list(x)
    total = elements[0]
    for e in elements[1:]:
        total = np.cos(total + e * 2.0) * e
    return total


def backwards(x: Any) -> Any:
    """The elements from the last to the first, from a list of computed values."""
    values = [np.exp(-e * e) for e in x]
    total = 0.0
    for v in reversed(values):
        total = total * 0.5 + v
    return total


def prefix(x: Any) -> Any:
    """`z[i]` from `z[i - 1]`."""
    z = np.zeros_like(x)
    z[0] = x[0]
    for i in range(1, 60):
        z[i] = 0.5 * z[i - 1] + x[i] * x[i]
    return z


def two_behind(x: Any) -> Any:
    """`z[i]` from `z[i - 1]` and `z[i - 2]`, and from itself as just written."""
    z = np.ones_like(x)
    for i in range(2, 60):
        z[i] = z[i - 1] * x[i] - 0.3 * z[i - 2]
        z[i] = np.sin(z[i]) + x[i - 1]
    return z * 2.0


def fill_rows(x: Any) -> Any:
    """Rows of a matrix, two columns written apart."""
    z = np.zeros_like(x, shape=(60, 2))
    a = x[0]
    for i in range(60):
        a = np.cos(a) + x[i]
        z[i, 0] = a
        z[i, 1] = a * x[i]
    return z


def fill_whole(x: Any) -> Any:
    """Every row written, whole."""
    z = np.empty_like(x, shape=(40, 3))
    for i in range(40):
        z[i] = x[:3] * (i + 1.0)
    return z


def fill_float32(x: Any) -> Any:
    """Rows of a narrower dtype, to which what is written is cast and broadcast."""
    z = np.zeros_like(x, dtype=np.float32, shape=(50, 2))
    for i in range(1, 50):
        z[i] = np.sin(z[i - 1, 0]) + x[i]
    return z


def looked_at(x: Any) -> Any:
    """An array that is summed while it is filled."""
    z = np.zeros_like(x)
    for i in range(60):
        z[i] = x[i] + np.sum(z) * 0.1
    return z


def scattered(x: Any) -> Any:
    """Reads and writes at places that follow no rule."""
    order = np.random.default_rng(0).permutation(60)
    z = np.zeros_like(x)
    for i in range(60):
        z[order[i]] = x[order[-i - 1]] * x[i] + z[order[i - 1]]
    return z


def nested(x: Any) -> Any:
    """A loop in a loop."""
    for i in range(12):
        for j in range(20):
            x = np.sin(x) * 0.9 + 0.01 * j
        x = x + 0.1 * i
    return x


def triangular(x: Any) -> Any:
    """A loop in a loop, longer each time."""
    total = x[0]
    for i in range(30):
        inner = x[i]
        for j in range(i):
            inner = np.tanh(inner) * x[j] + np.cos(inner)
        total = total + inner
    return total


def table(x: Any) -> Any:
    """Two indices: a dynamic programme along the rows of a matrix."""
    total = 0.0
    for i in range(20):
        for j in range(3):
            total = np.maximum(total, x[i, j, 2] * 0.5) + x[i, j, j]
    return total


def products(v: Any, ms: Any) -> Any:
    """A matrix of each step, and one of all steps that is no input."""
    for i in range(60):
        v = np.tanh(M @ (ms[i] @ v))
    return v


def fibonacci(x: Any) -> Any:
    """Two lagged carries."""
    a, b = x[0], x[1]
    for _ in range(60):
        a, b = b, a + 0.5 * b
    return a, b


def three_lags(x: Any) -> Any:
    """Values read from a list that grows."""
    values = [x[0], x[1], x[2]]
    for i in range(3, 60):
        values.append(np.sin(values[i - 1]) + 0.3 * values[i - 3] * values[i - 2])
    return values[-1] + values[-3]


def alternating(x: Any) -> Any:
    """Signs that alternate, as constants and as operations."""
    total = x[0] * 0.0
    for i in range(60):
        total = total + (-1) ** i * x[i] / (2 * i + 1)
    return total


def every_other(x: Any) -> Any:
    """A branch on the counter."""
    a = x[0]
    for i in range(60):
        a = np.sin(a) * x[i] if i % 2 else np.exp(-a * a) + x[i]
    return a


def last_of_all(x: Any) -> Any:
    """A value of the last step that the next would not read."""
    a, b = x[0], x[0]
    for i in range(40):
        b = np.exp(-a) * x[i]
        a = np.cos(a) + 1.0
    return a * b


def windows(x: Any) -> Any:
    """Slices that move."""
    total = np.zeros_like(x, shape=(3,))
    for i in range(50):
        total = np.tanh(total + x[i : i + 3] * 0.5)
    return total


def single(x: Any) -> Any:
    """Python floats against float32."""
    x = x.astype(np.float32)
    a = 0.1
    for i in range(50):
        a = a * x[i] + 0.1 * i
    return a


def invariant(x: Any) -> Any:
    """Work that is the same in every step."""
    a = x[1]
    for _ in range(40):
        w = np.exp(x[0]) * np.ones(3)
        a = np.sin(a) + np.sum(w)
    return a


def integers(x: Any) -> Any:
    """Gathers by arrays of each step, and a mask."""
    a = x[0]
    for i in range(40):
        a = a + np.sum(x[np.array([i, i + 1, 2 * i % 7])]) * np.where(x[i] > a, 1.0, -0.5)
    return a


def zeros_of_both_signs(x: Any) -> Any:
    """Constants that are equal, though not in every bit."""
    return np.stack([np.copysign(x[i] * 3.0 + 1.0, 0.0 if i % 3 else -0.0) for i in range(40)])


def decompositions(ms: Any) -> Any:
    """Operations with several results."""
    total = 0.0
    for i in range(40):
        values, vectors = np.linalg.eigh(ms[i] @ ms[i].T)
        total = total + np.sum(values * vectors[0])
    return total


def two_loops(x: Any) -> Any:
    """A loop over a list that another made, every other element, and over it backwards."""
    a = x[0]
    values = []
    for i in range(60):
        a = np.sin(a) + x[i]
        values.append(a * a)
    total = 0.0
    for v, w in zip(values[::2], values[::-1]):
        total = total * w + np.cos(v)
    return total


def matrix_rows(x: Any) -> Any:
    """Rows filled from the row before, along the second axis."""
    z = np.zeros_like(x, shape=(3, 50))
    z[:, 0] = x[:3]
    for i in range(1, 50):
        z[:, i] = np.tanh(z[:, i - 1]) * x[i] + z[::-1, 0]
    return z


def nested_fill(x: Any) -> Any:
    """A table filled by two loops, each element from two neighbours."""
    z = np.ones_like(x, shape=(12, 40))
    for i in range(1, 12):
        for j in range(1, 40):
            z[i, j] = 0.5 * (z[i - 1, j] + z[i, j - 1]) + x[j]
    return z


def ends_differ(x: Any) -> Any:
    """The first and the last step do other things."""
    a = x[0]
    for i in range(40):
        if i == 0:
            a = a * 3.0
        a = np.sin(a) + x[i]
        if i == 39:
            a = np.exp(a)
    return a


def whole_array(x: Any) -> Any:
    """A loop over plain arrays, with a list of snapshots of an array that is written."""
    z = np.zeros_like(x)
    seen = []
    for i in range(40):
        z[i] = x[i] * 2.0
        seen.append(np.sum(z * x))
    return np.stack(seen), z


STATE = (np.array([1.0, 0.2]), np.array([2.0, 0.1]))
CASES = [
    Case(runge_kutta, STATE, 60),
    Case(vector_state, STATE, 25),
    Case(history, STATE, 25),
    Case(rows_in_columns, STATE, 8),
    Case(recurrence, (X, Y), 25),
    Case(over_elements, (X, Y), 12),
    Case(unpacked, (X,), 12),
    Case(backwards, (X,), 14),
    Case(prefix, (X,), 15),
    Case(two_behind, (X,), 25),
    Case(fill_rows, (X,), 15),
    Case(fill_whole, (X,), 8),
    Case(fill_float32, (X,), 15),
    Case(looked_at, (X,), 10),
    Case(scattered, (X,), 15),
    Case(nested, (np.float64(0.3),), 20),
    Case(triangular, (X,), 420),
    Case(table, (A[:20],), 60),
    Case(products, (X[:3], A), 10),
    Case(fibonacci, (X,), 12),
    Case(three_lags, (X,), 15),
    Case(alternating, (X,), 15),
    Case(every_other, (X,), 25),
    Case(last_of_all, (X,), 16),
    Case(windows, (X,), 8),
    Case(single, (X,), 15),
    Case(invariant, (X,), 16),
    Case(integers, (X,), 20),
    Case(zeros_of_both_signs, (X,), 12),
    Case(two_loops, (X,), 30),
    Case(matrix_rows, (X,), 25),
    Case(nested_fill, (X,), 260),
    Case(ends_differ, (X,), 20),
    Case(whole_array, (X,), 16),
    Case(decompositions, (A,), 20),
]


def size(program: Program) -> int:
    """The number of equations, those of inner programs too."""
    return len(program.equations) + sum(
        size(inner) for e in program.equations for inner in inner_programs(e.primitive)
    )


def same_bits(a: Any, b: Any) -> bool:
    """Whether two results agree in type and in every bit."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.function.__name__)
def test_a_loop_is_rolled_and_computes_the_same(case: Case) -> None:
    program = trace(case.function)(*case.args)
    made = rolled(program)
    check(made.program)
    assert size(made.program) <= case.most < size(program)
    assert any(isinstance(e.primitive, Scan) for e in made.program.equations) or case.function in (
        fill_whole,
        zeros_of_both_signs,
    )
    for before, after in zip(program(*case.args), made.program(*case.args), strict=True):
        assert same_bits(before, after)


def random_tree(x: Any) -> Any:
    """Operations in an order that never repeats."""
    rng = np.random.default_rng(1)
    values = [x[k] for k in range(5)]
    for _ in range(600):
        a, b = rng.integers(0, len(values), 2)
        values.append([np.sin(values[a]), values[a] * values[b], values[b] - 0.5][rng.integers(3)])
    return values[-1] + values[-2]


def large_windows(x: Any) -> Any:
    """Slices that move, too large to be stacked."""
    x = np.concatenate([x] * 2000)
    total = x[:110000] * 0.0
    for i in range(60):
        total = total * 0.5 + x[i : i + 110000]
    return total


def short(x: Any) -> Any:
    """Too few steps to be worth a loop."""
    for _ in range(6):
        x = np.sin(x) * 2.0
    return x


@pytest.mark.parametrize("function", [random_tree, short, large_windows])
def test_what_does_not_repeat_stays_as_it_is(function: Callable[..., Any]) -> None:
    program = trace(function)(X)
    assert roll(program) is program


def test_the_report_names_the_line_and_says_what_was_rolled_or_not() -> None:
    (line,) = rolled(trace(recurrence)(X, Y)).report
    assert line.startswith("test_roll.py:")
    assert line.endswith(
        "(`total = np.sin(total) * x[i] + x[i - 1] / (1 + y[-i] ** 2)`): "
        "59 iterations of 9 operations rolled into a loop"
    )
    (line,) = rolled(trace(random_tree)(X)).report
    assert line.endswith(
        "operations, among which none repeat 8 times in a row with operands that move evenly"
    )


def test_the_report_says_why_much_of_a_program_stays() -> None:
    def f(x: Any) -> Any:
        return recurrence(x, x) + random_tree(x)

    loop, rest = rolled(trace(f)(X)).report
    assert loop.endswith("59 iterations of 9 operations rolled into a loop")
    assert "operations, among which none repeat" in rest


def test_equations_of_a_loop_keep_the_lines_of_the_first_step() -> None:
    made = roll(trace(recurrence)(X, Y))
    (scan,) = (e for e in made.equations if isinstance(e.primitive, Scan))
    texts = {e.line.text for e in scan.primitive.body.equations}
    assert texts == {"total = np.sin(total) * x[i] + x[i - 1] / (1 + y[-i] ** 2)"}


def test_a_loop_inside_a_loop_that_was_given_as_one() -> None:
    def f(x: Any) -> Any:
        for _ in range(10):
            for _ in range(10):
                x = np.sin(x) * 0.5 + 1.0
            x = np.cos(x)
        return x

    once = roll(trace(f)(1.0))
    (scan,) = (e.primitive for e in once.equations if isinstance(e.primitive, Scan))

    def g(x: Any) -> Any:  # each call has a body of its own, equal to the others
        for _ in range(40):
            x = roll(trace(f)(1.0))(x)[0]
        return x

    made = roll(trace(g)(1.0))
    assert size(made) <= size(once) + 3
    assert scan.length == 10
    assert same_bits(made(1.0)[0], g(1.0))


def test_rolling_grows_with_the_equations_only(capsys: pytest.CaptureFixture[str]) -> None:
    def f(y: Any, k: Any) -> Any:
        a, b = y[0], y[1]
        for _ in range(1000):
            da, db = slope((a, b), k)
            a, b = a + 0.1 * da, b + 0.1 * db
        return a, b

    begun = time.process_time()
    program = trace(f)(*STATE)
    traced = time.process_time()
    made = roll(program)
    rolled_at = time.process_time()
    assert size(made) < 25
    with capsys.disabled():
        count = len(program.equations)
        print(
            f"\n{count} equations: traced at {1e6 * (traced - begun) / count:.1f} us each, "
            f"rolled at {1e6 * (rolled_at - traced) / count:.1f} us each"
        )
