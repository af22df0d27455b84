"""Random loops of plain Python: rolled or not, the results are the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiudao.compiling.tracing import trace
from qiudao.core.program import check
from qiudao.passes.roll import rolled

X = np.random.default_rng(0).normal(size=60)
Y = np.random.default_rng(1).normal(size=60)

ONE = [
    np.sin, np.cos, np.tanh, lambda a: -a, lambda a: a * 0.5, lambda a: 0.25 - a, lambda a: a + 1,
    lambda a: a.astype(np.float32), abs,
]  # fmt: skip
TWO = [
    lambda a, b: a + b * 0.3, lambda a, b: a * b, lambda a, b: a - b, np.maximum, np.arctan2,
    lambda a, b: np.where(a > b, a, b * 0.1),
]  # fmt: skip


def fill(m: int, z: Any, w: Any, i: int, a: Any) -> Any:
    """A write into an array that the loop fills, and a read from it."""
    if m == 0:
        z[i] = a
        return z[i - 1] * 0.5
    if m == 1:
        before = z[i - 2] + z[i - 1]
        z[i] = before * 0.5
        return before
    if m == 2:
        w[i, 0] = a
        return w[i - 1, 0] + w[i, 1]
    if m == 3:
        w[i] = a
        return w[i - 1, 1]
    if m == 4:
        z[i] = a
        z[i] = np.sin(z[i])
        return z[0] + z[i]
    z[i + 1] = a * 0.1
    return z[i] + z[i + 2]


def random_loop(seed: int) -> Callable[[Any, Any], list[Any]]:
    """A function whose loop does the same random operations in every step."""
    rng = np.random.default_rng(seed)
    steps, width = int(rng.integers(12, 45)), int(rng.integers(1, 4))
    operations = [
        (int(rng.integers(12)), rng.integers(0, 1000, 6)) for _ in range(rng.integers(2, 9))
    ]
    before, after, shift = int(rng.integers(5)), int(rng.integers(4)), int(rng.integers(3))
    vectors, narrow, filling, keeping, weak = rng.random(5) < (0.3, 0.2, 0.5, 0.5, 0.5)
    source = int(rng.integers(3))
    order = rng.permutation(60)

    def operate(kind: int, by: Any, i: int, made: list[Any], held: dict[str, Any]) -> Any:
        a, b = made[by[0] % len(made)], made[by[1] % len(made)]
        x, y = held["x"], held["y"]
        if kind <= 1:
            return a * x[0] if isinstance(a, float) else ONE[by[2] % len(ONE)](a)
        if kind <= 3:
            return TWO[by[2] % len(TWO)](a, b)
        if kind == 4:
            return a * held["outer"][by[2] % len(held["outer"])]
        if kind == 5:
            return a + x[i - shift] * y[(i + by[3]) % 60]
        if kind == 6:
            return a * (0.1 * i) if by[2] % 2 else a + (1 if i % 2 else -1)
        if kind == 7:
            one = (held["products"][i], held["elements"][59 - i], x[order[i]])[source]
            return a * 0.5 + one
        if kind == 8:
            return (
                a * 0.7 if vectors or not filling else fill(by[2] % 6, held["z"], held["w"], i, a)
            )
        if kind == 9:
            return np.sum(a) * 0.2 + a if vectors else a * a
        if kind == 10:
            return np.exp(-a * a) if i % (2 + by[2] % 2) else a * 0.1
        for j in range(by[2] % 12):
            a = np.tanh(a + 0.1 * j)
        return a

    def function(x: Any, y: Any) -> list[Any]:
        x = x.astype(np.float32) if narrow else x
        state = [x[k : k + 3] if vectors else x[k] for k in range(width)]
        if weak and not vectors:
            state[0] = 0.5
        held: dict[str, Any] = {"x": x, "y": y, "outer": [x[5], y[2]]}
        for _ in range(before):
            held["outer"].append(np.sin(held["outer"][-1]) * 0.5)
        held["products"] = [x[k] * y[k] for k in range(60)]
        held["elements"] = list(y)
        held["z"], held["w"] = np.zeros_like(x, shape=(60,)), np.ones_like(x, shape=(60, 2))
        held["z"][0], held["z"][1] = x[1], x[2]
        seen = []
        k = int(operations[0][1][4])
        for i in range(2, 2 + steps):
            made = list(state)
            for kind, by in operations:
                made.append(operate(kind, by, i, made, held))
            state = [
                made[-(q % len(made)) - 1] if (k + q) % 3 else made[(q + k) % len(made)]
                for q in range(width)
            ]
            state = state[1:] + state[:1]
            if keeping:
                seen.append(made[-1] * 1.0)
        results = [*state, held["z"] * 1.0, held["w"] * 1.0]
        if keeping:
            results.append(np.stack(seen))
        return [*results, *(np.cos(state[0]) for _ in range(after))]

    return function


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # random operations overflow now and then
@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_loops_compute_the_same(first: int) -> None:
    count = 0
    for seed in range(first, first + 10):
        program = trace(random_loop(seed))(X, Y)
        made = rolled(program).program
        check(made)
        count += len(made.equations) < 0.7 * len(program.equations)
        for a, b in zip(program(X, Y), made(X, Y), strict=True):
            a, b = np.asarray(a), np.asarray(b)
            assert (a.dtype, a.shape) == (b.dtype, b.shape), seed
            np.testing.assert_array_equal(a, b, err_msg=str(seed))
            assert (np.signbit(a) == np.signbit(b))[~np.isnan(a)].all(), seed
    assert count >= 5
