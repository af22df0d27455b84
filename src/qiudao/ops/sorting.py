"""Sorting, selecting by rank, and searching in what is sorted.

A sorted array is the operand rearranged, so its derivative is the same rearrangement of the
direction; where elements are equal, which of them went where is arbitrary, and they share the
directions equally: the symmetric derivative.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import concrete, implements
from ..core.errors import RuleError
from ..core.families import Linear, Opaque, stretch
from ..core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ..core.samples import sample
from .faces import array, from_end, known, whole, with_axis
from .indexing import AddAlong, TakeAlong
from .shaping import ravel, reshape

INDEX = np.dtype(np.intp)


@primitive
class Sort(Primitive):
    """Ascending along `axis`, NaN last.  Ties share the derivative equally."""

    is_tame = True
    axis: int = -1
    samples = (
        sample("f64[6]", kind="distinct"),
        sample("f64[3,4]", axis=-2, kind="distinct"),
        sample("c128[2,4]", kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        return np.sort(xs[0], axis=self.axis)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return sorted_tangent(self.axis, dx, out, xs[0])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for short lanes."""
        if product is not operator.mul:
            return super().pull(ct, out, xs, parents, product)
        level = Level(self.axis)(ct, Runs(self.axis)(out))
        return (AddAlong(self.axis, out.shape[self.axis])(level, ArgSort(self.axis)(xs[0])),)


