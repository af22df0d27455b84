"""Rows that are alike are computed once, with the values that they had, where that pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import qiudao as qd
from qiudao.compiling.tracing import trace
from qiudao.core.program import Program, check
from qiudao.ops.einsum import Einsum
from qiudao.ops.products import MatMul
from qiudao.passes import alike as pass_
from qiudao.passes.pipeline import simplify
from qiudao.passes.prune import prune
from qiudao.transforms.expand import expanded

N = 12
RNG = np.random.default_rng(3)
X = RNG.normal(size=N)
W = RNG.normal(size=(4, 9))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Every program whose products get smaller is changed."""
    monkeypatch.setattr(pass_, "WORTH", 1)
    monkeypatch.setattr(pass_, "SPREAD", 0)


def turned(x: Any) -> Any:
    """The first parameters turn what the next ones move, and the last ones move it on."""
    matrix = np.outer(np.sin(x[:3]), np.cos(x[3:7]))
    return np.outer(x[:3], x[:3]) @ (matrix @ W) + x[9:, None]


def joined(x: Any) -> Any:
    parts = np.concatenate([np.exp(x[2:6]).reshape(2, 2), np.ones((2, 2))], 1)
    return np.stack([parts, parts[::-1]]).transpose(1, 0, 2).reshape(4, 4).sum(1) @ W


FUNCTIONS: list[Callable[[Any], Any]] = [
    turned,
    joined,
    lambda x: np.sin(x[:4]) @ W,
    lambda x: np.outer(np.sin(x[:3]), np.ones(N)) @ np.outer(np.cos(x), x[:3]),
    lambda x: np.einsum("i,ij->j", np.exp(x[4:8]), W) * x[0],
    lambda x: np.einsum("ij,ik->jk", W, np.outer(np.sin(x[:4]), x[:4])),
    lambda x: np.broadcast_to(np.sin(x[:4, None]), (4, 4)) @ W,
    lambda x: np.outer(np.exp(x[:4]), x[:3]) @ np.outer(np.sin(x[:3]), x[1:5]),
    lambda x: (W.T @ np.sin(x[5:9])).astype(np.float64)[2:5],
]


def rows_of_products(program: Program) -> list[int]:
    return [e.shape[0] for e in program.equations
            if isinstance(e.primitive, MatMul | Einsum) and e.ndim > 1]  # fmt: skip


def before_and_after(f: Callable[..., Any], *args: Any) -> tuple[Program, Program]:
    program = prune(simplify(expanded(trace(f)(*args))))
    changed = pass_.alike(program)
    check(changed)
    return program, changed


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_jacobians_have_the_same_values(number):
    jacobian = qd.jacfwd(FUNCTIONS[number])
    program, changed = before_and_after(jacobian, X)
    assert changed is not program
    for got, want in zip(changed(X), program(X), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(qd.jit(jacobian)(X), jacobian(X), rtol=1e-12, atol=1e-12)


def test_directions_that_move_nothing_are_one_row():
    _, changed = before_and_after(qd.jacfwd(lambda x: np.sin(x[:4]) @ W), X)
    assert rows_of_products(changed) == [5]


def test_nan_and_infinity_reach_every_direction_that_they_reached():
    wide = W.copy()
    wide[1, 2], wide[3, 4] = np.inf, np.nan
    jacobian = qd.jacfwd(lambda x, w: np.sin(x[:4]) @ w)
    program, changed = before_and_after(jacobian, X, wide)
    assert rows_of_products(changed) == [5]
    with np.errstate(invalid="ignore"):
        (got,), (want,) = changed(X, wide), program(X, wide)
    np.testing.assert_array_equal(got, want)
    assert np.isnan(want[2]).sum() == N - 1, "all but the direction that infinity moves"


def test_what_gains_too_little_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(pass_, "WORTH", 1 << 16)
    program, changed = before_and_after(qd.jacfwd(turned), X)
    assert changed is program
    monkeypatch.setattr(pass_, "WORTH", 1)
    monkeypatch.setattr(pass_, "SPREAD", 100)
    program, changed = before_and_after(qd.jacfwd(turned), X)
    assert changed is program, "more is spread out than is saved"
    monkeypatch.setattr(pass_, "SPREAD", 0)
    program, changed = before_and_after(qd.jacfwd(lambda x: np.sin(x) @ np.ones((N, 9))), X)
    assert changed is program, "all directions differ"


def test_a_batch_of_different_rows_stays_as_it_is():
    data = RNG.normal(size=(N, 4))
    program, changed = before_and_after(lambda w: np.tanh(data @ w), W)
    assert changed is program
    data[5:] = data[5]
    program, changed = before_and_after(lambda w: np.tanh(data @ w), W)
    assert rows_of_products(changed) == [6]
    np.testing.assert_allclose(changed(W)[0], np.tanh(data @ W), rtol=1e-14)


def test_a_matrix_times_itself_reads_one_by_rows_and_the_other_whole():
    square = np.eye(N)
    square[4:] = square[4]
    program, changed = before_and_after(lambda x: (lambda s: s @ s)(square * x), X)
    assert changed is not program
    np.testing.assert_allclose(changed(X)[0], (square * X) @ (square * X), rtol=1e-14)
