"""The ways to one gradient, measured: limits, chained limits, forward sweeps, a reverse sweep."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...core.node import Equation
from ..witness import Observation
from .exact import Exact, error_of, exact_of
from .function import Function, flat
from .limits import Place, cannot_chain, chained, one_sided, two_sided

MOST = 2_000  # runs of the function that one way may take
EVALUATIONS = 10_000  # of single operations, that chained limits may take
PATIENCE = 2.0  # seconds that one way may take
WORK = 20_000_000  # elements that chained limits may compute
TIMED, REPEATS = 0.02, 7  # seconds and runs after which a time is believed


@dataclass(frozen=True, slots=True)
class Row:
    """One way to the gradient: what it gives, how wrong it is, and what it takes.

    `gradient` holds the derivatives by all coordinates of the inputs (None: the way was not gone,
    for the reason in `note`); `error` is the largest error of one of them, relative to the largest.
    `evaluations` are the runs of f, `operations` those within them and one for every operation that
    a sweep passes, `seconds` the least of some repetitions.
    """

    way: str
    gradient: np.ndarray | None
    error: float | None
    evaluations: int
    operations: int
    seconds: float
    note: str = ""


class Measured(NamedTuple):
    """The rows, the exact gradient, the limits of single operations, the seconds of one run.

    `is_restless` says that the function gives another value each time it runs.
    """

    rows: list[Row]
    exact: Exact
    slopes: dict[Place, float]
    run: float
    is_restless: bool


def timed(act: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What an act gives, and the least seconds that it takes."""
    spent, least = 0.0, float("inf")
    for _ in range(REPEATS):
        begun = time.perf_counter()
        with np.errstate(all="ignore"):
            found = act()
        took = time.perf_counter() - begun
        least, spent = min(least, took), spent + took
        if spent > TIMED:
            break
    return found, least


def measured(f: Function, seen: Observation) -> Measured:
    """Every way that can be gone, in the order of the story."""
    count = f.start.size
    made = sum(s.flows and isinstance(s.node, Equation) for s in seen.steps)
    places = f.coordinates()
    _, run = timed(lambda: np.array(f(f.start)))
    reverse, backward_took = timed(f.pull)
    with np.errstate(all="ignore"):
        values = np.array([f(f.start), f(f.start)])
    restless = not np.array_equal(values[0], values[1], equal_nan=True)
    finer = exact_of(f, seen) if run < TIMED and not restless else None
    exact = finer or Exact(reverse, False)

    def sweeps() -> np.ndarray:
        return np.array([f.push(*place) for place in places])

    def row(way: str, act: Callable[[], np.ndarray], runs: int, each: float, passed: int) -> Row:
        if runs > MOST or runs * each > PATIENCE:
            wait = f"takes {runs:,} runs of f" if runs > MOST else f"takes {duration(runs * each)}"
            return Row(way, None, None, runs, passed, 0.0, f"left out: it {wait}")
        began: list[int] = []

        def counted() -> np.ndarray:
            began.append(f.calls)
            return act()

        found, seconds = timed(counted)
        calls = (f.calls - began[0]) // len(began)
        return Row(way, found, error_of(found, exact.gradient), calls, passed, seconds)

    rows = [
        row("limit, one-sided", lambda: one_sided(f), count + 1, run, (count + 1) * made),
        row("limit, two-sided", lambda: two_sided(f), 2 * count, run, 2 * count * made),
    ]
    slopes: dict[Place, float] = {}
    obstacle = cannot_chain(seen, EVALUATIONS, WORK)
    if obstacle:
        rows.append(Row("limits, chained", None, None, 1, 0, 0.0, f"left out: {obstacle}"))
    else:
        output = f.output(seen)
        with np.errstate(all="ignore"):
            cotangents, slopes, evaluations = chained(seen, output)
        _, seconds = timed(lambda: flat(chained(seen, output).cotangents))
        found = flat(cotangents)
        error = error_of(found, exact.gradient)
        rows.append(Row("limits, chained", found, error, 1, made + evaluations, run + seconds))
    one = timed(lambda: np.array(f.push(*places[0])))[1] if places else 0.0
    rows.append(row("forward sweeps", sweeps, count, one, 2 * count * made))
    error = error_of(reverse, exact.gradient)
    rows.append(Row("reverse sweep", reverse, error, 1, 2 * made, backward_took))
    return Measured(rows, exact, slopes, run, restless)


def duration(s: float) -> str:
    """`12 us`."""
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if s < 999.5 * scale:
            return f"{s / scale:.3g} {unit}"
    return f"{s:.3g} s"
