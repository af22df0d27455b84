"""The axes of a product, each with its strides in the two operands and in the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...core.avals import Shape

Strides = tuple[int, ...]


class Axis(NamedTuple):
    """One axis of the product: its length, its strides, and whether it is summed over."""

    size: int
    a: int
    b: int
    out: int
    summed: bool = False


def strides_of(axes: Sequence[Axis], operand: str) -> Strides:
    """The strides of one array along the axes."""
    return tuple(getattr(axis, operand) for axis in axes)


def sizes_of(axes: Sequence[Axis]) -> Shape:
    """The lengths of the axes."""
    return tuple(axis.size for axis in axes)


def simplify(axes: Sequence[Axis]) -> list[Axis]:
    """The axes in the order of the result's memory, neighbours joined, unit axes left out."""
    kept = sorted((x for x in axes if x.size != 1 and not x.summed), key=lambda x: -x.out)
    summed = sorted((x for x in axes if x.size != 1 and x.summed), key=lambda x: (-x.a, -x.b))
    return joined(kept) + joined(summed)


def joined(axes: Sequence[Axis]) -> list[Axis]:
    """Axes that follow each other alike in all arrays, as one."""
    found: list[Axis] = []
    for axis in axes:
        last = found[-1] if found else None
        if last is not None and all(
            p == axis.size * q for p, q in zip(last[1:4], axis[1:4], strict=True)
        ):
            found[-1] = axis._replace(size=last.size * axis.size)
        else:
            found.append(axis)
    return found
