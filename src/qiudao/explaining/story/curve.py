"""The error of a limit as its step shrinks: it falls, and rises again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .methods import EPS, ONE_SIDED, TWO_SIDED, Function


class Point(NamedTuple):
    """A step and the relative errors that it leaves; never below eps / 2, so that logs exist."""

    step: float
    one_sided: float
    two_sided: float


class Curve(NamedTuple):
    """Errors by step for the partial derivative by one element, and the steps of least error."""

    element: int
    points: list[Point]

    @property
    def best(self) -> tuple[float, float]:
        """The measured steps of least error: one-sided, two-sided."""
        one = min(self.points, key=lambda p: p.one_sided)
        two = min(self.points, key=lambda p: p.two_sided)
        return one.step, two.step

    @property
    def theory(self) -> tuple[float, float]:
        """sqrt(eps) and cbrt(eps): where truncation and cancellation are equal."""
        return ONE_SIDED, TWO_SIDED


def curve_of(f: Function, exact: np.ndarray) -> Curve | None:
    """The V of both limits, for the element with the largest derivative; None where all are 0."""
    if not exact.size or not np.any(np.isfinite(exact) & (exact != 0)):
        return None
    element = int(np.argmax(np.where(np.isfinite(exact), np.abs(exact), 0.0)))
    slope, x = float(exact[element]), float(f.start[element])
    scale = max(abs(x), 1.0)
    base = f(f.start)

    def at(moved: float) -> float:
        point = f.start.copy()
        point[element] = moved
        return f(point)

    points = []
    for k in range(2, 33):  # half decades
        h = 10.0 ** (-k / 2) * scale
        up, down = x + h, x - h
        if up == x or down == x:
            break
        one = (at(up) - base) / (up - x)
        two = (at(up) - at(down)) / (up - down)
        errors = [max(abs(d - slope) / abs(slope), EPS / 2) for d in (one, two)]
        if np.isfinite(errors).all():
            points.append(Point(h / scale, *errors))
    return Curve(element, points) if points else None