@primitive
class Partition(Primitive):
    """Rearranged so that the elements at the places `kth` are those of the sorted array.

    Ties share the derivative equally.
    """

    is_selection = True
    is_tame = True
    kth: tuple[int, ...] = (0,)
    axis: int = -1
    samples = (
        sample("f64[6]", kth=(2,), kind="distinct"),
        sample("f64[5,4]", kth=(1, 3), axis=-2, kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        return np.partition(xs[0], self.kth, axis=self.axis)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        order = ArgSort(self.axis)(out)
        in_order = sorted_tangent(self.axis, dx, TakeAlong(self.axis)(out, order), xs[0])
        return TakeAlong(self.axis)(in_order, ArgSort(self.axis)(order))  # the inverse of `order`


def sorted_tangent(axis: int, dx: Value, out: Value, x: Value) -> Value:
    """The direction `dx` rearranged as `x` is to give the sorted `out`, ties averaged."""
    return Level(axis)(TakeAlong(axis)(dx, ArgSort(axis)(x)), Runs(axis)(out))


@primitive
class Runs(Opaque):
    """The number of the run of equal neighbours along `axis` that each element is in."""

    axis: int = -1
    samples = (sample("f64[3,4]", axis=-2), sample("i64[9]", within=(0, 1)))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, INDEX)

    def evaluate(self, *xs: Value) -> Value:
        x = np.moveaxis(xs[0], self.axis, -1)
        starts = np.zeros(x.shape, bool)
        np.not_equal(x[..., 1:], x[..., :-1], out=starts[..., 1:])
        return np.moveaxis(np.cumsum(starts, axis=-1, dtype=INDEX), -1, self.axis)


@primitive
class Level(Linear):
    """The mean over each run along `axis`, at each place of the run.  It is its own transpose."""

    axis: int = -1
    samples = (
        sample("f64[3,4]", "i64[3,4]", within=(1, 2)),
        sample("f64[4,2]", "i64[4,2]", axis=-2, within=(0, 1)),
        sample("c128[5]", "i64[5]", within=(0, 1)),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        v, runs = (np.moveaxis(x, self.axis, -1) for x in xs)
        starts = np.ones(v.shape, bool)
        np.not_equal(runs[..., 1:], runs[..., :-1], out=starts[..., 1:])
        starts = starts.reshape(-1)
        if starts.all():
            return xs[0]
        places = np.flatnonzero(starts)
        counts = np.diff(places, append=starts.size)
        means = np.add.reduceat(v.reshape(-1), places) / counts
        out = means[np.cumsum(starts) - 1].astype(v.dtype, copy=False)
        return np.moveaxis(out.reshape(v.shape), -1, self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return self(ct, xs[1])


@primitive
class ArgSort(Opaque):
    """The places that the elements of the sorted array come from; `kind` as NumPy's."""

    axis: int = -1
    kind: Any = None
    samples = (sample("f64[3,4]"), sample("f64[3,4]", axis=-2, kind="stable"))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, INDEX)

    def evaluate(self, *xs: Value) -> Value:
        return np.argsort(xs[0], axis=self.axis, kind=self.kind)


@primitive
class ArgPartition(Opaque):
    """The places that the elements of the partitioned array come from."""

    kth: tuple[int, ...] = (0,)
    axis: int = -1
    samples = (sample("f64[3,4]", kth=(1,)),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, INDEX)

    def evaluate(self, *xs: Value) -> Value:
        return np.argpartition(xs[0], self.kth, axis=self.axis)


@primitive
class LexSort(Opaque):
    """The order along `axis` by the last of the keys, then by the one before it, and so on."""

    axis: int = -1
    samples = (sample("f64[4]", "f64[4]"), sample("i64[3,2]", "f64[3,2]", axis=-2))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, INDEX)

    def evaluate(self, *xs: Value) -> Value:
        return np.lexsort(xs, axis=self.axis)


@primitive
class SearchSorted(Opaque):
    """How many elements of a sorted lane lie before each of the values sought in that lane.

    `side` "right": how many lie before or at it.
    """

    side: Any = "left"
    samples = (
        sample("f64[5]", "f64[3]", kind="increasing"),
        sample("i64[1]", "i64[4]", side="right", within=(0, 1)),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[1].shape, INDEX)

    def evaluate(self, *xs: Value) -> Value:
        lane, sought = xs
        if lane.ndim == 1:
            return np.searchsorted(lane, sought, side=self.side)
        # Sorted together with the lane, a value has before it the sought below it and the lane's.
        n = sought.shape[-1]
        first, second = (sought, lane) if self.side == "left" else (lane, sought)
        order = np.argsort(np.concatenate([first, second], -1), axis=-1, kind="stable")
        rank = np.argsort(order, axis=-1)
        rank = rank[..., :n] if self.side == "left" else rank[..., lane.shape[-1] :]
        among = np.argsort(np.argsort(sought, axis=-1, kind="stable"), axis=-1)
        return rank - among

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        lane, sought = xs
        if not mapped[0]:
            return self(lane, sought)
        return self(lane, sought if mapped[1] else stretch(sought, size))


# What the user writes


def plain_order(name: str, order: Any) -> None:
    """Refuse the fields of a structured array, which no tensor has."""
    if order is not None:
        raise RuleError(f"{name}: order= names fields of a structured array; leave it out")


@implements(np.sort)
def sort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Value:
    """Ascending along `axis`; the flat array when that is None."""
    plain_order("sort", order)
    x = array(a) if axis is not None else ravel(a)
    return Sort(from_end(-1 if axis is None else axis, x.ndim, "sort"))(x)


@implements(np.sort_complex)
def sort_complex(a: Any) -> Value:
    """Sorted along the last axis, as complex numbers."""
    x = sort(a)
    small = x.dtype.char in "bhBH"  # as NumPy has it, whose booleans become double
    return x if x.dtype.kind == "c" else x.astype(np.complex64 if small else wide_complex(x))


def wide_complex(x: Value) -> Any:
    """The complex dtype that NumPy sorts larger numbers in."""
    return np.clongdouble if x.dtype.char == "g" else np.complex128


@implements(np.argsort)
def argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Value:
    """The indices that sort along `axis`; of the flat array when that is None."""
    plain_order("argsort", order)
    x = with_axis(array(a)) if axis is not None else ravel(a)
    at = from_end(-1 if axis is None else axis, x.ndim, "argsort")
    return ArgSort(at, "stable" if stable else kind)(x)


def partitioning(name: str, made: Callable[[tuple[int, ...], int], Primitive]) -> Any:
    """`np.partition` or `np.argpartition`, from its primitive."""

    def arrange(
        a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
    ) -> Value:
        plain_order(name, order)
        x = array(a) if axis is not None else ravel(a)
        at = from_end(-1 if axis is None else axis, x.ndim, name)
        n = x.shape[at]
        places = tuple(whole(k) for k in np.atleast_1d(concrete(array(kth))).tolist())
        if any(not -n <= k < n for k in places):
            raise ValueError(f"{name}: kth={kth} is out of bounds for an axis of {n} elements")
        return made(tuple(k % n for k in places), at)(x)

    arrange.__name__ = name
    arrange.__doc__ = f"`np.{name}`: the elements at `kth` stand where sorting would put them."
    return arrange


partition = implements(np.partition)(partitioning("partition", Partition))
argpartition = implements(np.argpartition)(partitioning("argpartition", ArgPartition))


@implements(np.lexsort)
def lexsort(keys: Any, axis: Any = -1) -> Value:
    """The indices that sort by several keys, the last of them first."""
    rows = [array(k) for k in keys]
    return LexSort(from_end(axis, rows[0].ndim, "lexsort"))(*rows)


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Value:
    """Where each of `v` belongs in the sorted vector `a`."""
    lane, sought = array(a), array(v)
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side={side!r}; choose 'left' or 'right'")
    if sorter is not None:
        lane = TakeAlong()(lane, array(sorter))
    found = SearchSorted(side)(lane, reshape(sought, (sought.size,)))
    return reshape(found, tuple(sought.shape))


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Value:
    """The number of the bin that each element falls into, between rising or falling `bins`."""
    edges = array(bins)
    plain = known(edges)
    if plain is not None:
        steps = np.diff(plain)
        if plain.ndim != 1 or not (np.all(steps >= 0) or np.all(steps <= 0)):
            raise ValueError("digitize: bins must be a vector that only rises or only falls")
    rising = edges[-1] >= edges[0] if edges.size else np.True_
    ascending = np.where(rising, edges, np.flip(edges))
    found = searchsorted(ascending, x, "left" if right else "right")
    return np.where(rising, found, edges.size - found)
