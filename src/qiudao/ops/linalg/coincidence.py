"""Which eigenvalues or singular values coincide, but for rounding."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ...core.avals import Aval, Value
from ...core.primitive import Parents, Primitive, Product, Terms, Values

ROUNDING = 10.0  # units in the last place, times sqrt(n), by which computed equal values differ
NOISE = 1e3  # units in the last place, times n, that count as zero in a matrix of size n


def spread(w: Any) -> Any:
    """The difference of values that rounding alone can make."""
    highest = np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    return (ROUNDING * math.sqrt(w.shape[-1]) * np.finfo(w.dtype).eps) * highest


def distinct(w: Any) -> bool:
    """Whether no values coincide."""
    if w.dtype.kind == "c":
        return bool(np.count_nonzero(tied(w)) == w.size)
    rising = np.sort(w, axis=-1)
    return bool(np.all(rising[..., 1:] - rising[..., :-1] > spread(w)))


def tied(w: Any) -> Any:
    """Which values coincide: a matrix of masks, true on the diagonal.

    What coincides with a third value coincides.
    """
    n = w.shape[-1]
    if w.dtype.kind == "c":
        near = np.abs(w[..., None, :] - w[..., :, None]) <= spread(w)[..., None]
        near |= np.eye(n, dtype=bool)
        while True:
            wider = near @ near
            if np.array_equal(wider, near):
                return near
            near = wider
    if distinct(w):
        return np.broadcast_to(np.eye(n, dtype=bool), (*w.shape, n))
    order = np.argsort(w, axis=-1)
    rising = np.take_along_axis(w, order, -1)
    groups = np.zeros(w.shape, int)
    jumps = np.cumsum(rising[..., 1:] - rising[..., :-1] > spread(w), axis=-1)
    np.put_along_axis(groups, order[..., 1:], jumps, -1)
    return groups[..., None, :] == groups[..., :, None]


def vanishing(s: Any) -> Any:
    """Which singular values are zero."""
    return s <= spread(s)


def largest(x: Any) -> Any:
    """The largest element of each matrix, by absolute value."""
    return np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0.0)


def offending(w: Any, remainder: Any, size: Any) -> str | None:
    """Which value makes `remainder` differ from zero, in words; None where none does.

    `size` is that of the matrices in which the remainder counts as rounding; the last axis of
    `remainder` is that of `w`.
    """
    if not remainder.any():
        return None
    n = max(w.shape[-1], 1)
    bad = np.abs(remainder) > NOISE * n * np.finfo(remainder.dtype).eps * size
    if not bad.any():
        return None
    *lane, _, j = np.argwhere(bad)[0]
    place = (*lane, j)
    times = np.count_nonzero(tied(w)[place])
    value = w[place] if np.abs(w[place]) > spread(w[tuple(lane)])[0] else 0
    return f"the value {value:.6g} occurs " + (f"{times} times" if times > 1 else "once")


class Sorting(Primitive):
    """Linear in operand `last`; the others only say what coincides or counts as rounding."""

    keeps_out = False
    last: ClassVar[int] = 1

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {self.last}

    def transpose(self, ct: Value, *xs: Value) -> Value:
        """The cotangent of operand `last`."""
        raise NotImplementedError

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        change, k = dxs[self.last], self.last
        return None if change is None else self(*xs[:k], change, *xs[k + 1 :])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        back: list[Value | None] = [None] * len(xs)
        if parents[self.last] is not None:
            back[self.last] = self.transpose(ct, *xs)
        return back

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[self.last].shape, avals[self.last].dtype)
