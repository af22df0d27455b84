"""Blocks of rows: programs cut along an axis give the values that they gave whole.

Thresholds are lowered, so that small arrays are cut too, into blocks of a few rows and a rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import qiudao as qd
from qiudao.compiling.tracing import trace
from qiudao.core.program import Program, check
from qiudao.ops.control import Rows
from qiudao.passes import rows
from qiudao.passes.pipeline import simplify
from qiudao.passes.prune import prune
from qiudao.transforms.expand import expanded

RNG = np.random.default_rng(5)
N = 37  # rows, which no size of a block divides
X = RNG.normal(size=(N, 5))
Y = RNG.normal(size=(5, N))
S = RNG.normal(size=(N, N))
T = RNG.normal(size=(4, N, 3))
W = RNG.normal(size=(5, 4))
B = RNG.normal(size=4)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Every program that has rows is cut."""
    monkeypatch.setattr(rows, "WORTH", 1)
    monkeypatch.setattr(rows, "LEAST", 1)
    monkeypatch.setattr(rows, "CACHE", 1 << 10)


def softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - np.max(x, axis, keepdims=True))
    return e / np.sum(e, axis, keepdims=True)


def mixture(x: Any, means: Any, factors: Any) -> Any:
    """The points along the last axis, as in ADBench's GMM."""
    far = factors.reshape(12, 5) @ x.T - (factors @ means[:, :, None]).reshape(12, 1)
    squares = (far.reshape(4, 3, N) ** 2).sum(1)
    top = np.max(squares, 0, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(squares - top), 0)) + top[0])


def network(x: Any, w: Any, b: Any) -> Any:
    hidden = np.maximum(x @ w + b, 0.0)
    return np.sum(np.log(np.sum(np.exp(hidden), 1)) * hidden[:, 0])


MEANS, FACTORS = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 3, 5))

FUNCTIONS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (lambda x: softmax(x, 0), (Y,)),
    (lambda x: softmax(x, 1), (Y,)),
    (lambda x: softmax(x.T, 0).sum(1), (X,)),
    (lambda x, y: softmax(x @ y, 0) + softmax(x @ y, 1), (X, Y)),
    (lambda x, w: np.tanh(w.T @ x.T).T @ w.T, (X, W)),
    (lambda x, y: np.tanh(x.T) @ np.exp(y.T), (X, Y)),
    (lambda x, y: np.exp(x.T) * y + np.sum(y, 0), (X, Y)),
    (lambda s: softmax(s, 0) @ s + softmax(s.T, 1), (S,)),
    (lambda s: np.exp(s) @ np.exp(s), (S,)),
    (lambda s: np.sum(np.exp(s) * np.exp(s.T), 0), (S,)),
    (lambda s: np.exp(s) + np.exp(s[0]) + np.exp(s[:, :1]), (S,)),
    (lambda t: softmax(t, 1).sum((0, 2)), (T,)),
    (lambda t: softmax(t, 2).transpose(1, 0, 2).reshape(N, 12) @ np.ones((12, 2)), (T,)),
    (lambda t: np.exp(t.reshape(4, N * 3)).reshape(4, N, 3).sum(1), (T,)),
    (lambda t: np.max(np.exp(t), 1, keepdims=True) * t, (T,)),
    (lambda t: np.prod(np.exp(t), 1) + np.min(np.exp(t), 1), (T,)),
    (lambda t: np.exp(t)[:, ::-1] + np.flip(np.exp(t), (0, 2)), (T,)),
    (lambda t: np.exp(t)[1] + np.exp(t)[:, :, 1:2].sum(0) + np.exp(t)[3:, :, 0].T, (T,)),
    (lambda t: np.exp(t)[:, 1:30] * 2.0, (T,)),
    (lambda t: np.exp(t)[:, :, None, 0] + np.exp(t)[..., :1], (T,)),
    (lambda t: np.concatenate([np.exp(t), t[:, :, :1]], 2).sum(2), (T,)),
    (lambda t: np.concatenate([np.exp(t), t], 1).sum(1), (T,)),
    (lambda t, y: np.einsum("anb,cn->nab", np.exp(t), y), (T, Y)),
    (lambda t, y: np.einsum("anb,cn->cab", np.exp(t), np.exp(y)), (T, Y)),
    (lambda t: np.exp(t).transpose(1, 0, 2) @ np.exp(t).transpose(1, 2, 0), (T,)),
    (lambda t: np.exp(t) @ np.ones((3, 2)) + np.ones((N, N)) @ np.exp(t)[:, :, :2], (T,)),
    (lambda x: np.stack([np.exp(x), x], -1).sum(-1).T, (X,)),
    (lambda y: np.where(y > 0, np.exp(y), np.cumsum(y, 1)), (Y,)),
    (lambda y: np.exp(y) / np.sum(np.exp(y)), (Y,)),
    (lambda y: np.broadcast_to(np.exp(y)[:, None], (5, 2, N)).sum(1), (Y,)),
    (lambda y: np.exp(y[0]) @ np.exp(y.T) + np.exp(y) @ np.exp(y[1]), (Y,)),
    (qd.grad(network, (0, 1, 2)), (X, W, B)),
    (qd.grad(mixture, (0, 1, 2)), (X, MEANS, FACTORS)),
    (qd.grad(lambda t: np.sum(np.exp(t)[1:3, :, 0] ** 2)), (T,)),
    (qd.grad(lambda t: np.sum(np.exp(t)[:, 4:20] ** 2)), (T,)),
    (qd.grad(lambda s: np.sum(softmax(s @ s, 0) * s.T)), (S,)),
]  # fmt: skip


