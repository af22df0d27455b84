"""The error of a limit as its step shrinks: it falls, and rises again."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .exact import Exact
from .function import Function

NEARBY = (
    1.0,
    1.23,
    1.61,
)  # multiples of a step; the largest error counts, or luck would draw holes
FIRST, LAST = 2, 32  # half decades: from 1e-1 to 1e-16
PATIENCE = 2.0  # seconds
CANDIDATES, COARSE = 24, 1e-3  # coordinates that are tried for the curve, and with which step


class Point(NamedTuple):
    """A step, and the relative errors that it leaves (nan where the function has no value)."""

    step: float
    one_sided: float
    two_sided: float


class Curve(NamedTuple):
    """Errors by step for the partial derivative by one coordinate.

    Steps are in proportion to max(|x|, 1), errors relative and at least half of `eps`, the
    precision of the function.
    """

    element: int
    eps: float
    points: list[Point]

    @property
    def best(self) -> tuple[Point | None, Point | None]:
        """The points of least error: one-sided, two-sided."""
        one = [p for p in self.points if math.isfinite(p.one_sided)]
        two = [p for p in self.points if math.isfinite(p.two_sided)]
        return (
            min(one, key=lambda p: p.one_sided, default=None),
            min(two, key=lambda p: p.two_sided, default=None),
        )

    @property
    def theory(self) -> tuple[float, float]:
        """sqrt(eps) and cbrt(eps): where truncation and cancellation weigh the same."""
        return math.sqrt(self.eps), self.eps ** (1 / 3)


def curve_of(f: Function, exact: Exact, run: float) -> Curve | None:
    """The V of both limits, for the coordinate with the largest derivative.

    None where no derivative is finite and nonzero, and where it would take too long: one run of the
    function takes `run` seconds.
    """
    known = np.where(np.isfinite(exact.gradient), np.abs(exact.gradient), 0.0)
    if exact.is_zero or not np.any(known) or 2 * len(NEARBY) * (LAST - FIRST + 1) * run > PATIENCE:
        return None
    element = most_curved(f, exact.gradient, known)
    slope, x, eps = exact.gradient[element], float(f.start[element]), float(f.eps[element])
    scale, base = max(abs(x), 1.0), f(f.start)

    def errors(h: float) -> tuple[float, float]:
        (up, right), (down, left) = f.moved(element, x + h), f.moved(element, x - h)
        if right == x or left == x:
            return math.nan, math.nan
        quotients = (up - base) / (right - x), (up - down) / (right - left)
        one, two = (max(float(abs(q / slope - 1)), eps / 2) for q in quotients)
        return one, two

    points = []
    for k in range(FIRST, LAST + 1):
        step = 10.0 ** (-k / 2)
        found = [errors(step * scale * m) for m in NEARBY]
        if not np.isnan(found).all():
            points.append(Point(step, *np.max(found, axis=0).tolist()))
    return Curve(element, eps, points) if points else None


def most_curved(f: Function, gradient: np.ndarray, known: np.ndarray) -> int:
    """The coordinate, of those with large derivatives, whose limit has the largest error.

    By one that the function is linear in there is no V to see.
    """
    large = [int(k) for k in np.argsort(-known, kind="stable")[:CANDIDATES]]
    base, errors = f(f.start), []
    for k in large:
        x = float(f.start[k])
        up, right = f.moved(k, x + COARSE * max(abs(x), 1.0))
        with np.errstate(all="ignore"):
            error = abs(float(((up - base) / (right - x)) / gradient[k] - 1))
        fair = known[k] > known[large[0]] / 100 and math.isfinite(error)
        errors.append(error if fair else -1.0)
    return large[int(np.argmax(errors))]
