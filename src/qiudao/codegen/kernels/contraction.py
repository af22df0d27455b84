"""Products summed over axes: `out[kept] = sum over the others of a[...] b[...]`.

Matrix products and einsums are both of this form, an axis being its length and its stride in each
of the three arrays, 0 where an array does not have it.  Small ones are written as loops over tiles
of the result that stay in registers; large ones go to BLAS, which takes any matrix that has one
unit stride, after a copy of those that have none.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...core.avals import Dtype, Shape
from ..code import Buffer, Code, row_major
from . import blas
from .loops import copy, counted, nest, offset_of, part_of, plus, times
from .numbers import (
    Number,
    Offset,
    Variable,
    add,
    load,
    multiply,
    nothing,
    size_of,
    store,
)

TILE = 16 * 16 * 16  # multiplications up to which a call of BLAS costs more than loops
VECTOR = 32  # bytes
REGISTERS = 8  # vectors that a tile of the result fills
ROWS = 4  # of a tile
NARROW = 24  # of which two lengths may be no more: BLAS is slower than tiles
WRITTEN_OUT = 32  # terms up to which a sum is written out, where its vectors are few
GATHERED = 16  # sums up to this length read lanes that lie apart one by one


class Axis(NamedTuple):
    """One axis of the product: its length, its strides, and whether it is summed over."""

    size: int
    a: int
    b: int
    out: int
    summed: bool = False


Strides = tuple[int, ...]


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


# In registers


def contract_in_tiles(code: Code, axes: Sequence[Axis], a: Buffer, b: Buffer, out: Buffer) -> None:
    """The product by loops over tiles: `ROWS` of an axis by some vectors of the last one."""
    kept, summed = [x for x in axes if not x.summed], [x for x in axes if x.summed]
    lane = next((x for x in kept if x.out == 1), None)
    is_gathered = lane is not None and not {lane.a, lane.b} <= {0, 1}
    if is_gathered and (not summed or math.prod(sizes_of(summed)) > GATHERED):
        lane = None  # lanes would be read one by one: LLVM's own vectors do better
    shared = [x for x in kept if x != lane and (x.a == 0) != (x.b == 0)]
    block = max(shared, key=lambda x: x.size, default=None) if summed else None
    outer = [x for x in kept if x not in (lane, block)]
    with nest(code, sizes_of(outer)) as indices:
        start = starts(code, indices, outer)
        rows = ROWS if lane is None or vectors_of(lane, out) != REGISTERS // 2 else ROWS // 2
        rows = rows if block is None or block.size >= rows else block.size
        for first, height in pieces(code, block, rows if block else 1, start):
            width = REGISTERS * VECTOR // (out.dtype.itemsize * height) if lane else 1
            width = min(width, GATHERED) if is_gathered else width
            for place, lanes in pieces(code, lane, width, first):
                tile(code, (a, b, out), place, (block, height), (lane, lanes), summed)


def vectors_of(lane: Axis, out: Buffer) -> int:
    """How many vectors an axis fills, a power of two."""
    return 1 << (-(-lane.size * out.dtype.itemsize // VECTOR) - 1).bit_length()


def starts(code: Code, indices: Sequence[Offset], axes: Sequence[Axis]) -> list[Offset]:
    """Where the elements at these indices lie in the three arrays."""
    return [offset_of(code, indices, strides_of(axes, name)) for name in ("a", "b", "out")]


def pieces(
    code: Code, axis: Axis | None, size: int, start: Sequence[Offset]
) -> Iterator[tuple[list[Offset], int]]:
    """Write once what handles `size` elements of an axis in a loop, and once what handles the rest.

    Yields where a piece starts and how long it is; the loop is open meanwhile.
    """
    if axis is None:
        yield list(start), 1
        return
    whole, rest = divmod(axis.size, size)
    if whole:
        with counted(code, whole) as k:
            yield (
                [
                    plus(code, x, times(code, k, size * step))
                    for x, step in zip(start, axis[1:4], strict=True)
                ],
                size,
            )
    if rest:
        yield [x if not whole else plus(code, x, whole * size * step)
               for x, step in zip(start, axis[1:4], strict=True)], rest  # fmt: skip


def tile(
    code: Code,
    buffers: tuple[Buffer, Buffer, Buffer],
    start: Sequence[Offset],
    block: tuple[Axis | None, int],
    lane: tuple[Axis | None, int],
    summed: Sequence[Axis],
) -> None:
    """One tile of the result, which stays in registers while its sums run."""
    out = buffers[2]
    (axis, height), (along, lanes) = block, lane
    dtype = out.dtype
    steps = axis[1:4] if axis is not None else (0, 0, 0)
    inner = along[1:4] if along is not None else (0, 0, 0)
    parts = vectors(lanes, max(VECTOR // dtype.itemsize, 1))
    places = [(k, first, width) for k in range(height) for first, width in parts]

    def products(indices: Sequence[Offset]) -> list[Number]:
        """What one step of the sums adds to each vector of the tile."""
        moved = starts(code, indices, summed)
        seen: dict[tuple[int, int, int, int], Number] = {}

        def factor(n: int, k: int, first: int, width: int) -> Number:
            row, column = k * steps[n], first * inner[n]
            key = (n, row, column, width)
            if key not in seen:
                place = plus(code, plus(code, start[n], moved[n]), row + column)
                seen[key] = load(code, buffers[n], place, dtype, width, inner[n])
            return seen[key]

        return [
            multiply(code, factor(0, *place), factor(1, *place), dtype, place[2])
            for place in places
        ]

    def more(totals: Sequence[Number], terms: Sequence[Number]) -> list[Number]:
        return [
            add(code, x, y, dtype, width)
            for x, y, (_, _, width) in zip(totals, terms, places, strict=True)
        ]

    chains = chains_of(summed, len(places)) if lanes > 1 else 0
    if not summed:
        values = products([])
    elif chains:
        terms = [products([k]) for k in range(summed[0].size)]
        sums = terms[:chains]
        for k, term in enumerate(terms[chains:]):
            sums[k % chains] = more(sums[k % chains], term)
        values = functools.reduce(more, sums)
    else:
        totals = [Variable(code, dtype, width) for _, _, width in places]
        for total, (_, _, width) in zip(totals, places, strict=True):
            total.set(nothing(dtype, width))
        with nest(code, sizes_of(summed)) as indices:
            terms = [products(indices)]
            for total, value in zip(totals, more([t.get() for t in totals], terms[0]), strict=True):
                total.set(value)
        values = [total.get() for total in totals]
    for value, (k, first, width) in zip(values, places, strict=True):
        store(code, value, out, plus(code, start[2], k * steps[2] + first * inner[2]), width)


def vectors(lanes: int, width: int) -> list[tuple[int, int]]:
    """Lanes as whole vectors and parts of one: the first lane of each, and its width.

    LLVM takes vectors of other lengths apart lane by lane where they live on through a loop.
    """
    found: list[tuple[int, int]] = []
    first = 0
    while first < lanes:
        while width > lanes - first:
            width //= 2
        found.append((first, width))
        first += width
    return found


def chains_of(summed: Sequence[Axis], vectors: int) -> int:
    """How many sums run side by side where a short sum is written out; 0 where it is a loop.

    One sum of few vectors would wait for itself in each step.
    """
    if len(summed) != 1 or summed[0].size > WRITTEN_OUT or vectors > REGISTERS // 2:
        return 0
    return min(REGISTERS // vectors, 4, summed[0].size)


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
    """How a product is computed: by BLAS if `seen`, of copies of the arrays in `packed`."""

    axes: list[Axis]
    seen: Matrices | None
    packed: tuple[str, ...]
    arrays: dict[str, tuple[Shape, Strides, Strides]]  # of a copy: shape, old and new strides


PACKINGS = ((), ("a",), ("b",), ("a", "b"), ("a", "b", "out"))


def plan(given: Sequence[Axis], a: Dtype, b: Dtype, out: Dtype) -> Plan:
    """The plan for a product of arrays of these dtypes."""
    axes = simplify(given)
    in_tiles = Plan(axes, None, (), {})
    if is_narrow(axes) and {a, b} == {out}:
        lane = next((x for x in axes if x.out == 1 and not x.summed), None)
        if lane is None or (lane.a in (0, 1) and lane.b in (0, 1)):
            return in_tiles
        if lane.a == 0:
            arrays = {"b": packing(axes, "b")}
            return Plan(simplify(replaced(axes, "b")), None, ("b",), arrays)
    if blas.letter(out) is None or math.prod(sizes_of(axes)) <= TILE:
        return in_tiles
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


def is_narrow(axes: Sequence[Axis]) -> bool:
    """Whether all lengths of a product of two matrices but one are small: tiles are quicker."""
    kept = [x for x in axes if not x.summed]
    is_plain = len(axes) == 3 and len(kept) == 2 and all((x.a == 0) != (x.b == 0) for x in kept)
    return is_plain and sorted(sizes_of(axes))[1] <= NARROW


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
    return sum(size_of(made.arrays[name][0], dtype) for name in made.packed)


def contract(
    code: Code, given: Sequence[Axis], a: Buffer, b: Buffer, out: Buffer, memory: Buffer | None
) -> None:
    """Write the product; `memory` is the scratch that its plan asked for."""
    if out.size == 0:
        return
    made = plan(given, a.dtype, b.dtype, out.dtype)
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
