"""Loops over axes, and offsets in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from ...core.avals import Shape
from ..code import Buffer, Code, Register
from .numbers import Offset, load, store


@contextmanager
def counted(code: Code, size: int) -> Iterator[Offset]:
    """A loop over `size`; none at all over 1."""
    if size == 1:
        yield 0
        return
    with code.loop(size) as index:
        yield index


@contextmanager
def nest(code: Code, sizes: Sequence[int]) -> Iterator[list[Offset]]:
    """Loops over all of `sizes`, the last of them innermost."""
    with ExitStack() as stack:
        yield [stack.enter_context(counted(code, n)) for n in sizes]


def plus(code: Code, x: Offset, y: Offset) -> Offset:
    """The sum of two offsets."""
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    if y == 0:
        return x
    return y if x == 0 else code.op(f"add nsw i64 {x}, {y}")


def times(code: Code, x: Offset, n: int) -> Offset:
    """An offset times what is known when compiling."""
    if isinstance(x, int):
        return x * n
    return x if n == 1 else 0 if n == 0 else code.op(f"mul nsw i64 {x}, {n}")


def offset_of(code: Code, indices: Sequence[Offset], strides: Sequence[int]) -> Offset:
    """Where the element at these indices lies."""
    total: Offset = 0
    for index, stride in zip(indices, strides, strict=True):
        total = plus(code, total, times(code, index, stride))
    return total


def copy(
    code: Code,
    sizes: Shape,
    source: Buffer,
    source_strides: Sequence[int],
    target: Buffer,
    target_strides: Sequence[int],
) -> None:
    """Copy elements, in the dtype of the target; the axes are looped over in the order given."""
    if 0 in sizes:
        return
    with nest(code, sizes) as indices:
        x = load(code, source, offset_of(code, indices, source_strides), target.dtype)
        store(code, x, target, offset_of(code, indices, target_strides))


def part_of(code: Code, buffer: Buffer, start: Offset) -> Register:
    """The address of the element at `start`."""
    return buffer.pointer if start == 0 else code.address(buffer, start)
