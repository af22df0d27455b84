"""Reading, writing and adding at index arrays, with the bounds checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype, Shape
from ...ops.indexing import AddAlong, Gather, ScatterAdd, TakeAlong, axes_before
from ...ops.writing import Put, Survivors
from ..code import Buffer, Code, Register, row_major
from ..failures import OUT_OF_BOUNDS, fail
from .loops import clear, nest, offset_of, plus, times
from .matrices import Needs, carve, scratch_of
from .moving import converts, move
from .numbers import Offset, add, load, store
from .table import kernel
from .views import broadcast, shown

I64 = np.dtype(np.int64)


def are_indices(*avals: Aval) -> bool:
    """Whether these can be indices: integers that an i64 holds."""
    return all(x.dtype.kind in "iu" and x.dtype != np.dtype(np.uint64) for x in avals)


def checked(
    code: Code, array: Buffer, offset: Offset, size: int, axis: int
) -> tuple[Register, Register]:
    """The index in an array, as `within` gives it."""
    (given,) = load(code, array, offset, I64)
    return within(code, given, size, axis)


def within(code: Code, given: Register, size: int, axis: int) -> tuple[Register, Register]:
    """An index that counts from the front, and whether it lies within `size`; else a failure.

    Where it does not, the index is 0.
    """
    is_negative = code.op(f"icmp slt i64 {given}, 0")
    counted = code.op(f"add i64 {given}, {size}")
    index = code.op(f"select i1 {is_negative}, i64 {counted}, i64 {given}")
    inside = code.op(f"icmp ult i64 {index}, {size}")
    outside = code.op(f"xor i1 {inside}, true")
    fail(code, outside, OUT_OF_BOUNDS, given, axis, size)
    return code.op(f"select i1 {inside}, i64 {index}, i64 0"), inside


class Indexed:
    """What an index with arrays shows of an array: its axes, and where their elements lie.

    The result has the `lead` axes, those of the index arrays, and the `rest`.
    """

    def __init__(self, primitive: Any, x: Buffer, arrays: Sequence[Buffer]) -> None:
        pattern, holes = primitive.pattern, primitive.holes
        whole = tuple(slice(None) if k in holes else p for k, p in enumerate(pattern))
        self.start, shape, strides = shown(x.shape, x.strides, whole)
        at = [sum(p is None or isinstance(p, slice) for p in whole[:h]) for h in holes]
        self.axes = [sum(isinstance(p, int | slice) for p in pattern[:h]) for h in holes]
        self.sizes = [shape[k] for k in at]
        self.steps = [strides[k] for k in at]
        others = [k for k in range(len(shape)) if k not in at]
        before = axes_before(pattern) or 0
        self.lead = [(shape[k], strides[k]) for k in others[:before]]
        self.rest = [(shape[k], strides[k]) for k in others[before:]]
        self.arrays = arrays
        self.fancy: Shape = np.broadcast_shapes(*(a.shape for a in arrays))
        self.shape: Shape = (
            *(n for n, _ in self.lead), *self.fancy, *(n for n, _ in self.rest)
        )  # fmt: skip

    def each(self, code: Code, other: Sequence[int], use: Callable[[Offset, Offset], None]) -> None:
        """Call `use` in loops with the offset of each element, and with that by other strides."""
        if 0 in self.shape:
            return
        m = len(self.lead) + len(self.fancy)
        with nest(code, [size for size, _ in self.lead]) as lead, nest(code, self.fancy) as fancy:
            at: Offset = plus(code, self.start, offset_of(code, lead, [s for _, s in self.lead]))
            there = offset_of(code, (*lead, *fancy), other[:m])
            inside = "true"
            parts = zip(self.arrays, self.sizes, self.steps, self.axes, strict=True)
            for array, size, step, axis in parts:
                steps = broadcast(array.strides, array.shape, self.fancy)
                index, fits = checked(code, array, offset_of(code, fancy, steps), size, axis)
                at = plus(code, at, times(code, index, step))
                inside = code.op(f"and i1 {inside}, {fits}")
            with code.when(inside), nest(code, [size for size, _ in self.rest]) as rest:
                use(
                    plus(code, at, offset_of(code, rest, [s for _, s in self.rest])),
                    plus(code, there, offset_of(code, rest, other[m:])),
                )


def accepts_gather(primitive: Gather, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Integer indices."""
    return are_indices(*operands[1:])


