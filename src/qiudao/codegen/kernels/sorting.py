"""Sorting by merging, searching what is sorted, and means over runs of equal elements.

Merging is stable; NaN comes last, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype, promote
from ...ops.sorting import ArgSort, Level, Runs, SearchSorted, Sort
from ..code import Buffer, Code, Register
from .loops import counted, nest, offset_of, plus, times
from .matrices import Needs, carve, scratch_of
from .numbers import (
    Number,
    Offset,
    Variable,
    add,
    convert,
    load,
    nothing,
    part_type,
    real_part,
    store,
)
from .scanning import is_less
from .table import kernel

Piece = Callable[[Code, Sequence[Buffer], Sequence[Buffer], Register, Register], None]

I64 = np.dtype(np.int64)
INSERTED = 16  # elements that are sorted by insertion
LONGEST = 128  # longer lanes are sorted sooner by NumPy, which has vector code for it


def accepts_sorting(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Short lanes of values on a line."""
    x = operands[0]
    return x.dtype.kind != "c" and x.shape[primitive.axis] <= LONGEST


def comes_before(code: Code, x: Number, y: Number, dtype: Dtype) -> Register:
    """Whether x < y, where NaN is above all."""
    less = is_less(code, x, y, dtype)
    if dtype.kind != "f":
        return less
    type_ = part_type(dtype)
    is_nan = code.op(f"fcmp uno {type_} {y[0]}, {y[0]}")
    is_number = code.op(f"fcmp ord {type_} {x[0]}, {x[0]}")
    return code.op(f"or i1 {less}, {code.op(f'and i1 {is_nan}, {is_number}')}")


def needs_of_sort(primitive: Any, operands: Sequence[Any], results: Sequence[Any]) -> Needs:
    """Two lanes of elements, and two of places for `ArgSort`."""
    n, dtype = operands[0].shape[primitive.axis], operands[0].dtype
    return [(n, dtype)] * 2 + [(n, I64)] * (2 * isinstance(primitive, ArgSort))


@kernel(Sort, ArgSort, accepts=accepts_sorting, accepts_strides=True,
        scratch=scratch_of(needs_of_sort))  # fmt: skip
