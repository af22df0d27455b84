"""A line search for the strong Wolfe conditions, by cubic interpolation in a shrinking bracket."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Trial", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9


class Trial(NamedTuple):
    """What is known of the loss at step length `t` along the line."""

    t: float
    loss: float
    gradient: Any
    slope: float  # of the loss along the line


def strong_wolfe(
    evaluate: Callable[[float], Trial],
    start: Trial,
    t: float,
    longest: float,
    tolerance: float,
    most: int,
) -> tuple[Trial, int]:
    """A point where the loss is low enough and flat enough, and how often the loss was asked for.

    `start` is the point itself, `t` the first step length to try, `longest` the largest entry of
    the direction, `most` the number of trials.  The conditions are
    loss(t) <= loss(0) + 1e-4 t slope(0) and |slope(t)| <= 0.9 |slope(0)|.
    """
    before, trial, trials = start, evaluate(t), 0
    while trials < most:
        climbs = too_high(trial, start) or (trials > 1 and trial.loss >= before.loss)
        if not climbs and is_flat(trial, start):
            return trial, trials + 1
        if climbs or trial.slope >= 0:
            ends = [before, trial]
            break
        low, high = trial.t + 0.01 * (trial.t - before.t), trial.t * 10
        before, trial = trial, evaluate(lowest(before, trial, low, high))
        trials += 1
    else:
        ends = [start, trial]
    return zoomed(evaluate, start, ends, longest, tolerance, trials, most)


def zoomed(
    evaluate: Callable[[float], Trial],
    start: Trial,
    ends: list[Trial],
    longest: float,
    tolerance: float,
    trials: int,
    most: int,
) -> tuple[Trial, int]:
    """The best point of a bracket, which shrinks until one is good or it is too small."""
    asked = trials + 1
    best = 0 if ends[0].loss <= ends[1].loss else 1
    crowded = False
    while trials < most and abs(ends[1].t - ends[0].t) * longest >= tolerance:
        left, right = min(e.t for e in ends), max(e.t for e in ends)
        t = lowest(ends[0], ends[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # twice so near an end: well inside instead
            if crowded or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                crowded = False
            else:
                crowded = True
        else:
            crowded = False
        trial = evaluate(t)
        asked += 1
        trials += 1
        other = 1 - best
        if too_high(trial, start) or trial.loss >= ends[best].loss:
            ends[other] = trial
            best = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        if is_flat(trial, start):
            return trial, asked
        if trial.slope * (ends[other].t - ends[best].t) >= 0:
            ends[other] = ends[best]
        ends[best] = trial
    return ends[best], asked


def too_high(trial: Trial, start: Trial) -> bool:
    """Whether the loss fell by less than a part of what the slope promised."""
    return trial.loss > start.loss + DECREASE * trial.t * start.slope


def is_flat(trial: Trial, start: Trial) -> bool:
    """Whether the slope is small beside that at the start."""
    return abs(trial.slope) <= -CURVATURE * start.slope


def lowest(a: Trial, b: Trial, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes is lowest, held to [low, high]."""
    if a.t > b.t:
        a, b = b, a
    with np.errstate(all="ignore"):
        mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
        square = mean**2 - a.slope * b.slope
        if not square >= 0:
            return (low + high) / 2
        root = math.sqrt(square)
        t = b.t - (b.t - a.t) * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root))
    return min(max(t, low), high)
