"""Products summed over axes: `out[kept] = sum over the others of a[...] b[...]`.

Matrix products and einsums are both of this form, an axis being its length and its stride in each
of the three arrays, 0 where an array does not have it.  They are written as loops over tiles of the
result that stay in registers, as long as one thread does as well as BLAS; larger ones go to BLAS,
which takes any matrix that has one unit stride, after a copy of those that have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ...core.avals import Dtype, Shape
from ..code import Buffer, Code, row_major
from . import blas
from .axes import Axis, Strides, simplify, sizes_of, strides_of
from .loops import copy, nest, part_of
from .numbers import size_of
from .tiles import (
    Panels,
    as_panels,
    contract_in_panels,
    contract_in_tiles,
    panel_size,
    starts,
)

TILE = 16 * 16 * 16  # multiplications up to which a call of BLAS costs more than loops
ALONE = 1 << 27  # ... up to which tiles do as well as BLAS with one thread
SHARED = 1 << 22  # ... and with several
THIN = 16  # the shortest side of a matrix with which BLAS waits for memory, whatever its threads


# By BLAS


class Matrices(NamedTuple):
    """A product as BLAS sees it, which wants results by columns, as Fortran has them.

    The rows of the result have unit stride; `columns` is None where it is a vector; the `outer`
    axes are looped over.
    """

    rows: Axis
    columns: Axis | None
    summed: Axis
    outer: list[Axis]
    swapped: bool  # whether the rows are those of b


def as_matrices(axes: Sequence[Axis]) -> Matrices | None:
    """The product as BLAS sees it, None where strides do not allow that."""
    kept, summed = [x for x in axes if not x.summed], [x for x in axes if x.summed]
    if len(summed) != 1 or any(min(x[1:4]) < 0 or max(x[:4]) >= blas.LIMIT for x in axes):
        return None
    sides = ([x for x in kept if x.b == 0 < x.a], [x for x in kept if x.a == 0 < x.b])
    rows = next((x for side in sides for x in side if x.out == 1), None)
    if rows is None:
        return None
    swapped = rows in sides[1]
    columns = max(sides[not swapped], key=lambda x: x.size, default=None)
    first, second = ("b", "a") if swapped else ("a", "b")
    if not is_matrix(rows, summed[0], first):
        return None
    if not (is_matrix(columns, summed[0], second) if columns else getattr(summed[0], second)):
        return None
    return Matrices(
        rows, columns, summed[0], [x for x in kept if x not in (rows, columns)], swapped
    )


def is_matrix(kept: Axis, summed: Axis, operand: str) -> bool:
    """Whether an operand has a unit stride, and another that does not overlap it."""
    across, along = getattr(kept, operand), getattr(summed, operand)
    return bool((along == 1 and across >= summed.size) or (across == 1 and along >= kept.size))


def orientation(inner: int, outer: int) -> tuple[str, int]:
    """Whether BLAS must transpose a matrix of these strides, and its leading dimension."""
    return ("N", outer) if inner == 1 else ("T", inner)


def contract_by_blas(code: Code, seen: Matrices, a: Buffer, b: Buffer, out: Buffer) -> None:
    """The product by BLAS, one call for each of the outer indices."""
    with nest(code, sizes_of(seen.outer)) as indices:
        places = starts(code, indices, seen.outer)
        left, right, result = (
            part_of(code, x, p) for x, p in zip((a, b, out), places, strict=True)
        )
        if seen.swapped:
            left, right = right, left
        if seen.columns is None:
            call_gemv(code, seen, out.dtype, (left, right, result))
        else:
            call_gemm(code, seen, seen.columns, out.dtype, (left, right, result))


def call_gemm(
    code: Code, seen: Matrices, columns: Axis, dtype: Dtype, pointers: tuple[str, str, str]
) -> None:
    """One product of matrices."""
    module, (rows, summed) = code.module, (seen.rows, seen.summed)
    first, second = ("b", "a") if seen.swapped else ("a", "b")
    flag, step = orientation(getattr(rows, first), getattr(summed, first))
    other_flag, other_step = orientation(getattr(summed, second), getattr(columns, second))
    left, right, result = pointers
    blas.call(
        code, "blas", f"{blas.letter(dtype)}gemm",
        blas.character(module, flag), blas.character(module, other_flag),
        *(blas.integer(module, n) for n in (rows.size, columns.size, summed.size)),
        blas.scalar(module, 1, dtype), left, blas.integer(module, step),
        right, blas.integer(module, other_step), blas.scalar(module, 0, dtype),
        result, blas.integer(module, columns.out),
    )  # fmt: skip


def call_gemv(code: Code, seen: Matrices, dtype: Dtype, pointers: tuple[str, str, str]) -> None:
    """One product of a matrix and a vector."""
    module, (rows, summed) = code.module, (seen.rows, seen.summed)
    first, second = ("b", "a") if seen.swapped else ("a", "b")
    flag, step = orientation(getattr(rows, first), getattr(summed, first))
    sizes = (rows.size, summed.size) if flag == "N" else (summed.size, rows.size)
    matrix, vector, result = pointers
    blas.call(
        code, "blas", f"{blas.letter(dtype)}gemv", blas.character(module, flag),
        *(blas.integer(module, n) for n in sizes),
        blas.scalar(module, 1, dtype), matrix, blas.integer(module, step),
        vector, blas.integer(module, getattr(summed, second)), blas.scalar(module, 0, dtype),
        result, blas.integer(module, 1),
    )  # fmt: skip


# Which of the two


class Plan(NamedTuple):
    """How a product is computed: by BLAS if `seen`, of copies of the arrays in `packed`; in
    `panels`, or else in tiles as it lies.
    """

    axes: list[Axis]
    seen: Matrices | None = None
    packed: tuple[str, ...] = ()
    arrays: Mapping[str, tuple[Shape, Strides, Strides]] = MappingProxyType({})
    """Of each copy: its shape, the old and the new strides."""
    panels: Panels | None = None


PACKINGS = ((), ("a",), ("b",), ("a", "b"), ("a", "b", "out"))


def plan(given: Sequence[Axis], a: Dtype, b: Dtype, out: Dtype) -> Plan:
    """The plan for a product of arrays of these dtypes."""
    axes = simplify(given)
    in_tiles = Plan(axes)
    if blas.letter(out) is None or math.prod(sizes_of(axes)) <= TILE:
        return in_tiles
    panels = as_panels(axes)
    if panels is not None and out.kind == "f" and is_ours(panels):
        return in_tiles if panels.is_near(out) else Plan(axes, panels=panels)
    needed = {name for name, dtype in (("a", a), ("b", b)) if dtype != out}
    for packed in PACKINGS:
        if needed <= set(packed):
            arrays = {name: packing(axes, name) for name in packed}
            changed = axes
            for name in packed:
                changed = replaced(changed, name)
            changed = simplify(changed)
            seen = as_matrices(changed)
            if seen is not None:
                worth = is_worth(seen, 8 if packed else 1)
                return Plan(changed, seen, packed, arrays) if worth else in_tiles
    return in_tiles


def is_ours(seen: Panels) -> bool:
    """Whether tiles take no longer than BLAS, which may have several threads."""
    count = seen.multiplications
    if count <= SHARED:
        return True
    shortest = min(seen.rows.size, seen.lanes.size, seen.summed.size)
    return count <= ALONE and (shortest <= THIN or blas.threads() == 1)


def is_worth(seen: Matrices, reuse: int) -> bool:
    """Whether one call has enough to do, and uses each element of what was copied often."""
    columns = 1 if seen.columns is None else seen.columns.size
    return seen.rows.size * columns * seen.summed.size > TILE and (
        reuse == 1 or min(seen.rows.size, columns) >= reuse
    )


def layout(axes: Sequence[Axis], name: str) -> list[Axis]:
    """The axes of one array in the order of its copy: those of all arrays first."""
    kept = [x for x in axes if not x.summed]
    shared = [x for x in kept if x.a and x.b]
    of_a, of_b = [x for x in kept if x.a and not x.b], [x for x in kept if x.b and not x.a]
    summed = [x for x in axes if x.summed]
    rest = [x for x in kept if not x.a and not x.b]
    groups = {"a": of_a + summed, "b": summed + of_b, "out": rest + of_a + of_b}
    return shared + groups[name]


def packing(axes: Sequence[Axis], name: str) -> tuple[Shape, Strides, Strides]:
    """The shape of a copy, and the strides of the array and of the copy along its axes."""
    order = layout(axes, name)
    shape = sizes_of(order)
    return shape, strides_of(order, name), row_major(shape)


def replaced(axes: Sequence[Axis], name: str) -> list[Axis]:
    """The axes with the strides of the copy of one array."""
    order = layout(axes, name)
    steps = dict(zip(map(id, order), row_major(sizes_of(order)), strict=True))
    found = []
    for x in axes:
        a, b, out = (
            steps.get(id(x), 0) if own == name else step
            for own, step in zip(("a", "b", "out"), x[1:4], strict=True)
        )
        found.append(Axis(x.size, a, b, out, x.summed))
    return found


def scratch_for(made: Plan, dtype: Dtype) -> int:
    """The bytes of all copies."""
    if made.panels is not None:
        return panel_size(made.panels, dtype)
    return sum(size_of(made.arrays[name][0], dtype) for name in made.packed)


def contract(
    code: Code, given: Sequence[Axis], a: Buffer, b: Buffer, out: Buffer, memory: Buffer | None
) -> None:
    """Write the product; `memory` is the scratch that its plan asked for."""
    if out.size == 0:
        return
    made = plan(given, a.dtype, b.dtype, out.dtype)
    if made.panels is not None and memory is not None:
        contract_in_panels(code, made.panels, a, b, out, memory)
        return
    used = {"a": a, "b": b, "out": out}
    start = 0
    for name in made.packed:
        shape, old, new = made.arrays[name]
        pointer = part_of(code, memory, start) if memory is not None else ""
        copied = Buffer(pointer, shape, out.dtype, new)
        start += size_of(shape, out.dtype)
        if name != "out":
            copy(code, shape, used[name], old, copied, new)
        used[name] = copied
    if made.seen is None:
        contract_in_tiles(code, made.axes, used["a"], used["b"], used["out"])
    else:
        contract_by_blas(code, made.seen, used["a"], used["b"], used["out"])
    if "out" in made.packed:
        shape, old, new = made.arrays["out"]
        copy(code, shape, used["out"], new, out, old)
