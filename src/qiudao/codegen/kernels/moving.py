"""Moving elements without computing: joining arrays, and writing at basic indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval
from ...ops.indexing import Place
from ...ops.shaping import Concatenate
from ...ops.triangles import Diagonal, OnDiagonal
from ...ops.writing import SetItem
from ..code import Buffer, Code
from .loops import clear, copy
from .table import kernel
from .views import broadcast, part


def move(code: Code, source: Buffer, target: Buffer) -> None:
    """Copy all of `source`, broadcast, to all of `target`."""
    steps = broadcast(source.strides, source.shape, target.shape)
    copy(code, target.shape, source, steps, target, target.strides)


def converts(source: Any, to: Any) -> bool:
    """Whether native code makes values of one dtype of those of another."""
    return source == to or (to.kind != "b" and bool(np.can_cast(source, to, "same_kind")))


def accepts_writes(primitive: SetItem, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Values that need no rounding to integers."""
    return all(converts(x.dtype, results[0].dtype) for x in operands[:2])


@kernel(Concatenate, accepts_strides=True)
def concatenate(
    code: Code, primitive: Concatenate, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Each operand into its part of the result."""
    (out,) = results
    start, after = 0, (slice(None),) * (-primitive.axis - 1)
    for x in operands:
        stop = start + x.shape[primitive.axis]
        move(code, x, part(code, out, (Ellipsis, slice(start, stop), *after)))
        start = stop


@kernel(Place, accepts_strides=True)
def place(
    code: Code, primitive: Place, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, then the operand over a part of them."""
    (x,), (out,) = operands, results
    clear(code, out)
    move(code, x, part(code, out, primitive.index))


@kernel(SetItem, accepts=accepts_writes, accepts_strides=True)
def set_item(
    code: Code, primitive: SetItem, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """A copy, then the values over a part of it."""
    (x, v), (out,) = operands, results
    move(code, x, out)
    move(code, v, part(code, out, primitive.index))


def diagonal_of(code: Code, x: Buffer, offset: int, count: int) -> Buffer:
    """The view of a diagonal: one stride that steps down and right."""
    rows, columns = (slice(max(k, 0), None) for k in (-offset, offset))
    corner = part(code, x, (Ellipsis, rows, columns))
    strides = (*corner.strides[:-2], corner.strides[-2] + corner.strides[-1])
    return Buffer(corner.pointer, (*x.shape[:-2], count), x.dtype, strides)


@kernel(OnDiagonal, accepts_strides=True)
def on_diagonal(
    code: Code, primitive: OnDiagonal, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, then the operand over a diagonal of them."""
    (x,), (out,) = operands, results
    clear(code, out)
    move(code, x, diagonal_of(code, out, primitive.offset, x.shape[-1]))


@kernel(Diagonal, accepts_strides=True)
def diagonal(
    code: Code, primitive: Diagonal, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """A copy of the diagonal."""
    (x,), (out,) = operands, results
    move(code, diagonal_of(code, x, primitive.offset, out.shape[-1]), out)
