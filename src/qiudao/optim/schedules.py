"""Learning rates as pure functions of the number of steps done.

Each function here makes a schedule: a function from that number to a rate, written with NumPy so
that the number may be a traced one.  A rule takes one as its `lr`; `lr_scheduler` steps them for
the tape.

    rule = qd.optim.adam(lr=qd.optim.schedules.cosine(1e-3, steps=1000))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.errors import GradientError
from .options import at_least, is_number

__all__ = [
    "Schedule",
    "cosine",
    "exponential",
    "milestones",
    "one_cycle",
    "sequence",
    "steps",
    "warm_up",
]

Schedule = Callable[[Any], Any]


def steps(lr: Any, every: int, gamma: Any = 0.1) -> Schedule:
    """Lr gamma^floor(t / every): a factor after each so many steps.

    >>> rate = qd.optim.schedules.steps(0.5, every=10, gamma=0.5)
    >>> [float(rate(t)) for t in (0, 9, 10, 25)]
    [0.5, 0.5, 0.25, 0.125]
    """
    at_least("steps", "every", every, 1)
    at_least("steps", "gamma", gamma, 0)
    return lambda t: lr * gamma ** (t // every)


def milestones(lr: Any, at: Any, gamma: Any = 0.1) -> Schedule:
    """Lr gamma^k after the first k of the steps in `at`.

    >>> rate = qd.optim.schedules.milestones(0.5, at=[2, 5], gamma=0.5)
    >>> [float(rate(t)) for t in (0, 2, 4, 5)]
    [0.5, 0.25, 0.25, 0.125]
    """
    if not isinstance(at, Iterable) or not all(map(is_number, at)):
        raise GradientError(f"milestones: at={at!r}; it must be a list of numbers of steps")
    at_least("milestones", "gamma", gamma, 0)
    return lambda t: lr * gamma ** sum((t >= m) * 1.0 for m in at)


def exponential(lr: Any, gamma: Any) -> Schedule:
    """Lr gamma^t.

    >>> float(qd.optim.schedules.exponential(1.0, 0.5)(3))
    0.125
    """
    at_least("exponential", "gamma", gamma, 0)
    return lambda t: lr * gamma**t


def cosine(lr: Any, steps: int, lowest: Any = 0.0) -> Schedule:
    """From lr to `lowest` along half a cosine: lowest + (lr - lowest) (1 + cos(pi t / steps)) / 2.

    >>> rate = qd.optim.schedules.cosine(1.0, steps=100)
    >>> [round(float(rate(t)), 3) for t in (0, 50, 100)]
    [1.0, 0.5, 0.0]
    """
    at_least("cosine", "steps", steps, 1)
    return lambda t: lowest + (lr - lowest) * (1 + np.cos(np.pi * t / steps)) / 2


def warm_up(lr: Any, steps: int, start: Any = 1 / 3, end: Any = 1.0) -> Schedule:
    """From start lr to end lr in a straight line of so many steps, and end lr from then on.

    >>> rate = qd.optim.schedules.warm_up(1.0, steps=4, start=0.0)
    >>> [float(rate(t)) for t in (0, 1, 4, 9)]
    [0.0, 0.25, 1.0, 1.0]
    """
    at_least("warm_up", "steps", steps, 1)
    return lambda t: lr * (start + (end - start) * np.minimum(t, steps) / steps)


def one_cycle(
    top: Any,
    steps: int,
    *,
    pct_start: float = 0.3,
    anneal: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Up from top / div_factor to `top`, then down to top / (div_factor final_div_factor).

    The way up takes pct_start of the `steps`; with `three_phase` the way down first mirrors it.
    `anneal` is "cos" or "linear".  Raises `GradientError` for another.

    >>> rate = qd.optim.schedules.one_cycle(1.0, steps=11, pct_start=0.4, anneal="linear")
    >>> [round(float(rate(t)), 3) for t in (0, 3, 3.4, 10)]
    [0.04, 0.887, 1.0, 0.0]
    """
    for what, divisor in (("div_factor", div_factor), ("final_div_factor", final_div_factor)):
        if at_least("one_cycle", what, divisor, 0) == 0:
            raise GradientError(f"one_cycle: {what}=0 divides a rate; give a number above 0")
    first, last = top / div_factor, top / div_factor / final_div_factor
    return phases(steps, pct_start, three_phase, anneal, (first, top, first, last))


def phases(
    steps: int, pct_start: float, three_phase: bool, anneal: str, heights: tuple[Any, ...]
) -> Schedule:
    """Start, peak, shoulder and end of a cycle joined by curves; two phases skip the shoulder."""
    if anneal not in ("cos", "linear"):
        raise GradientError(f"one_cycle: anneal={anneal!r} is unknown; use 'cos' or 'linear'")
    at_least("one_cycle", "steps", steps, 1)
    if not is_number(pct_start) or not 0 <= pct_start <= 1:
        raise GradientError(
            f"one_cycle: pct_start={pct_start!r}; it is the share of the way up, from 0 to 1"
        )
    up = pct_start * steps - 1
    start, peak, shoulder, end = heights
    knots = [(0.0, start), (up, peak), (steps - 1.0, end)]
    if three_phase:
        knots.insert(2, (2 * pct_start * steps - 2, shoulder))

    def rate(t: Any) -> Any:
        found = end
        for (a, low), (b, high) in reversed(list(pairwise(knots))):
            part = (t - a) / (b - a) if b != a else 1.0
            if anneal == "cos":
                part = (1 - np.cos(np.pi * part)) / 2
            found = np.where(t <= b, low + (high - low) * part, found)
        return found

    return rate


def sequence(parts: Sequence[Schedule], at: Sequence[int]) -> Schedule:
    """One schedule after another: the next begins, at its own zero, at each step in `at`.

    >>> warm = qd.optim.schedules.warm_up(1.0, steps=2, start=0.0)
    >>> fall = qd.optim.schedules.exponential(1.0, 0.5)
    >>> rate = qd.optim.schedules.sequence([warm, fall], at=[2])
    >>> [float(rate(t)) for t in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    if len(parts) != len(at) + 1:
        raise GradientError(
            f"sequence: {len(parts)} schedules meet at {len(parts) - 1} steps, and {len(at)} are "
            "given; name the step at which each but the first begins"
        )

    def rate(t: Any) -> Any:
        found = parts[0](t)
        for part, begin in zip(parts[1:], at):
            found = np.where(t >= begin, part(np.maximum(t - begin, 0)), found)
        return found

    return rate
