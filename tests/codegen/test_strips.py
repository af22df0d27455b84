"""Nests that go strip by strip give the bits that nest after nest gives, whatever the strips."""

import numpy as np
import pytest

import qiudao as qd

pytest.importorskip("llvmlite")

from qiudao.codegen import courses, scope

UNARY = (np.sin, np.exp, np.tanh, np.negative, np.square)
BINARY = (np.add, np.subtract, np.multiply)


@pytest.fixture
def met(monkeypatch):
    """Strips of a few rows for arrays of any size; gives the courses that were written."""
    found = []
    courses_of = courses.courses_of

    def noted(plan):
        made = courses_of(plan)
        found.extend(made.values())
        return made

    monkeypatch.setattr(scope, "courses_of", noted)
    monkeypatch.setenv("QIUDAO_CACHE", "0")
    monkeypatch.setattr(courses, "LARGE", 0)
    return found


def both(f, *xs, monkeypatch, strip):
    """The results of a function compiled without strips, and with strips of so many rows."""
    with monkeypatch.context() as patch:
        patch.setattr(courses, "LARGE", 1 << 60)
        plain = qd.jit(lambda *xs: f(*xs))(*xs)
    monkeypatch.setattr(courses.Course, "strip", strip)
    return plain, qd.jit(lambda *xs: f(*xs))(*xs)


def agree(plain, strips):
    for a, b in zip(plain, strips, strict=True):
        np.testing.assert_array_equal(a, b)


def program(rng, count, rows):
    """A random program of shifted slices, joins, writes and functions of two arrays."""
    steps = [
        (
            rng.choice(["unary", "binary", "ahead", "behind", "join", "write", "add"]),
            int(rng.integers(1 << 30)),
        )
        for _ in range(count)
    ]

    def f(x, y):
        values = [x, y]
        for kind, seed in steps:
            own = np.random.default_rng(seed)
            a = values[-1 - own.integers(min(3, len(values)))]
            b = values[own.integers(len(values))]
            k = int(own.integers(1, 4))
            if kind == "unary":
                made = UNARY[own.integers(len(UNARY))](a)
            elif kind == "binary":
                made = BINARY[own.integers(len(BINARY))](a, b)
            elif kind == "ahead":
                made = np.concatenate([a[k:] - a[:-k] * b[k:], b[:k]])
            elif kind == "behind":
                made = np.concatenate([b[:k], a[:-k] * 0.5 + b[k:]])
            elif kind == "join":
                made = np.concatenate([a[:1], a[2:] - 2.0 * a[1:-1] + a[:-2], b[-1:]])
            elif kind == "write":
                made = a * 1.0
                made[k:-k] = b[k:-k] * a[: -2 * k]
                made[0] = b[1]
            else:
                made = a * 1.0
                made[k:] += b[:-k]
            values.append(made * 0.5)
        return values[-1], values[-3]

    return f


@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed, met, monkeypatch):
    rng = np.random.default_rng(seed)
    shape = [(97,), (64,), (33, 5), (40, 3, 2)][seed % 4]
    f = program(rng, 9, shape[0])
    x, y = rng.uniform(-1, 1, size=(2, *shape))
    agree(*both(f, x, y, monkeypatch=monkeypatch, strip=int(rng.integers(5, 14))))
    assert met


@pytest.mark.parametrize("seed", range(8))
def test_gradients_of_random_programs(seed, met, monkeypatch):
    rng = np.random.default_rng(100 + seed)
    shape = [(90,), (31, 4)][seed % 2]
    f = program(rng, 6, shape[0])
    x, y = rng.uniform(-1, 1, size=(2, *shape))
    gradient = qd.grad(lambda x, y: sum(np.sum(v * v) for v in f(x, y)), argnums=(0, 1))
    agree(*both(gradient, x, y, monkeypatch=monkeypatch, strip=int(rng.integers(6, 14))))
    assert met


def steps(x, y):
    for _ in range(4):
        x = np.concatenate([x[:1], x[1:] + 0.1 * np.sin(y[1:] * x[:-1])])
        y = np.concatenate([y[1:] * x[:-1], y[-1:]])
    return x, y


def test_large_arrays_for_any_number_of_threads(monkeypatch):
    monkeypatch.setenv("QIUDAO_CACHE", "0")
    x, y = np.random.default_rng(0).uniform(-1, 1, size=(2, 60_001))
    made = []
    courses_of = courses.courses_of
    monkeypatch.setattr(scope, "courses_of", lambda plan: made.append(courses_of(plan)) or made[-1])
    alone = qd.jit(lambda x, y: steps(x, y))
    one = alone(x, y)
    assert any(made)
    qd.set_num_threads(2)
    try:
        agree(one, alone(x, y))
        agree(one, qd.jit(lambda x, y: steps(x, y))(x, y))
    finally:
        qd.set_num_threads(1)
    monkeypatch.setattr(courses, "LARGE", 1 << 60)
    agree(one, qd.jit(lambda x, y: steps(x, y))(x, y))


def test_a_result_in_the_place_of_an_argument(met, monkeypatch):
    def f(x, y):
        a = np.concatenate([y[:1], x[1:] * y[:-1]])
        b = np.concatenate([a[2:] - x[:-2], a[:2]])
        return b * x

    x, y = np.random.default_rng(0).uniform(-1, 1, size=(2, 80))
    want = f(x, y)
    monkeypatch.setattr(courses.Course, "strip", 8)
    np.testing.assert_allclose(qd.jit(f, donate=0)(x.copy(), y), want, rtol=1e-15)
    assert met
