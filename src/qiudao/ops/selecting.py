"""Choosing between values: where, maximum and minimum, clip, and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value, promote
from ..core.dispatch import implements
from ..core.families import Elementwise, Smooth, shrink
from ..core.primitive import Parents, Product, Terms, Values, primitive
from ..core.samples import sample
from .faces import face, operand


@primitive
class Where(Elementwise):
    """`x` where `mask` holds, `y` elsewhere: linear in x and y together."""

    ufunc = np.where
    is_selection = True
    samples = (
        sample("bool[3,4]", "f64[3,4]", "f64[3,4]"),
        sample("bool[3,1]", "f64[4]", "f64[]"),
    )

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return promote(*avals[1:])

    def is_linear(self, positions: set[int]) -> bool:
        return 0 not in positions

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        _, dx, dy = dxs
        return self(xs[0], 0.0 if dx is None else dx, 0.0 if dy is None else dy)

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        mask, (_, x, y) = xs[0], parents
        return (
            None,
            None if x is None else self(mask, ct, np.zeros((), ct.dtype)),
            None if y is None else self(mask, np.zeros((), ct.dtype), ct),
        )

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        chosen = (alive & xs[0], alive & ~xs[0])
        lanes = [
            None if p is None else shrink(live, p.shape)
            for live, p in zip(chosen, parents[1:], strict=True)
        ]
        return (None, *lanes)

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return (values[0], *parents[1:])


@primitive
class Maximum(Smooth):
    """The larger of two; at a tie each gets half the slope."""

    ufunc = np.maximum
    reads = "x"
    is_selection = True
    samples = (sample("f64[3,4]", "f64[3,4]"), sample("f64[4]", "f64[3,1]"))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        mine, other = xs[i], xs[1 - i]
        return share(mine > other, mine == other, mine, other)


@primitive
class Minimum(Smooth):
    """The smaller of two; at a tie each gets half the slope."""

    ufunc = np.minimum
    reads = "x"
    is_selection = True
    samples = (sample("f64[3,4]", "f64[3,4]"), sample("f64[4]", "f64[3,1]"))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        mine, other = xs[i], xs[1 - i]
        return share(mine < other, mine == other, mine, other)


def share(wins: Value, ties: Value, x: Value, y: Value) -> Value:
    """1 for the one chosen, half at a tie, NaN where the comparison means nothing."""
    slope = np.where(wins, 1.0, np.where(ties, 0.5, 0.0))
    unordered = (x != x) | (y != y)
    return np.where(unordered, np.nan, slope) if np.any(unordered) else slope


where_ = Where()
maximum = face(Maximum(), np.maximum)
minimum = face(Minimum(), np.minimum)


@implements(np.where)
def where(condition: Any, *branches: Any) -> Value:
    """`x` where the condition holds, `y` elsewhere; with one argument, `np.nonzero`."""
    if not branches:
        return np.nonzero(condition)
    x, y = map(operand, branches)
    mask = operand(condition)
    if getattr(mask, "dtype", None) != np.bool_:
        mask = mask != 0
    return where_(mask, x, y)


__all__ = ["Maximum", "Minimum", "Where", "maximum", "minimum", "where"]
