"""Products by loops over tiles of the result, which stay in registers while their sums run.

A tile is some rows by some vectors of *lanes*, neighbours in the result.  Each step of a sum reads
one element a row of one operand, and the lanes of the other.  Those want to come from the first
cache in one piece: where they lie apart, or are so many that other tiles drive them out, a
*panel* of them, `DEEP` steps of the sums by the lanes of one tile, is copied and serves all rows.

    for as many rows as are near:  for each chunk of the sums:
        for some panels:  copy them;  for each tile in each:  add the chunk
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...core.avals import Dtype
from ..code import Buffer, Code
from .axes import Axis, sizes_of, strides_of
from .loops import counted, nest, offset_of, part_of, plus, times
from .numbers import Number, Offset, Variable, add, load, multiply, nothing, store

VECTOR = 32  # bytes
REGISTERS = 8  # vectors that a tile of the result fills
ROWS = 4  # of a tile
GATHERED = 16  # sums up to this length read lanes that lie apart one by one
DEEP = 256  # steps of the sums in a panel
NEAR = 1 << 18  # bytes that a second cache holds: of lanes read where they are, and of rows
WRITTEN_OUT = 32  # terms up to which a sum is written out, where its vectors are few
REUSE = 16  # rows from which copies of panels pay
GROUP = 4  # panels that are copied together: of each row read, so many lines of the cache


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
            yield moved(code, start, axis, times(code, k, size)), size
    if rest:
        yield moved(code, start, axis, whole * size), rest


def halving(
    code: Code, axis: Axis | None, size: int, start: Sequence[Offset]
) -> Iterator[tuple[list[Offset], int]]:
    """As `pieces`, the rest in powers of two, which registers hold."""
    if axis is None:
        yield list(start), 1
        return
    done = 0
    while done < axis.size:
        count = axis.size - done
        part = axis._replace(size=count - count % size)
        if part.size:
            yield from pieces(code, part, size, moved(code, start, axis, done))
            done += part.size
        size = 1 << ((axis.size - done).bit_length() - 1) if done < axis.size else size


def moved(code: Code, start: Sequence[Offset], axis: Axis, by: Offset) -> list[Offset]:
    """Places in the three arrays, so many steps along an axis."""
    return [plus(code, x, times(code, by, step)) for x, step in zip(start, axis[1:4], strict=True)]


def tile(
    code: Code,
    buffers: tuple[Buffer, Buffer, Buffer],
    start: Sequence[Offset],
    block: tuple[Axis | None, int],
    lane: tuple[Axis | None, int],
    summed: Sequence[Axis],
    *,
    adds: bool = False,
) -> None:
    """One tile of the result, which stays in registers while its sums run.

    With `adds` the sums are added to what is there.
    """
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

    targets = [plus(code, start[2], k * steps[2] + first * inner[2]) for k, first, _ in places]
    chains = chains_of(summed, len(places)) if lanes > 1 and not adds else 0
    if not summed and not adds:
        values = products([])
    elif chains:
        terms = [products([k]) for k in range(summed[0].size)]
        sums = terms[:chains]
        for k, term in enumerate(terms[chains:]):
            sums[k % chains] = more(sums[k % chains], term)
        values = functools.reduce(more, sums)
    else:
        totals = [Variable(code, dtype, width) for _, _, width in places]
        for total, target, (_, _, width) in zip(totals, targets, places, strict=True):
            total.set(load(code, out, target, dtype, width) if adds else nothing(dtype, width))
        with nest(code, sizes_of(summed)) as indices:
            terms = [products(indices)]
            for total, value in zip(totals, more([t.get() for t in totals], terms[0]), strict=True):
                total.set(value)
        values = [total.get() for total in totals]
    for value, target, (_, _, width) in zip(values, targets, places, strict=True):
        store(code, value, out, target, width)


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


# In panels


class Panels(NamedTuple):
    """A product of matrices: its lanes are those of b, or of a where it is `swapped`."""

    rows: Axis
    lanes: Axis
    summed: Axis
    outer: list[Axis]
    swapped: bool

    @property
    def multiplications(self) -> int:
        """Of each matrix."""
        return self.rows.size * self.lanes.size * self.summed.size

    def is_near(self, dtype: Dtype) -> bool:
        """Whether tiles do as well without copies of panels."""
        step = self.lanes.a if self.swapped else self.lanes.b
        size = self.lanes.size * self.summed.size * dtype.itemsize
        return step == 1 and (size <= NEAR or self.rows.size < REUSE)


def as_panels(axes: Sequence[Axis]) -> Panels | None:
    """The product as matrices whose rows and lanes each are of one operand, if it is that."""
    kept, summed = [x for x in axes if not x.summed], [x for x in axes if x.summed]
    lanes = next((x for x in kept if x.out == 1 and (x.a == 0) != (x.b == 0)), None)
    if lanes is None or len(summed) != 1:
        return None
    swapped = lanes.b == 0
    others = [x for x in kept if (x.b if swapped else x.a) and not (x.a if swapped else x.b)]
    rows = max(others, key=lambda x: x.size, default=None)
    if rows is None:
        return None
    outer = [x for x in kept if x not in (rows, lanes)]
    return Panels(rows, lanes, summed[0], outer, swapped)


def width_of(dtype: Dtype) -> int:
    """The lanes of a tile of `ROWS` rows."""
    return REGISTERS * VECTOR // (ROWS * dtype.itemsize)


def rows_near(seen: Panels, dtype: Dtype) -> int:
    """How many rows a second cache holds, as equal shares of all."""
    row = min(seen.summed.size, DEEP) * dtype.itemsize
    shares = -(-seen.rows.size * row // NEAR)
    return -(-seen.rows.size // (shares * ROWS)) * ROWS


def panels_at_once(seen: Panels) -> int:
    """How many panels are copied together: neighbours are read in one piece where they are one."""
    return GROUP if (seen.lanes.a if seen.swapped else seen.lanes.b) == 1 else 1


def panel_size(seen: Panels, dtype: Dtype) -> int:
    """The bytes of the panels that are copied together."""
    depth = min(seen.summed.size, DEEP)
    return panels_at_once(seen) * depth * width_of(dtype) * dtype.itemsize


def contract_in_panels(
    code: Code, seen: Panels, a: Buffer, b: Buffer, out: Buffer, memory: Buffer
) -> None:
    """The product of matrices by panels, which are copied to `memory`."""
    dtype, width = out.dtype, width_of(out.dtype)
    most = panels_at_once(seen)
    size = min(seen.summed.size, DEEP) * width
    panels = Buffer(memory.pointer, (most, DEEP, width), dtype, (size, width, 1))
    with nest(code, sizes_of(seen.outer)) as indices:
        start = starts(code, indices, seen.outer)
        if seen.summed.size > DEEP:
            fill_with_zeros(code, seen, out, start[2])
        for block, height in pieces(code, seen.rows, rows_near(seen, dtype), start):
            for chunk, depth in pieces(code, seen.summed, DEEP, block):
                for group, lanes in halving(code, seen.lanes, most * width, chunk):
                    copy_panels(code, seen, (depth, lanes), (a, b), group, panels)
                    with counted(code, max(lanes // width, 1)) as k:
                        place = moved(code, group, seen.lanes, times(code, k, width))
                        first = part_of(code, panels, times(code, k, panels.strides[0]))
                        panel = Buffer(first, (DEEP, width), dtype, panels.strides[1:])
                        sizes = height, depth, min(lanes, width)
                        tiles_of_panel(code, seen, sizes, (a, b, out), place, panel)


def tiles_of_panel(
    code: Code,
    seen: Panels,
    sizes: tuple[int, int, int],
    buffers: tuple[Buffer, Buffer, Buffer],
    start: Sequence[Offset],
    panel: Buffer,
) -> None:
    """Some rows by the lanes of one panel, summed over its depth."""
    height, depth, lanes = sizes
    a, b, out = buffers
    rows, along = seen.rows._replace(size=height), seen.lanes
    summed = seen.summed._replace(size=depth)
    x, y, z = start
    if seen.swapped:
        along, summed = along._replace(a=1), summed._replace(a=panel.strides[0])
        a, x = panel, 0
    else:
        along, summed = along._replace(b=1), summed._replace(b=panel.strides[0])
        b, y = panel, 0
    for place, some in pieces(code, rows, ROWS, (x, y, z)):
        tile(code, (a, b, out), place, (rows, some), (along, lanes), [summed],
             adds=seen.summed.size > DEEP)  # fmt: skip


def fill_with_zeros(code: Code, seen: Panels, out: Buffer, start: Offset) -> None:
    """Zeros in one matrix of the result."""
    with nest(code, (seen.rows.size, seen.lanes.size)) as (i, j):
        place = plus(code, plus(code, start, times(code, i, seen.rows.out)), j)
        store(code, nothing(out.dtype), out, place)


def copy_panels(
    code: Code,
    seen: Panels,
    sizes: tuple[int, int],
    operands: tuple[Buffer, Buffer],
    start: Sequence[Offset],
    panels: Buffer,
) -> None:
    """The lanes of some tiles at `depth` steps of the sums, those of each tile in one piece."""
    depth, lanes = sizes
    which = 0 if seen.swapped else 1
    source, place = operands[which], start[which]
    step, along = seen.lanes[1 + which], seen.summed[1 + which]
    apart, down, _ = panels.strides
    with code.loop(depth) as k:
        row, to = plus(code, place, times(code, k, along)), times(code, k, down)
        for n, (first, width) in enumerate(vectors(lanes, min(lanes, down))):
            part = load(code, source, plus(code, row, first * step), panels.dtype, width, step)
            store(code, part, panels, plus(code, to, n * apart), width)
