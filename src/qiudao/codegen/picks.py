"""Indexing with arrays in loop nests: where it reads, and where its transpose adds.

    gather       y[i, j] = x[index[i], j]         reads x at a map with a `Pick`
    scatter-add  out[index[i], j] += v[i, j]      adds at such a map
    along        y[i, j] = x[i, index[i, j]]

A `Pick` stands in a `Map` in the place of a loop.  The elements of constant index arrays are looked
at when compiling; those of others are in the loop, which notes whether one was out of bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.avals import Shape, aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, operands_of
from ..ops.indexing import AddAlong, Gather, ScatterAdd, TakeAlong, axes_before
from .maps import ORIGIN, Axis, Held, Map, Pick, broadcast, identity

READS = (Gather, TakeAlong)
ADDS = (ScatterAdd, AddAlong)


def is_picked(equation: Equation) -> bool:
    """Whether an equation reads or adds at index arrays, such that loop nests can."""
    primitive = equation.primitive
    if not isinstance(primitive, (*READS, *ADDS)):
        return False
    x, *arrays = operands_of(equation)
    if any(aval_of(a).dtype.kind not in "iu" or aval_of(a).dtype == "u8" for a in arrays):
        return False
    if isinstance(primitive, ADDS) and equation.dtype.kind == "b":
        return False
    shape = equation.shape if isinstance(primitive, ADDS) else aval_of(x).shape
    return 0 not in shape and Ellipsis not in getattr(primitive, "pattern", ())


def reads(equation: Equation, at: Map) -> list[tuple[Atom, Map]]:
    """Where an indexing equation whose result is read at `at` reads its operands."""
    x, *arrays = operands_of(equation)
    where = positions(equation.primitive, arrays, aval_of(x).shape, equation.shape, at)
    return [(x, where), *((p.atom, p.at) for p in picks_of(where))]


def adds(equation: Equation) -> Map:
    """Where a transposed indexing equation adds the elements of its first operand."""
    v, *arrays = operands_of(equation)
    shape = aval_of(v).shape
    return positions(equation.primitive, arrays, equation.shape, shape, identity(shape))


def positions(primitive: Any, arrays: Sequence[Atom], shape: Shape, result: Shape, at: Map) -> Map:
    """The map of the array (of `shape`) that is indexed, where the result is read at `at`."""
    if isinstance(primitive, TakeAlong | AddAlong):
        (index,) = arrays
        axis = len(shape) + primitive.axis
        along = broadcast(at, aval_of(index).shape, result)
        found = [ORIGIN if n == 1 else i for n, i in zip(shape, at, strict=True)]
        found[axis] = axis_at(index, along, shape[axis], axis)
        return tuple(found)
    pattern, before = primitive.pattern, axes_before(primitive.pattern) or 0
    fancy = np.broadcast_shapes(*(aval_of(a).shape for a in arrays))
    count = len(fancy)
    rest = iter((*at[:before], *at[before + count :]))
    given = dict(zip(primitive.holes, arrays, strict=True))
    found = []
    missing = len(shape) - sum(part is not None for part in pattern)
    for k, part in enumerate((*pattern, *(slice(None),) * missing)):
        if part is None:
            next(rest)
            continue
        n = shape[len(found)]
        if k in given:
            where = broadcast(at[before : before + count], aval_of(given[k]).shape, fancy)
            found.append(axis_at(given[k], where, n, len(found)))
        elif isinstance(part, slice):
            start, _, step = part.indices(n)
            i = next(rest)
            found.append(Axis(i.loop, i.step * step, start + i.offset * step))
        else:
            found.append(Axis(-1, 0, part + n if part < 0 else part))
    return tuple(found)


def axis_at(array: Atom, at: Map, size: int, axis: int) -> Axis:
    """The index along an axis of this size that an array has at a map."""
    if not isinstance(array, Node) and np.ndim(array) == 0 and -size <= array < size:
        return Axis(-1, 0, int(array) % size)
    held = array if isinstance(array, Node) else Held(array)
    return Axis(Pick(held, at, size, axis), 1, 0)


def picks_of(at: Map) -> Iterator[Pick]:
    """The picks in a map."""
    for i in at:
        if isinstance(i.loop, Pick):
            yield i.loop


def limits(pick: Pick) -> tuple[bool, bool]:
    """Whether elements of an index array may be negative, and whether they may be out of bounds."""
    array = pick.atom
    if isinstance(array, Node):
        return aval_of(array).dtype.kind == "i", True
    low, high = (int(f(array)) for f in (np.min, np.max)) if np.size(array) else (0, 0)
    return low < 0, low < -pick.size or high >= pick.size


def covers(at: Map, shape: Shape, space: Shape) -> bool:
    """Whether an array of this shape is read as a whole where it is read at `at` over a space."""
    wide = [(i, n) for i, n in zip(at, shape, strict=True) if n != 1]
    loops = [i.loop for i, _ in wide]
    return len(set(loops)) == len(loops) and 0 not in space and all(
        isinstance(i.loop, int) and i.loop >= 0 and abs(i.step) == 1 and space[i.loop] == n
        for i, n in wide
    )  # fmt: skip
