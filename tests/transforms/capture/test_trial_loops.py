"""Loops of known length: a step traced once, or, where that cannot be, as often as it is taken."""

# ruff: noqa: SIM108 (the functions under test are what users write)

import math

import numpy as np
import pytest

import qiudao as qd
from checking import close, same, slopes
from qiudao.core.avals import aval_of
from qiudao.core.modes import modes
from qiudao.core.program import check
from qiudao.transforms.capture import captured
from qiudao.transforms.trace import traced

N = 60
V = np.linspace(0.4, 1.3, 3)
XS = np.sin(np.arange(1.0, N + 1))


def program_of(f, *args):
    """The captured trace of `f`, before repetitions in it are found."""
    before, modes.capture = modes.capture, captured
    try:
        made = traced(captured(f), [aval_of(x) for x in args], lambda xs: (xs, {}))
    finally:
        modes.capture = before
    check(made.program)
    return made


def pendulum(y, p):
    a, b, u, v = y[0], y[1], y[2], y[3]
    d = a - b
    den = 2 - np.cos(d) ** 2 + p[0]
    du = (-9.81 * np.sin(a) - u * u * np.sin(d) * np.cos(d) - p[1] * v * v * np.sin(d)) / den
    dv = (9.81 * np.sin(b) + v * v * np.sin(d) * np.cos(d) + u * u * np.sin(d)) / (den * p[1])
    return np.array([u, v, du, dv])


def rk4(p):
    y = np.array([1.0, 0.5, 0.0, 0.0])
    h = 0.01
    for _ in range(N):
        k1 = pendulum(y, p)
        k2 = pendulum(y + h / 2 * k1, p)
        k3 = pendulum(y + h / 2 * k2, p)
        k4 = pendulum(y + h * k3, p)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def horner(x):
    s = 0.0
    for c in XS:
        s = s * x[0] * 0.5 + c
    return s


def reversed_horner(x):
    s = x[1]
    for i in range(N - 1, -1, -1):
        s = s * x[0] * 0.5 + XS[i]
    return s


def recurrence(x):
    z = np.zeros(N)
    z[0] = x[0]
    for i in range(1, N):
        z[i] = 0.9 * z[i - 1] + XS[i] * x[1]
    return z


def fibonacci(x):
    z = np.zeros(N)
    z[0], z[1] = x[0], x[1]
    for i in range(2, N):
        z[i] = 0.5 * z[i - 1] + 0.3 * z[i - 2] * x[2]
    return z


def downward(x):
    z = np.zeros(N + 1)
    for i in range(N - 1, -1, -1):
        z[i] = np.sin(z[i + 1]) + x[0] * XS[i]
    return z


def every_other(x):
    z = np.ones(2 * N)
    for i in range(0, 2 * N, 2):
        z[i] = z[i + 1] * x[0] + z[i] * x[1]
    return z


def read_after_write(x):
    z = np.zeros(N)
    total = 0.0
    for i in range(N):
        z[i] = XS[i] * x[0]
        total += z[i] * z[i]
    return z, total


def accumulated(x):
    z = np.ones(N)
    for i in range(N):
        z[i] += x[0] * i
    return z


def rows(x):
    z = np.zeros((N, 3))
    y = x
    for i in range(N):
        y = y + 0.01 * np.cos(y)
        z[i] = y
    return z


def grid(x):
    m = np.outer(XS, np.arange(1.0, 4.0))
    total = x[0]
    for i in range(N):
        total = total * 0.5 + np.sum(m[i] * x) + m[i, 1] + m[i - 1, 2]
    return total


def columns(x):
    m = np.outer(np.arange(1.0, 4.0), XS) * x[0]
    total = x[0]
    for j in range(N):
        total = np.tanh(total + np.sum(m[:, j] * x))
    return total


def traced_array(x):
    y = np.concatenate([x] * 20)
    total = 0.0
    for i in range(1, N - 1):
        total += (y[i + 1] - 2 * y[i] + y[i - 1]) ** 2
    return total