def sort(
    code: Code,
    primitive: Sort | ArgSort,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """Lane by lane, in the scratch memory."""
    x, *memory = operands
    (out,) = results
    if out.size == 0:
        return
    axis = primitive.axis + len(x.shape)
    n = x.shape[axis]
    needs = needs_of_sort(primitive, operands, results)
    room = [
        Buffer(pointer, (n,), dtype, (1,))
        for pointer, (_, dtype) in zip(carve(code, memory, needs), needs, strict=True)
    ]
    lanes = [size for k, size in enumerate(x.shape) if k != axis]
    steps = [[s for k, s in enumerate(b.strides) if k != axis] for b in (x, out)]
    with nest(code, lanes) as indices:
        source, target = (offset_of(code, indices, s) for s in steps)
        with counted(code, n) as k:
            value = load(code, x, plus(code, source, times(code, k, x.strides[axis])))
            store(code, value, room[0], k)
            if len(room) > 2:
                store(code, (str(k),), room[2], k)
        found = merge_sort(code, room[::2], room[1::2])
        with counted(code, n) as k:
            at = plus(code, target, times(code, k, out.strides[axis]))
            store(code, load(code, found, k), out, at)


def merge_sort(code: Code, lanes: Sequence[Buffer], others: Sequence[Buffer]) -> Buffer:
    """Sort the first of `lanes`, carrying the rest along; gives where the last of them ends up.

    Pieces of `INSERTED` elements are sorted by insertion, then merged in pairs, pairs of pairs and
    so on, from one memory to the other.
    """
    n = lanes[0].shape[0]
    passes: list[tuple[Piece, int]] = [(insert, INSERTED)]
    while passes[-1][1] < n:
        passes.append((merge, 2 * passes[-1][1]))
    for piece, width in passes:
        name = function_of_pieces(code, piece, [x.dtype for x in lanes])
        pointers = ", ".join(f"ptr {x.pointer}" for x in (*lanes, *others))
        code.do(f"call void {name}({pointers}, i64 {n}, i64 {width})")
        lanes, others = others, lanes
    return lanes[-1]


def function_of_pieces(code: Code, piece: Piece, dtypes: Sequence[Dtype]) -> str:
    """A function that applies `piece` to all pieces of a lane, one for each list of dtypes.

    It is no part of the caller, which would hold it once for each width.
    """
    types = ".".join(f"{dtype.kind}{dtype.itemsize}" for dtype in dtypes)
    name = f"@{piece.__name__}.{types}"
    if name not in code.module.definitions:
        inner = Code(code.module)
        sources, targets = (
            [Buffer(f"%{side}{k}", (), dtype, ()) for k, dtype in enumerate(dtypes)]
            for side in ("from", "to")
        )
        count = inner.op(f"udiv i64 {inner.op('add i64 %n, %width')}, %width")
        with inner.loop(count) as k:
            low = at_most(inner, inner.op(f"mul i64 {k}, %width"), "%n")
            high = at_most(inner, inner.op(f"add i64 {low}, %width"), "%n")
            piece(inner, sources, targets, low, high)
        inner.do("ret void")
        pointers = ", ".join(f"ptr noalias {x.pointer}" for x in (*sources, *targets))
        head = f"{name}({pointers}, i64 %n, i64 %width)"
        code.module.define(name, inner.function(head, "internal void", "noinline"))
    return name


def insert(
    code: Code, sources: Sequence[Buffer], targets: Sequence[Buffer], low: Register, high: Register
) -> None:
    """Sort a piece: move each element down past those that it comes before."""
    keys = targets[0]
    place = Variable(code, I64)
    look, move, done = (code.label(name) for name in ("look", "move", "done"))
    with code.loop(high, low) as i:
        own = [load(code, x, i) for x in sources]
        place.set((i,))
        code.jump(look)
        code.start(look)
        (k,) = place.get()
        below = code.op(f"sub i64 {k}, 1")
        is_lowest = code.op(f"icmp eq i64 {k}, {low}")
        safe = code.op(f"select i1 {is_lowest}, i64 {low}, i64 {below}")
        is_before = comes_before(code, own[0], load(code, keys, safe), keys.dtype)
        code.branch(code.op(f"select i1 {is_lowest}, i1 false, i1 {is_before}"), move, done)
        code.start(move)
        for x in targets:
            store(code, load(code, x, below), x, k)
        place.set((below,))
        code.jump(look)
        code.start(done)
        for value, target in zip(own, targets, strict=True):
            store(code, value, target, k)


def at_most(code: Code, x: Register | int, limit: Register | int) -> Register:
    """The smaller of an offset and a limit."""
    is_below = code.op(f"icmp slt i64 {x}, {limit}")
    return code.op(f"select i1 {is_below}, i64 {x}, i64 {limit}")


def merge(
    code: Code, sources: Sequence[Buffer], targets: Sequence[Buffer], low: Register, high: Register
) -> None:
    """Merge the two sorted halves of a piece."""
    middle = at_most(code, code.op(f"add i64 {low}, {code.op('lshr i64 %width, 1')}"), "%n")
    keys = sources[0]
    left, right = Variable(code, I64), Variable(code, I64)
    left.set((low,))
    right.set((middle,))
    last = code.op("sub i64 %n, 1")
    with code.loop(high, low) as k:
        (i,), (j,) = left.get(), right.get()
        at_i, at_j = at_most(code, i, last), at_most(code, j, last)
        is_smaller = comes_before(code, load(code, keys, at_j), load(code, keys, at_i), keys.dtype)
        left_done = code.op(f"icmp sge i64 {i}, {middle}")
        right_left = code.op(f"icmp slt i64 {j}, {high}")
        wanted = code.op(f"or i1 {left_done}, {is_smaller}")
        takes_right = code.op(f"and i1 {right_left}, {wanted}")
        at = code.op(f"select i1 {takes_right}, i64 {at_j}, i64 {at_i}")
        for source, target in zip(sources, targets, strict=True):
            store(code, load(code, source, at), target, k)
        moved = code.op(f"zext i1 {takes_right} to i64")
        right.set((code.op(f"add i64 {j}, {moved}"),))
        left.set((code.op(f"sub i64 {code.op(f'add i64 {i}, 1')}, {moved}"),))


def accepts_search(
    primitive: SearchSorted, operands: Sequence[Aval], results: Sequence[Aval]
) -> bool:
    """Values on a line, which a common dtype holds."""
    return promote(*operands).kind != "c"


@kernel(SearchSorted, accepts=accepts_search, accepts_strides=True)
def search_sorted(
    code: Code, primitive: SearchSorted, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Halving, as often as the length of the lane asks for."""
    (lane, sought), (out,) = operands, results
    if out.size == 0:
        return
    dtype = np.result_type(lane.dtype, sought.dtype)
    n = lane.shape[-1]
    low, count = Variable(code, I64), Variable(code, I64)
    steps = [0] * len(out.shape) if len(lane.shape) == 1 else [*lane.strides[:-1], 0]
    with nest(code, out.shape) as indices:
        value = load(code, sought, offset_of(code, indices, sought.strides), dtype)
        start = offset_of(code, indices, steps)
        low.set(("0",))
        count.set((str(n),))
        with code.loop(n.bit_length()):
            (first,), (length,) = low.get(), count.get()
            half = code.op(f"lshr i64 {length}, 1")
            middle = code.op(f"add i64 {first}, {half}")
            inside = at_most(code, middle, n - 1)
            at = plus(code, start, times(code, inside, lane.strides[-1]))
            there = load(code, lane, at, dtype)
            if primitive.side == "left":
                goes_up = comes_before(code, there, value, dtype)
            else:
                goes_up = code.op(f"xor i1 {comes_before(code, value, there, dtype)}, true")
            is_open = code.op(f"icmp ne i64 {length}, 0")
            goes_up = code.op(f"and i1 {goes_up}, {is_open}")
            above = code.op(f"add i64 {middle}, 1")
            low.set((code.op(f"select i1 {goes_up}, i64 {above}, i64 {first}"),))
            rest = code.op(f"sub i64 {code.op(f'sub i64 {length}, 1')}, {half}")
            count.set((code.op(f"select i1 {goes_up}, i64 {rest}, i64 {half}"),))
        store(code, low.get(), out, offset_of(code, indices, out.strides))


@kernel(Runs, accepts_strides=True)
def runs(
    code: Code, primitive: Runs, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """One more wherever an element differs from the one before it."""
    (x,), (out,) = operands, results
    if out.size == 0:
        return
    axis = primitive.axis + len(x.shape)
    number = Variable(code, I64)
    with nest(code, [n for k, n in enumerate(x.shape) if k != axis]) as indices:
        source, target = (lane_start(code, b, axis, indices) for b in (x, out))
        number.set(("0",))
        store(code, number.get(), out, target)
        with code.loop(x.shape[axis], 1) as k:
            at = plus(code, source, times(code, k, x.strides[axis]))
            earlier = load(code, x, plus(code, at, -x.strides[axis]))
            differs = is_other(code, load(code, x, at), earlier, x.dtype)
            one = code.op(f"zext i1 {differs} to i64")
            number.set((code.op(f"add i64 {number.get()[0]}, {one}"),))
            store(code, number.get(), out, plus(code, target, times(code, k, out.strides[axis])))


def lane_start(code: Code, x: Buffer, axis: int, indices: Sequence[Any]) -> Any:
    """Where the lane along an axis starts, by the indices of the other axes."""
    return offset_of(code, indices, [s for k, s in enumerate(x.strides) if k != axis])


def is_other(code: Code, x: Number, y: Number, dtype: Dtype) -> Register:
    """Whether two numbers differ, as NaN does from itself."""
    compare = "icmp ne" if dtype.kind in "biu" else "fcmp une"
    type_ = part_type(dtype)
    found = [code.op(f"{compare} {type_} {p}, {q}") for p, q in zip(x, y, strict=True)]
    return found[0] if len(found) == 1 else code.op(f"or i1 {found[0]}, {found[1]}")


def accepts_level(primitive: Level, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Values that have means."""
    return results[0].dtype.kind in "fc"


@kernel(Level, accepts=accepts_level, accepts_strides=True)
def level(
    code: Code, primitive: Level, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Going forward each run is summed; at its last element the mean is written to all of it."""
    (v, numbers), (out,) = operands, results
    if out.size == 0:
        return
    dtype, real = out.dtype, real_part(out.dtype)
    axis = primitive.axis + len(v.shape)
    n = v.shape[axis]
    total, first = Variable(code, dtype), Variable(code, I64)

    def row(start: Offset, x: Buffer, k: Offset) -> Offset:
        return plus(code, start, times(code, k, x.strides[axis]))

    with nest(code, [size for k, size in enumerate(v.shape) if k != axis]) as indices:
        source, labels, target = (lane_start(code, b, axis, indices) for b in (v, numbers, out))
        total.set(nothing(dtype))
        first.set(("0",))
        with code.loop(n) as k:
            total.set(add(code, total.get(), load(code, v, row(source, v, k)), dtype, flags=""))
            after = code.op(f"add i64 {k}, 1")
            follower = at_most(code, after, n - 1)
            own, following = (load(code, numbers, row(labels, numbers, j)) for j in (k, follower))
            is_last = code.op(f"icmp eq i64 {after}, {n}")
            ends = code.op(f"or i1 {is_last}, {is_other(code, own, following, numbers.dtype)}")
            with code.when(ends):
                (start,) = first.get()
                count = code.op(f"sub i64 {after}, {start}")
                (over,) = convert(code, (count,), I64, real)
                mean = tuple(
                    code.op(f"fdiv {part_type(real)} {part}, {over}") for part in total.get()
                )
                with code.loop(after, start) as j:
                    store(code, mean, out, row(target, out, j))
                total.set(nothing(dtype))
                first.set((after,))
