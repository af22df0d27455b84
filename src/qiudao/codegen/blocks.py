"""Blocks of rows: the body for one block after another, or shared out among threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.avals import Shape
from ..core.program import Program
from ..ops.control import Rows
from .code import Buffer, Register
from .element import Lane, NoNativeForm, Place, constant
from .pieces import Partial, Piece, Share, rows_in_pieces

if TYPE_CHECKING:
    from .scope import Scope


def write_rows(
    scope: Scope, rows: Rows, operands: Sequence[Place], results: Sequence[Buffer]
) -> None:
    """Block after block, and what is left over; each adds its part to the sums."""
    ys = results[: len(results) - rows.sums]
    sums = results[len(ys) :]
    parts = [scope.new_buffer(b.shape, b.dtype) for b in sums]
    whole = rows.length // rows.block
    share = rows_in_pieces(rows) if scope.function.splits else None
    if share is None or not write_blocks_in_pieces(scope, rows, share, operands, ys, sums):
        write_blocks(scope, rows, (0, whole), operands, ys, parts, sums)
    if rows.tail is not None:
        start = str(whole * rows.block)
        write_block(scope, rows, rows.tail, start, operands, ys, parts, sums)


def write_blocks(
    scope: Scope,
    rows: Rows,
    part: tuple[Register | int, Register | int],
    operands: Sequence[Place],
    ys: Sequence[Buffer],
    parts: Sequence[Buffer],
    sums: Sequence[Buffer],
) -> None:
    """Whole blocks, from one to another."""
    for buffer in sums:
        scope.fill(buffer)
    with scope.code.loop(part[1], part[0]) as k:
        start = scope.code.op(f"mul nsw i64 {k}, {rows.block}")
        write_block(scope, rows, rows.body, start, operands, ys, parts, sums)


def write_blocks_in_pieces(
    scope: Scope,
    rows: Rows,
    share: Share,
    operands: Sequence[Place],
    ys: Sequence[Buffer],
    sums: Sequence[Buffer],
) -> bool:
    """The whole blocks, shared out; False where they may fail: the first failure counts."""
    piece = Piece(scope.code)
    within = scope.apart(piece.code)
    partials = [Partial(b.shape, b.dtype, share.count, scope.new_buffer) for b in sums]
    own = [p.row(piece.code, "%piece", piece.place(p.rows)) for p in partials]
    write_blocks(
        within,
        rows,
        share.bounds(piece.code),
        [piece.place(x) for x in operands],
        [piece.place(y) for y in ys],
        [within.new_buffer(b.shape, b.dtype) for b in sums],
        own,
    )
    if not scope.code.module.within and piece.may_fail:
        return False
    count = within.function.arena.size
    arena = "null"
    if count:
        arena = scope.new_buffer((count,), np.dtype(np.uint8)).pointer
    piece.run(share.count, arena, count)
    for partial, total in zip(partials, sums, strict=True):
        nothing = constant(total.dtype.type(0))
        partial.combine(scope.scalars, total, nothing, scope.scalars.add)
    scope.function.pieces = True
    return True


def write_block(
    scope: Scope,
    rows: Rows,
    body: Program,
    start: Register,
    operands: Sequence[Place],
    ys: Sequence[Buffer],
    parts: Sequence[Buffer],
    sums: Sequence[Buffer],
) -> None:
    """The rows from `start` on, as many as the body takes."""
    c = rows.constants
    shapes = [a.shape for a in body.avals[c:]]
    inputs = [
        part_from(scope, x, start, shape, axis)
        for x, shape, axis in zip(operands[c:], shapes, rows.axes, strict=False)
    ]
    targets = [
        part_from(scope, y, start, a.shape, axis)
        for y, a, axis in zip(ys, body.results, rows.axes_of_results, strict=False)
    ]
    leads = all(axis == -len(a.shape) for axis, a in zip(rows.axes, body.avals[c:]))
    block = shapes[0][0] if shapes and leads else 0
    scope.write_body(body, [*operands[:c], *inputs], [*targets, *parts], block)
    for part, total in zip(parts, sums, strict=True):
        with scope.code.loop(total.size) as i:
            both = scope.scalars.add(scope.scalars.load(total, i), scope.scalars.load(part, i))
            scope.scalars.store(both, total, i)


def part_from(scope: Scope, x: Place, start: Register, shape: Shape, axis: int) -> Buffer:
    """Some rows of an array, which lie along an axis."""
    if isinstance(x, Lane):
        raise NoNativeForm("a number has no rows")
    offset = scope.code.op(f"mul nsw i64 {start}, {x.strides[axis]}")
    return x._replace(pointer=scope.code.address(x, offset), shape=shape)