def clock(x):
    t, y = 0.0, x[0]
    for _ in range(N):
        y = y + 0.01 * np.sin(t * y)
        t += 0.01
    return y, t


def counter(x):
    k, y = 0, x[0]
    for _ in range(N // 2 + 2):
        y = y * 0.9 + XS[k]
        k += 1
    return y, XS[k] * y


def known_afterwards(x):
    k, y = 1, x[0]
    for i in range(40):
        y = y * 0.9 + i
        k += i % 3
    return y * np.ones(k) if i == 39 else y


def temporaries(x):
    y = x[0]
    for i in range(N):
        a = y * XS[i]
        b = np.sin(a)
        y = b + x[1]
    return y, a, b


def mask(x):
    y = x[0]
    for i in range(N):
        y = y * 0.9 + np.where(i % 3 == 0, x[1], x[2])
    return y


def decision(x):
    y = x[0]
    for _ in range(N):
        if y > 1.0:
            y = y * 0.5
        else:
            y = y + x[1]
    return y


def swapped(x):
    a, b = x[0], x[1]
    for _ in range(N):
        a, b = b, 0.5 * a + 0.4 * np.sin(b)
    return a, b


def in_place(x):
    y = x * 1.0
    for _ in range(N):
        y += 0.01 * y[::-1]
    return y


def written_state(x):
    y = x * 1.0
    for i in range(N):
        y[0] = y[1] * 0.5
        y[1] = np.cos(y[0] + i * 0.01)
    return y


def nested(x):
    total = 0.0
    for i in range(N):
        row = x[0] * XS[i]
        for j in range(40):
            row = np.sin(row) + XS[j] * x[1]
        total += row
    return total


def short_inside(x):
    y = x
    for _ in range(N):
        for k in range(3):
            y = y + 0.01 * k * np.sin(y)
    return y


def helper_in_closure(x):
    def rate(y, scale=0.5):
        return np.exp(-y * y) * scale

    bend = lambda y: rate(y) + 0.1
    y = x[0]
    for _ in range(N):
        y = y + 0.1 * bend(y) * x[1]
    return y


def through_rows(x):
    total = np.zeros(3)
    for row in np.outer(XS, np.ones(3)):
        total = total * 0.5 + row * x
    return total


def listed(x):
    ys = []
    y = x[0]
    for _ in range(N):
        y = np.sin(y) + x[1]
        ys.append(y)
    return np.stack(ys)


def pairs_appended(x):
    states = [(x[0], x)]
    logs = []
    y = x
    for i in range(N - 1, -1, -1):
        y = y * 0.9 + np.sin(y[::-1]) * XS[i]
        states.append((y[0], y))
        logs.append(np.sum(y))
        logs.append(y[1] * i)
    return states[-1][1], states[3][0] * states[5][1], np.stack(logs)


def numbered(x):
    y = x[0]
    for i, c in enumerate(XS, 1):
        y = y * 0.5 + c * x[1] / i
    return y


def side_by_side(x):
    y, weights = x[0], np.concatenate([x] * 20)
    for i, (c, w) in enumerate(zip(XS, weights)):
        y = np.sin(y) + c * w * i
    for a, b in zip(XS[1:], weights):
        y = y * 0.5 + a * b
    return y


def with_math(x):
    y = x[0]
    for i in range(N):
        y = math.sin(y) + abs(x[1]) * i / N
    return y


def descent(x):
    slope = qd.grad(lambda y: np.sum((y - 1.0) ** 4))
    y = x
    for _ in range(N):
        y = y - 0.05 * slope(y)
    return y


STRUCTURED = [
    rk4, horner, reversed_horner, recurrence, fibonacci, downward, every_other, read_after_write,
    accumulated, rows, grid, columns, traced_array, clock, counter, known_afterwards, temporaries,
    mask, decision, swapped, in_place, written_state, nested, short_inside, helper_in_closure,
    through_rows, listed, pairs_appended, numbered, side_by_side, with_math, descent,
]  # fmt: skip


def parity(x):
    y = x[0]
    for i in range(N):
        if i % 2:
            y = y * 0.5
        else:
            y = y + x[1]
    return y


def list_read(x):
    ys = [x[0]]
    for i in range(N):
        y = np.sin(ys[i]) + x[1]
        ys.append(y)
    return np.stack(ys)


def list_shared(x):
    ys = [x[0]]
    other = {"ys": ys}
    for _ in range(N):
        y = np.sin(other["ys"][-1]) + x[1]
        ys.append(y)
    return np.stack(ys)


def one_array(x):
    y = x * 1.0
    ys = []
    for _ in range(N):
        y *= 0.9
        ys.append(y)
    return np.stack(ys)


def dictionary(x):
    found = {}
    y = x[0]
    for i in range(N):
        y = np.sin(y) + x[1]
        found[i] = y
    return found[3] + found[N - 1]


def changing_key(x):
    found = {"last": x[0]}
    for _ in range(N):
        found["last"] = np.sin(found["last"]) + x[1]
    return found["last"]


def growing(x):
    y = x
    for _ in range(40):
        y = np.concatenate([y, y[:1] * 0.5])
    return y


def from_list(x):
    steps = [k * 0.1 for k in range(N)]
    y = x[0]
    for i in range(N):
        y = y * 0.5 + steps[i]
    return y


def scattered(x):
    z = np.zeros(N)
    for i in range(N):
        z[i * 7 % N] = z[i] + x[0] + i
    return z


def whole_read(x):
    z = np.zeros(N)
    for i in range(N):
        z[i] = np.sum(z) * 0.1 + x[0]
    return z


def widening(x):
    n, total = 0, x[0]
    for i in range(40):
        n = n * 3 + i
        total = total + math.log(n + 1.0)
    return total


def half_precision(x):
    y = np.float32(0.5) * x[0].astype(np.float32)
    for i in range(N):
        y = y * np.float32(0.9) + i
    return y


def factorial(x):
    f, y = 1, x[0]
    for i in range(1, 40):
        f *= i
        y = y + x[1] / f
    return y


def shaped(x):
    y = x[0]
    for i in range(1, 40):
        y = y + np.sum(np.ones(i)) * x[1]
    return y


def known_table(x):
    table = np.zeros(40)
    for i in range(40):
        table[i] = math.sin(i)
    return x[0] * table if table[1] > 0.5 else x[0]


class Meter:
    def __init__(self):
        self.count = 0

    def tick(self, y):
        self.count += 1
        return y


UNROLLED = [
    parity, list_read, list_shared, one_array, dictionary, changing_key, growing, from_list,
    scattered, whole_read, widening,
    half_precision, factorial, shaped, known_table,
]  # fmt: skip


@pytest.mark.parametrize("f", STRUCTURED)
def test_structured_loops_agree_with_python(f):
    made = program_of(f, V)
    assert any(e.primitive.name == "scan" for e in made.program.equations)
    assert len(made.program.equations) < (400 if f is pairs_appended else 160)  # it has 242 rows
    for x in (V, V[::-1] * 0.7):
        same(made(x), f(x))


@pytest.mark.parametrize("f", UNROLLED)
def test_other_loops_are_left_to_python(f):
    made = program_of(f, V)
    assert not any(e.primitive.name == "scan" for e in made.program.equations)
    for x in (V, V[::-1] * 0.7):
        same(made(x), f(x))


@pytest.mark.parametrize("f", [f for f in (*STRUCTURED, *UNROLLED) if f is not half_precision])
def test_gradients_agree_with_differences(f):
    def loss(x):
        found = f(x)
        found = found if isinstance(found, tuple) else (found,)
        return sum(np.sum(y * y) for y in found)

    for x in (V, V[::-1] * 0.7):
        close(qd.jit(qd.grad(loss))(x), slopes(loss, x), rtol=1e-5, atol=1e-5)


def test_a_gradient_in_half_precision():
    def loss(x):
        return half_precision(x).astype(np.float64)

    close(qd.jit(qd.grad(loss))(V), qd.grad(loss)(V), rtol=1e-6)


def test_effects_happen_as_often_as_in_python(capsys):
    meter = Meter()
    held = {"count": 0}
    shared = np.zeros(1)

    def note(y):
        shared[0] += 1
        return y

    def printing(x):
        for i in range(40):
            x = x * 0.9
            print(i)
        return x

    def counting(x):
        for _ in range(40):
            x = meter.tick(x * 0.9)
        return x

    def outside(x):
        for _ in range(40):
            x = x * 0.9
            held["count"] += 1
        return x

    def helping(x):
        for _ in range(40):
            x = note(x * 0.9)
        return x

    for f in (printing, counting, outside, helping):
        close(program_of(f, V)(V), V * 0.9**40)
    assert capsys.readouterr().out.split() == [str(i) for i in range(40)]
    assert meter.count == 40
    assert held["count"] == 40
    assert shared[0] == 40


def test_iterators_are_used_up_once():
    def f(x):
        numbers = iter(range(200))
        for _ in range(40):
            x = x * 0.9 + sum(n for n, _ in zip(numbers, range(2), strict=False))
        return x, next(numbers)

    same(program_of(f, V)(V), f(V))


def test_random_numbers_are_drawn_anew_in_each_step():
    def f(x):
        rng = np.random.default_rng(0)
        for _ in range(40):
            x = x * 0.9 + rng.normal()
        return x

    same(program_of(f, V)(V), f(V))


def test_an_error_in_a_step_is_pythons():
    def f(x):
        z = np.zeros(10)
        for i in range(40):
            x = x * 0.9 + z[i]
        return x

    with pytest.raises(IndexError):
        program_of(f, V)


def test_length_does_not_change_the_size_of_the_trace():
    def f(n):
        def loss(x):
            z = np.zeros(n)
            y = x[0]
            for i in range(n):
                y = y * 0.99 + np.sin(x[1]) / (i + 1)
                z[i] = y
            return np.sum(z)

        return loss

    sizes = {len(program_of(f(n), V).program.equations) for n in (50, 5_000, 200_000)}
    assert len(sizes) == 1


def test_arrays_that_are_filled_are_not_carried():
    scan = next(
        e for e in program_of(recurrence, V).program.equations if e.primitive.name == "scan"
    )
    body = scan.primitive.body
    assert all(x.shape == () for x in body.inputs)
    assert not any(e.primitive.name in ("gather", "put") for e in body.equations)


def cell(weights, x, h, c):
    gate = 1.0 / (1.0 + np.exp(-(x * weights[0])))
    c = gate * c + np.tanh(h * weights[1])
    return gate * np.tanh(c), c


def through_layers(weights, rows):
    states = [(np.zeros(3), np.ones(3)) for _ in weights]
    seen = []
    for x in rows[:-1]:
        after = []
        for own, (h, c) in zip(weights, states):
            x, c = cell(own, x, h, c)
            after.append((x, c))
        states = after
        seen.append(x)
    return np.sum(np.stack(seen) * rows[1:])


def test_a_loop_that_is_not_tried_after_all_rolls_as_if_it_had_not_been():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 2, 3))
    counts = []
    for length in (40, 80):
        rows = rng.normal(size=(length, 3))
        lowered = qd.jit(qd.grad(through_layers)).lower(weights, rows)
        counts.append(len(lowered.program.equations))
        np.testing.assert_allclose(
            qd.jit(qd.grad(through_layers))(weights, rows),
            qd.grad(through_layers)(weights, rows),
            rtol=1e-12,
        )
    assert counts[0] == counts[1] < 300