def optimised_up_to_rows(program: Program) -> Program:
    """What the pass is given: written out in primitives that it knows, and simplified."""
    return prune(simplify(expanded(program)))


def flat(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (tuple, list)) else [values]


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_the_values_of_blocks_are_those_of_the_whole(number):
    f, args = FUNCTIONS[number]
    want = flat(f(*args))
    program = optimised_up_to_rows(trace(f)(*args))
    cut = rows.by_rows(program)
    check(cut)
    for got, one in zip(cut(*args), want, strict=True):
        np.testing.assert_allclose(got, one, rtol=1e-11, atol=1e-11)
    for got, one in zip(flat(qd.jit(f)(*args)), want, strict=True):
        np.testing.assert_allclose(got, one, rtol=1e-11, atol=1e-11)


def is_cut(f: Callable[..., Any], *args: Any) -> list[Rows]:
    cut = rows.by_rows(optimised_up_to_rows(trace(f)(*args)))
    return [e.primitive for e in cut.equations if isinstance(e.primitive, Rows)]


def test_a_mixture_is_one_pass_over_its_points():
    """The points lie along the first axis of the data and the last of all else."""
    (made,) = is_cut(qd.grad(mixture, (1, 2)), X, MEANS, FACTORS)
    assert made.length == N
    assert made.axes == (-2,), "the points are cut, and nothing as long is kept"
    assert made.sums == 2


def test_a_large_product_is_not_added_up_block_by_block(monkeypatch):
    gradient = qd.grad(lambda x, w: np.sum(np.tanh(x @ w) ** 2), 1)
    (made,) = is_cut(gradient, X, W)
    assert made.sums == 1
    monkeypatch.setattr(rows, "ADDED", 4)  # rows of 4 numbers; W has 20
    (made,) = is_cut(gradient, X, W)
    assert made.sums == 0


def test_what_needs_all_rows_is_not_cut():
    assert not is_cut(lambda s: np.cumsum(np.exp(s), 0), S[:, :1])
    assert not is_cut(lambda s: np.linalg.inv(s), S)


def random_program(seed: int) -> Callable[[Any, Any], list[Any]]:
    """Thirty operations in which rows move between axes, and axes are as long by chance."""

    def f(x: Any, s: Any) -> list[Any]:
        rng = np.random.default_rng(seed)
        pool = [x, s, x.T, s[:, :5]]
        for _ in range(30):
            a = pool[rng.integers(len(pool))]
            b = pool[rng.integers(len(pool))]
            kind = rng.integers(6)
            if kind == 0:
                made = np.tanh(a).T
            elif kind == 1 and a.ndim == 2:
                made = np.sum(np.tanh(a), int(rng.integers(2)), keepdims=True) / 9
            elif kind == 2 and a.ndim and b.ndim and a.shape[-1] == b.shape[-min(b.ndim, 2)]:
                made = np.tanh(a) @ b / 9
            elif kind == 3 and a.ndim == 2:
                made = a.reshape(a.shape[0], 1, a.shape[1]).transpose(2, 1, 0)[:, 0] * 0.5
            elif kind == 4 and a.ndim == 2 and 1 not in a.shape:
                made = a - np.max(a, int(rng.integers(2)), keepdims=True)
            elif all(p == q or 1 in (p, q) for p, q in zip(a.shape[::-1], b.shape[::-1])):
                made = np.tanh(a) * b + a
            else:
                continue
            pool.append(made)
        return pool[-4:]

    return f


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed):
    f = random_program(seed)
    program = optimised_up_to_rows(trace(f)(X[:, :5], S))
    cut = rows.by_rows(program)
    check(cut)
    want = f(X, S)
    results = [program(X, S), cut(X, S)]
    if seed % 4 == 0:
        results.append(qd.jit(f)(X, S))
    for values in results:
        for got, one in zip(values, want, strict=True):
            np.testing.assert_allclose(got, one, rtol=1e-10, atol=1e-10)
