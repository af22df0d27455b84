"""Gauss's rule on the intervals that SciPy has come to, in differentiable operations."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd

from ...core.errors import QiudaoError
from ..operands import plain

NODES, WEIGHTS = np.polynomial.legendre.leggauss(30)


def by_pieces(f: Callable[[Any], Any], a: Any, b: Any, intervals: Any, at_once: bool = True) -> Any:
    """The integral of `f` from `a` to `b` by 30 points on each interval.

    `intervals` has shape (count, 2).  They divide [a, b], or what t runs through where
    x = start +- (1 - |t|) / t takes an infinite interval to [0, 1] or [-1, 1].
    """
    if plain(a) == plain(b):
        return (b - a) * f(a)
    points, weights = rule(a, b, intervals)
    return np.tensordot(weights, at(f, points, at_once), 1)


def rule(a: Any, b: Any, intervals: Any) -> tuple[Any, Any]:
    """Points between `a` and `b`, and their weights; both move with the limits that are finite."""
    low, high = plain(a), plain(b)
    starts, half = intervals[:, :1], 0.5 * (intervals[:, 1:] - intervals[:, :1])
    t, w = np.ravel(starts + half + half * NODES), np.ravel(half * WEIGHTS)
    if np.isfinite(low) and np.isfinite(high):
        return a + (b - a) * ((t - low) / (high - low)), (b - a) * (w / np.sum(w))
    way = 1.0 if high > low else -1.0
    x, w = (1 - np.abs(t)) / t, way * w / t**2
    return (a + way * x if np.isfinite(low) else b - way * x if np.isfinite(high) else x), w


def at(f: Callable[[Any], Any], points: Any, at_once: bool) -> Any:
    """`f` of each of many points: at once, or one by one where it branches on them."""
    if at_once:
        try:
            return qd.vmap(f)(points)
        except QiudaoError:
            pass
    return np.stack([f(points[k]) for k in range(np.size(points))])
