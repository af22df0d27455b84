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
    axes = together(sizes, source_strides, target_strides)
    with nest(code, [size for size, _, _ in axes]) as indices:
        x = load(code, source, offset_of(code, indices, [s for _, s, _ in axes]), target.dtype)
        store(code, x, target, offset_of(code, indices, [t for _, _, t in axes]))


def together(
    sizes: Shape, first: Sequence[int], second: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Sizes with two strides, neighbours joined where both arrays go on alike."""
    found: list[tuple[int, int, int]] = []
    for size, s, t in zip(sizes, first, second, strict=True):
        if size == 1:
            continue
        if found and found[-1][1:] == (size * s, size * t):
            found[-1] = (found[-1][0] * size, s, t)
        else:
            found.append((size, s, t))
    return found


def clear(code: Code, x: Buffer) -> None:
    """Zeros in all of a row-major buffer."""
    name = "@llvm.memset.p0.i64"
    code.module.declare(name, f"declare void {name}(ptr, i8, i64, i1)")
    code.do(f"call void {name}(ptr {x.pointer}, i8 0, i64 {x.size * x.dtype.itemsize}, i1 false)")


def part_of(code: Code, buffer: Buffer, start: Offset) -> Register:
    """The address of the element at `start`."""
    return buffer.pointer if start == 0 else code.address(buffer, start)