@kernel(Gather, accepts=accepts_gather, accepts_strides=True)
def gather(
    code: Code, primitive: Gather, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Read one row after another."""
    (x, *arrays), (out,) = operands, results

    def use(source: Offset, target: Offset) -> None:
        store(code, load(code, x, source), out, target)

    Indexed(primitive, x, arrays).each(code, out.strides, use)


@kernel(ScatterAdd, accepts=accepts_gather, accepts_strides=True)
def scatter_add(
    code: Code, primitive: ScatterAdd, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, to which one row after another is added."""
    (v, *arrays), (out,) = operands, results
    clear(code, out)

    def use(target: Offset, source: Offset) -> None:
        increase(code, out, target, load(code, v, source))

    Indexed(primitive, out, arrays).each(code, v.strides, use)


def increase(code: Code, out: Buffer, offset: Offset, x: tuple[Register, ...]) -> None:
    """Add to one element."""
    store(code, add(code, load(code, out, offset), x, out.dtype), out, offset)


def accepts_put(primitive: Put, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Integer indices, and values that need no rounding."""
    dtype: Dtype = results[0].dtype
    return are_indices(*operands[2:]) and all(converts(x.dtype, dtype) for x in operands[:2])


@kernel(Put, accepts=accepts_put, accepts_strides=True)
def put(code: Code, primitive: Put, operands: Sequence[Buffer], results: Sequence[Buffer]) -> None:
    """A copy, into which one row after another is written; the last stays."""
    (x, v, *arrays), (out,) = operands, results
    if x != out:  # the scope overwrites what is read for nothing else
        move(code, x, out)

    def use(target: Offset, source: Offset) -> None:
        store(code, load(code, v, source, out.dtype), out, target)

    indexed = Indexed(primitive, out, arrays)
    indexed.each(code, broadcast(v.strides, v.shape, indexed.shape), use)


def needs_of_survivors(
    primitive: Survivors, operands: Sequence[Any], results: Sequence[Any]
) -> Needs:
    """For each place, the number of the write that came last."""
    return [(math.prod(primitive.dims), I64)]


def accepts_survivors(
    primitive: Survivors, operands: Sequence[Aval], results: Sequence[Aval]
) -> bool:
    """Integer indices."""
    return are_indices(*operands)


@kernel(Survivors, accepts=accepts_survivors, accepts_strides=True,
        scratch=scratch_of(needs_of_survivors))  # fmt: skip
def survivors(
    code: Code, primitive: Survivors, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Number the writes in order; those stay whose number is found at their place afterwards."""
    (out,) = results
    arrays = operands[: len(primitive.dims)]
    memory = operands[len(primitive.dims) :]
    if out.size == 0:
        return
    (room,) = carve(code, memory, needs_of_survivors(primitive, operands, results))
    last = Buffer(room, primitive.dims, I64, row_major(primitive.dims))

    def each(use: Callable[[Offset, Offset], None]) -> None:
        with nest(code, out.shape) as indices:
            at: Offset = 0
            for axis, (array, n) in enumerate(zip(arrays, primitive.dims, strict=True)):
                steps = broadcast(array.strides, array.shape, out.shape)
                index, _ = checked(code, array, offset_of(code, indices, steps), n, axis)
                at = plus(code, at, times(code, index, last.strides[axis]))
            use(at, offset_of(code, indices, out.strides))

    def write(at: Offset, number: Offset) -> None:
        store(code, (str(number),), last, at)

    def compare(at: Offset, number: Offset) -> None:
        stays = code.op(f"icmp eq i64 {load(code, last, at)[0]}, {number}")
        store(code, (code.op(f"zext i1 {stays} to i8"),), out, number)

    each(write)
    each(compare)


# An index for each element along one axis


def accepts_along(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """An integer index."""
    return are_indices(operands[1])


@kernel(TakeAlong, accepts=accepts_along, accepts_strides=True)
def take_along(
    code: Code, primitive: TakeAlong, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Read one element after another."""
    (x, index), (out,) = operands, results

    def use(source: Offset, target: Offset) -> None:
        store(code, load(code, x, source), out, target)

    along(code, primitive.axis, x, index, out, use)


@kernel(AddAlong, accepts=accepts_along, accepts_strides=True)
def add_along(
    code: Code, primitive: AddAlong, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, to which one element after another is added."""
    (v, index), (out,) = operands, results
    clear(code, out)

    def use(target: Offset, source: Offset) -> None:
        increase(code, out, target, load(code, v, source))

    along(code, primitive.axis, out, index, v, use)


def along(
    code: Code,
    axis: int,
    x: Buffer,
    index: Buffer,
    other: Buffer,
    use: Callable[[Offset, Offset], None],
) -> None:
    """Loop over `other`; `use` gets the offset in `x` that the index names, and that in `other`."""
    shape, axis = other.shape, axis + len(x.shape)
    if other.size == 0:
        return
    with nest(code, shape) as indices:
        steps = broadcast(index.strides, index.shape, shape)
        at, inside = checked(code, index, offset_of(code, indices, steps), x.shape[axis], axis)
        fixed = [s if n != 1 else 0 for s, n in zip(x.strides, x.shape, strict=True)]
        fixed[axis] = 0
        start = offset_of(code, indices, fixed)
        with code.when(inside):
            place = plus(code, start, times(code, at, x.strides[axis]))
            use(place, offset_of(code, indices, other.strides))
