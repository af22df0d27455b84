"""The ways to one gradient, measured: limits, chained limits, forward sweeps, a reverse sweep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...core.node import Equation
from ..witness import Observation
from .exact import Exact, error_of, finer_gradient, measure_of
from .function import Function, flat
from .limits import Place, cannot_chain, chained, one_sided, two_sided

MOST = 2_000  # runs of the function that one way may take
EVALUATIONS = 10_000  # of single operations, that chained limits may take
PATIENCE = 2.0  # seconds that one way may take
WORK = 20_000_000  # elements that chained limits may compute
SLOW = 0.25  # seconds that are measured once
TIMED, REPEATS = 0.02, 200  # seconds and runs after which a time is believed


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


def once(act: Callable[[], Any]) -> tuple[Any, float]:
    """What an act gives, and the seconds that it takes."""
    with np.errstate(all="ignore"):
        begun = time.perf_counter()
        found = act()
        return found, time.perf_counter() - begun


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """What an act gives, and the least seconds that it takes."""
    spent, least = 0.0, float("inf")
    for _ in range(REPEATS):
        found, took = once(act)
        least, spent = min(least, took), spent + took
        if spent > TIMED:
            break
    return found, least


def measured(f: Function, seen: Observation) -> Measured:
    """Every way that can be gone, in the order of the story."""
    count = f.start.size
    made = sum(s.flows and isinstance(s.node, Equation) for s in seen.steps)
    found, took = timed(f.pull())
    reverse = flat(found)
    with np.errstate(all="ignore"), f.watched() as visited:
        first, second = f(f.start), f(f.start)
    _, run = timed(f.again(visited[:1]))
    restless = first != second and not math.isnan(first)
    finer = finer_gradient(f, seen) if run < TIMED and not restless else None
    with np.errstate(all="ignore"):
        exact = measure_of(reverse, finer, first, f)
    chain, slopes = by_chained_limits(f, seen, exact, made, run)
    rows = [
        by_limits("limit, one-sided", one_sided, f, exact, count + 1, made, run),
        by_limits("limit, two-sided", two_sided, f, exact, 2 * count, made, run),
        chain,
        by_forward_sweeps(f, exact, made),
        Row("reverse sweep", reverse, error_of(reverse, exact), 1, 2 * made, took),
    ]
    return Measured(rows, exact, slopes, run, restless)


def left_out(way: str, runs: int, each: float) -> Row | None:
    """The row of a way that would take too long, with so many runs of so many seconds."""
    if runs > MOST:
        return Row(way, None, None, runs, 0, 0.0, f"left out: it takes {runs:,} runs of f")
    if runs * each > PATIENCE:
        wait = duration(runs * each)
        return Row(way, None, None, runs, 0, 0.0, f"left out: it takes {wait}")
    return None


def by_limits(
    way: str,
    limit: Callable[[Function], np.ndarray],
    f: Function,
    exact: Exact,
    runs: int,
    made: int,
    run: float,
) -> Row:
    """A limit of the whole function; its time is that of the runs of the function alone."""
    if (row := left_out(way, runs, run)) is not None:
        return row
    with f.watched() as visited:
        found, seconds = once(lambda: limit(f))
    if seconds < SLOW:
        _, seconds = timed(f.again(visited))
    error = error_of(found, exact)
    return Row(way, found, error, len(visited), len(visited) * made, seconds)


def by_chained_limits(
    f: Function, seen: Observation, exact: Exact, made: int, run: float
) -> tuple[Row, dict[Place, float]]:
    """Limits of the operations, multiplied along the graph."""
    way = "limits, chained"
    obstacle = cannot_chain(seen, EVALUATIONS, WORK)
    if obstacle:
        return Row(way, None, None, 1, 0, 0.0, f"left out: {obstacle}"), {}
    chain, seconds = timed(lambda: chained(seen, f.output(seen)))
    found = flat(chain.cotangents)
    error = error_of(found, exact)
    return Row(way, found, error, 1, made + chain.evaluations, run + seconds), chain.slopes


def by_forward_sweeps(f: Function, exact: Exact, made: int) -> Row:
    """A forward sweep from each coordinate."""
    way, places = "forward sweeps", f.coordinates()
    each = timed(f.push(*places[0]))[1] if places else 0.0
    if (row := left_out(way, len(places), each)) is not None:
        return row
    sweeps = [f.push(*place) for place in places]
    before = f.calls
    tangents, seconds = once(lambda: [sweep() for sweep in sweeps])
    calls = f.calls - before
    if seconds < SLOW:
        _, seconds = timed(lambda: [sweep() for sweep in sweeps])
    with np.errstate(all="ignore"):
        found = np.array([np.sum(np.real(t)) for t in tangents], float)
    return Row(way, found, error_of(found, exact), calls, 2 * calls * made, seconds)


def duration(s: float) -> str:
    """`12 us`."""
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if s < 999.5 * scale:
            return f"{s / scale:.3g} {unit}"
    return f"{s:.3g} s"
