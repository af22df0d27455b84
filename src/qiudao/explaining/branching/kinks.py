"""The kinks that a run touched, and how near it came to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.node import Equation
from ...core.source import Line
from ..expressions import expression_at
from ..sweeps import values_of
from ..witness import Observation, Step

Array = np.ndarray[Any, Any]
Distance = Callable[[Sequence[Any], Any], Array]  # of each element from the kink; 0 is on it


@dataclass(frozen=True, slots=True)
class Kink:
    """An operation with a kink or a jump: how many of its elements are on it, and what holds there.

    `nearest` is the least distance of the other elements from it, in units of the operand.
    """

    line: Line
    expression: str
    operation: str
    touched: int
    elements: int
    nearest: float | None
    convention: str


def from_zero(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance of the first operand from 0."""
    gaps: Array = np.abs(np.asarray(xs[0]))
    return gaps


def apart(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance of two operands."""
    gaps: Array = np.abs(np.asarray(xs[0]) - np.asarray(xs[1]))
    return gaps


def from_bounds(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance from the nearer bound of a clip."""
    x = np.asarray(xs[0])
    gaps = [np.abs(x - np.asarray(bound)) for bound in xs[1:]]
    nearest: Array = np.minimum.reduce(np.broadcast_arrays(*gaps))
    return nearest


def behind_extreme(xs: Sequence[Any], primitive: Any) -> Array:
    """How far the second largest (or smallest) element is from the largest, for each result.

    Complex numbers are ordered by their real parts first, so that their real parts tell.
    """
    x = np.asarray(np.real(xs[0]), float)
    axes = tuple(primitive.axes)
    moved = np.moveaxis(x, axes, range(len(axes))).reshape(-1, *rest(x.shape, axes))
    if len(moved) < 2:
        return np.full(moved.shape[1:], np.inf)
    ordered = np.sort(moved if primitive.name == "min" else -moved, axis=0)
    gaps: Array = ordered[1] - ordered[0]
    return gaps


def rest(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """The lengths of the axes that a reduction leaves."""
    gone = {a % len(shape) for a in axes}
    return tuple(n for k, n in enumerate(shape) if k not in gone)


def from_norm_zero(xs: Sequence[Any], primitive: Any) -> Array:
    """The length of each vector that a norm is taken of."""
    return np.asarray(np.sqrt(np.sum(np.square(np.abs(xs[0])), axis=primitive.axes)))


def from_both_zero(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance from where two operands are both 0."""
    gaps: Array = np.hypot(np.asarray(xs[0], float), xs[1])
    return gaps


def from_neighbours(xs: Sequence[Any], primitive: Any) -> Array:
    """How far the elements are apart that a sort puts side by side."""
    gaps: Array = np.diff(np.sort(np.real(xs[0]), axis=primitive.axis), axis=primitive.axis)
    return gaps


def from_multiple(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance from the nearest whole multiple of the second operand."""
    x, y = np.asarray(xs[0], float), np.asarray(xs[1], float)
    gaps: Array = np.abs(x - y * np.rint(x / y))
    return gaps


def from_half(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance from the nearest number half-way between whole ones."""
    x = np.asarray(xs[0], float)
    gaps: Array = np.abs(x - np.floor(x) - 0.5)
    return gaps


def from_whole(xs: Sequence[Any], primitive: Any) -> Array:
    """The distance from the nearest whole number."""
    x = np.asarray(xs[0], float)
    gaps: Array = np.abs(x - np.rint(x))
    return gaps


SIDES = "at 0 the sides are -1 and 1, and their mean 0 is the derivative"
SHARE = "a tie shares the derivative equally"
CANCEL = "at 0 the sides of every direction cancel: the derivative is 0"
LEVEL = "there it jumps; the derivative is that of the pieces, 0"
PIECES = "there it jumps; the derivative is that of the pieces"

KINKS: dict[str, tuple[Distance, str]] = {
    "absolute": (from_zero, SIDES),
    "fabs": (from_zero, SIDES),
    "maximum": (apart, SHARE),
    "minimum": (apart, SHARE),
    "fmax": (apart, SHARE),
    "fmin": (apart, SHARE),
    "clip": (from_bounds, "at a bound the derivative is 1/2, the mean of 0 and 1"),
    "max": (behind_extreme, SHARE),
    "min": (behind_extreme, SHARE),
    "relu": (from_zero, "at 0 the derivative is 0, that of the side below"),
    "copysign": (from_zero, SIDES),
    "sort": (from_neighbours, SHARE),
    "vectornorm": (from_norm_zero, CANCEL),
    "hypot": (from_both_zero, CANCEL),
    "sqrt": (from_zero, "at 0 the slope is infinite"),
    "sign": (from_zero, LEVEL),
    "heaviside": (from_zero, LEVEL),
    "floor": (from_whole, LEVEL),
    "ceil": (from_whole, LEVEL),
    "trunc": (from_whole, LEVEL),
    "rint": (from_half, LEVEL),
    "remainder": (from_multiple, PIECES),
    "fmod": (from_multiple, PIECES),
}


def kinks_of(seen: Observation) -> list[Kink]:
    """The operations with kinks that inputs lead to, one entry for each place in the source."""
    found: dict[tuple[Any, int, str], list[tuple[Step, Array]]] = {}
    for step in seen.steps:
        node = step.node
        if not isinstance(node, Equation) or node.primitive.label not in KINKS:
            continue
        if not any(isinstance(x, Step) and x.flows for x in step.operands):
            continue
        distance, _ = KINKS[node.primitive.label]
        with np.errstate(all="ignore"):
            gaps = np.asarray(distance(values_of(step), node.primitive), float)
        found.setdefault((node.code, node.offset, node.primitive.label), []).append((step, gaps))
    kinks = []
    for (code, offset, label), places in found.items():
        gaps = np.concatenate([np.reshape(g, -1) for _, g in places])
        off = gaps[np.isfinite(gaps) & (gaps > 0)]
        node = places[0][0].node
        if isinstance(node, Equation):
            kinks.append(
                Kink(
                    node.line,
                    expression_at(code, offset) or label,
                    label,
                    int(np.count_nonzero(gaps == 0)),
                    gaps.size,
                    float(off.min()) if off.size else None,
                    KINKS[label][1],
                )
            )
    return kinks
