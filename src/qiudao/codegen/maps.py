"""Where in an operand an element is read, as a function of the indices of a loop nest.

A `Map` has for each axis of an array the index there: a loop's index times a step plus an offset,
or a constant.  Views change the map and move nothing.  In the place of a loop's index there may be
one that an array has (a `Pick`, see `picks.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..core.avals import Shape
from ..core.node import Node
from ..core.primitive import Primitive
from ..core.program import Atom
from ..ops.indexing import GetItem
from ..ops.shaping import Copy, Flip, Reshape, Stretch, Transpose
from ..ops.triangles import Diagonal
from .code import Buffer


class Held:
    """A constant as a key of a dictionary: equal by identity."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class Axis(NamedTuple):
    """An index: `step` times that of the loop, plus `offset`; `loop` is -1 for a constant."""

    loop: int | Pick
    step: int
    offset: int


class Pick(NamedTuple):
    """An index that the element of an array at `at` is, along an axis of this size."""

    array: Node | Held
    at: tuple[Axis, ...]
    size: int
    axis: int  # what a failure names

    @property
    def atom(self) -> Atom:
        """The array itself."""
        return self.array.value if isinstance(self.array, Held) else self.array


Map = tuple[Axis, ...]

ORIGIN = Axis(-1, 0, 0)


def identity(shape: Shape) -> Map:
    """Each axis of an array by the loop of its own."""
    return tuple(Axis(k, 1, 0) if n != 1 else ORIGIN for k, n in enumerate(shape))


def broadcast(at: Map, shape: Shape, result: Shape) -> Map:
    """The map of an operand of this shape where the result is read at `at`."""
    if not shape:
        return ()
    lead = len(result) - len(shape)
    return tuple(ORIGIN if n == 1 else at[lead + k] for k, n in enumerate(shape))


VIEWS = (Reshape, Transpose, Stretch, Flip, GetItem, Copy, Diagonal)


def through(primitive: Primitive, at: Map, shape: Shape, result: Shape) -> Map | None:
    """The map of the operand (of `shape`) of a view whose result is read at `at`.

    None where the view cannot be passed through: a reshape that moves elements between axes.
    """
    if isinstance(primitive, Copy):
        return at
    if isinstance(primitive, Stretch):
        return broadcast(at, shape, result)
    if isinstance(primitive, Transpose):
        lead = len(shape) - len(primitive.axes)
        order = (*range(lead), *(a + len(shape) for a in primitive.axes))
        moved = [ORIGIN] * len(shape)
        for k, source in enumerate(order):
            moved[source] = at[k]
        return tuple(moved)
    if isinstance(primitive, Flip):
        flipped = {a % len(shape) for a in primitive.axes}
        return tuple(
            Axis(i.loop, -i.step, n - 1 - i.offset) if k in flipped else i
            for k, (i, n) in enumerate(zip(at, shape, strict=True))
        )
    if isinstance(primitive, Diagonal):
        i, offset = at[-1], primitive.offset
        rows, columns = max(-offset, 0), max(offset, 0)
        return (
            *at[:-1],
            i._replace(offset=i.offset + rows),
            i._replace(offset=i.offset + columns),
        )
    if isinstance(primitive, GetItem):
        return through_index(primitive.index, at, shape)
    if isinstance(primitive, Reshape):
        return through_reshape(at, shape, result)
    return None


def through_index(index: Sequence[object], at: Map, shape: Shape) -> Map:
    """A basic index: integers, slices, None and Ellipsis."""
    read = sum(part is not None and part is not Ellipsis for part in index)
    parts: list[object] = []
    for part in index:
        parts += [slice(None)] * (len(shape) - read) if part is Ellipsis else [part]
    if Ellipsis not in index:
        parts += [slice(None)] * (len(shape) - read)
    found: list[Axis] = []
    rest = iter(at)
    for part in parts:
        if part is None:
            next(rest)
            continue
        n = shape[len(found)]
        if isinstance(part, slice):
            start, _, step = part.indices(n)
            i = next(rest)
            found.append(Axis(i.loop, i.step * step, start + i.offset * step))
        else:
            k = int(part)  # type: ignore[call-overload]
            found.append(Axis(-1, 0, k + n if k < 0 else k))
    return tuple(found)


def through_reshape(at: Map, shape: Shape, result: Shape) -> Map | None:
    """A reshape that only adds or drops axes of length 1."""
    wide = [i for i, n in zip(at, result, strict=True) if n != 1]
    if [n for n in shape if n != 1] != [n for n in result if n != 1]:
        return None
    rest = iter(wide)
    return tuple(ORIGIN if n == 1 else next(rest) for n in shape)


class Access(NamedTuple):
    """An element of a buffer: `constant` elements from the first, and so many for each loop.

    And so many for each step of some picks.
    """

    constant: int
    coefficients: tuple[int, ...]
    picks: tuple[tuple[Pick, int], ...] = ()

    def moves_with(self, loop: int) -> bool:
        """Whether a pick changes with a loop."""
        return any(i.loop == loop for pick, _ in self.picks for i in pick.at)


def access(strides: Sequence[int], at: Map, loops: int) -> Access:
    """Where a map reads in an array of these strides."""
    constant, coefficients, picks = 0, [0] * loops, []
    for stride, i in zip(strides, at, strict=True):
        constant += stride * i.offset
        if isinstance(i.loop, Pick):
            picks.append((i.loop, stride * i.step))
        elif i.loop >= 0:
            coefficients[i.loop] += stride * i.step
    return Access(constant, tuple(coefficients), tuple(picks))


def viewed(primitive: Primitive, buffer: Buffer, shape: Shape) -> tuple[int, Buffer] | None:
    """A view of a buffer as (offset of its first element, buffer), or None where it is none."""
    if isinstance(primitive, Reshape):
        strides = reshaped_strides(buffer.shape, buffer.strides, shape)
        return None if strides is None else (0, buffer._replace(shape=shape, strides=strides))
    at = through(primitive, identity(shape), buffer.shape, shape)
    if at is None:
        return None
    found = access(buffer.strides, at, len(shape))
    return found.constant, buffer._replace(shape=shape, strides=found.coefficients)


def reshaped_strides(shape: Shape, strides: Sequence[int], wanted: Shape) -> tuple[int, ...] | None:
    """The strides under another shape, where none of the elements need move."""
    if 0 in shape:  # there are none, and where rows would begin is as good as in memory order
        return tuple(math.prod(wanted[k + 1 :]) for k in range(len(wanted)))
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    merged: list[list[int]] = []
    for n, s in old:
        if merged and merged[-1][1] == n * s:
            merged[-1][0] *= n
            merged[-1][1] = s
        else:
            merged.append([n, s])
    found = [0] * len(wanted)
    for k in range(len(wanted) - 1, -1, -1):
        if wanted[k] == 1:
            continue
        if not merged or merged[-1][0] % wanted[k]:
            return None
        n, s = merged[-1]
        found[k] = s
        merged[-1] = [n // wanted[k], s * wanted[k]]
        if merged[-1][0] == 1:
            merged.pop()
    return tuple(found)
