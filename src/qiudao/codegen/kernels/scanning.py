"""Running sums, products and extremes, recurrences, and sums between places.

Along the last axis a running value stays in a register; along another each row is made from the
one before it, so that LLVM can work on many lanes at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype
from ...ops.scanning import (
    CumLogSumExp,
    CumMax,
    CumMin,
    CumProd,
    CumSum,
    CumTruth,
    Recurrence,
    SumBetween,
)
from ..code import Buffer, Code, Register, floating
from .loops import nest, offset_of, plus, times
from .numbers import (
    LOOSE,
    Number,
    Offset,
    Variable,
    add,
    call_of_floats,
    load,
    multiply,
    nothing,
    part_type,
    store,
)
from .table import kernel

Step = Callable[[Number, Number], Number]


def is_real(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Values that are ordered as numbers on a line are."""
    return results[0].dtype.kind != "c"


def is_float(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Values that have an exponential."""
    return results[0].dtype.kind == "f"


def is_truth(primitive: Any, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Booleans, in and out."""
    return operands[0].dtype.kind == "b"


def scan(
    code: Code, xs: Sequence[Buffer], out: Buffer, axis: int, reverse: bool, step: Any
) -> None:
    """Make each element along an axis from the one before it: `step(earlier, *elements)`.

    The first has no element before it, None.
    """
    axis += len(out.shape)
    n, shape = out.shape[axis], out.shape
    if out.size == 0:
        return
    outer = [k for k in range(len(shape)) if k < axis]
    inner = [k for k in range(len(shape)) if k > axis]
    buffers = (*xs, out)
    ends = [(n - 1) * b.strides[axis] if reverse else 0 for b in buffers]
    steps = [-b.strides[axis] if reverse else b.strides[axis] for b in buffers]

    def places(indices: Sequence[Offset], axes: Sequence[int]) -> list[Offset]:
        return [offset_of(code, indices, [b.strides[k] for k in axes]) for b in buffers]

    def along(start: Sequence[Offset], k: Offset) -> list[Offset]:
        return [plus(code, s, times(code, k, t)) for s, t in zip(start, steps, strict=True)]

    def read(at: Sequence[Offset]) -> list[Number]:
        return [load(code, x, p, out.dtype) for x, p in zip(xs, at, strict=False)]

    with nest(code, [shape[k] for k in outer]) as indices:
        start = [plus(code, p, e) for p, e in zip(places(indices, outer), ends, strict=True)]
        if math.prod(shape[k] for k in inner) == 1:
            running = Variable(code, out.dtype)
            first = step(None, *read(start))
            running.set(first)
            store(code, first, out, start[-1])
            with code.loop(n, 1) as k:
                at = along(start, k)
                value = step(running.get(), *read(at))
                running.set(value)
                store(code, value, out, at[-1])
            return
        with nest(code, [shape[k] for k in inner]) as columns:
            at = [plus(code, s, p) for s, p in zip(start, places(columns, inner), strict=True)]
            store(code, step(None, *read(at)), out, at[-1])
        with code.loop(n, 1) as k, nest(code, [shape[j] for j in inner]) as columns:
            moved = along(start, k)
            at = [plus(code, s, p) for s, p in zip(moved, places(columns, inner), strict=True)]
            before = plus(code, at[-1], -steps[-1])
            store(code, step(load(code, out, before), *read(at)), out, at[-1])


def running(code: Code, primitive: Any, x: Buffer, out: Buffer, combine: Step) -> None:
    """A scan of one operand, from its first element."""

    def step(earlier: Number | None, value: Number) -> Number:
        return value if earlier is None else combine(earlier, value)

    scan(code, [x], out, primitive.axis, getattr(primitive, "reverse", False), step)


@kernel(CumSum, CumProd, accepts_strides=True)
def cumulative(
    code: Code,
    primitive: CumSum | CumProd,
    operands: Sequence[Buffer],
    results: Sequence[Buffer],
) -> None:
    """Sums or products, in the order in which NumPy takes them."""
    (x,), (out,) = operands, results
    combine = add if isinstance(primitive, CumSum) else multiply

    def step(earlier: Number, value: Number) -> Number:
        return combine(code, earlier, value, out.dtype, flags="")

    running(code, primitive, x, out, step)


@kernel(CumMax, CumMin, accepts=is_real, accepts_strides=True)
def extremes(
    code: Code, primitive: CumMax, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The larger or the smaller; NaN stays once there is one."""
    (x,), (out,) = operands, results
    dtype, type_ = out.dtype, part_type(out.dtype)

    def step(earlier: Number, value: Number) -> Number:
        pair = (value, earlier) if isinstance(primitive, CumMin) else (earlier, value)
        wins = is_less(code, *pair, dtype)
        if dtype.kind == "f":
            wins = code.op(f"or i1 {wins}, {code.op(f'fcmp uno {type_} {value[0]}, {value[0]}')}")
            is_nan = code.op(f"fcmp uno {type_} {earlier[0]}, {earlier[0]}")
            wins = code.op(f"select i1 {is_nan}, i1 false, i1 {wins}")
        return (code.op(f"select i1 {wins}, {type_} {value[0]}, {type_} {earlier[0]}"),)

    running(code, primitive, x, out, step)


def is_less(code: Code, x: Number, y: Number, dtype: Dtype) -> Register:
    """Whether x < y, false where either is NaN."""
    compare = {"f": "fcmp olt", "i": "icmp slt"}.get(dtype.kind, "icmp ult")
    return code.op(f"{compare} {part_type(dtype)} {x[0]}, {y[0]}")


@kernel(CumLogSumExp, accepts=is_float, accepts_strides=True)
def log_sums(
    code: Code, primitive: CumLogSumExp, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """As `np.logaddexp`: the larger plus log1p of the exponential of minus the distance."""
    (x,), (out,) = operands, results
    dtype, type_ = out.dtype, part_type(out.dtype)

    def step(earlier: Number, value: Number) -> Number:
        (p,), (q,) = earlier, value
        gap = call_of_floats(code, "llvm.fabs", dtype, code.op(f"fsub {type_} {p}, {q}"))
        decay = call_of_floats(code, "exp", dtype, code.op(f"fneg {type_} {gap}"))
        extra = call_of_floats(code, "log1p", dtype, decay)
        larger = call_of_floats(code, "llvm.maximum", dtype, p, q)
        total = code.op(f"fadd {type_} {larger}, {extra}")
        are_equal = code.op(f"fcmp oeq {type_} {p}, {q}")  # infinities too, whose gap is NaN
        double = code.op(f"fadd {type_} {p}, {floating(math.log(2.0), type_)}")
        return (code.op(f"select i1 {are_equal}, {type_} {double}, {type_} {total}"),)

    running(code, primitive, x, out, step)


@kernel(CumTruth, accepts=is_truth, accepts_strides=True)
def truths(
    code: Code, primitive: CumTruth, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Bits combined."""
    (x,), (out,) = operands, results
    name = primitive.function.removeprefix("logical_")

    def step(earlier: Number, value: Number) -> Number:
        return (code.op(f"{name} i8 {earlier[0]}, {value[0]}"),)

    running(code, primitive, x, out, step)


@kernel(Recurrence, accepts_strides=True)
def recurrence(
    code: Code, primitive: Recurrence, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """One step after another: t = a t + b."""
    (a, b), (out,) = operands, results
    dtype = out.dtype

    def step(earlier: Number | None, factor: Number, term: Number) -> Number:
        if earlier is None:
            return term
        product = multiply(code, factor, earlier, dtype, flags="contract")
        return add(code, product, term, dtype, flags="contract")

    scan(code, [a, b], out, primitive.axis, primitive.reverse, step)


@kernel(SumBetween, accepts_strides=True)
def sums_between(
    code: Code, primitive: SumBetween, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Sums over ranges that stand in a table."""
    (x,), (out,) = operands, results
    if out.size == 0:
        return
    axis = primitive.axis + len(x.shape)
    ends = (*primitive.indices[1:], x.shape[axis])
    table = [[s, max(s + 1, e)] for s, e in zip(primitive.indices, ends, strict=True)]
    ranges = np.array(table, np.int64)
    spans = Buffer(code.module.constant(ranges), ranges.shape, ranges.dtype, (2, 1))
    others = [0 if k == axis else s for k, s in enumerate(x.strides)]
    total = Variable(code, out.dtype)
    with nest(code, out.shape) as indices:
        start = offset_of(code, indices, others)
        first, last = (
            load(code, spans, plus(code, times(code, indices[axis], 2), k))[0] for k in (0, 1)
        )
        total.set(nothing(out.dtype))
        with code.loop(last, first) as k:
            value = load(code, x, plus(code, start, times(code, k, x.strides[axis])), out.dtype)
            total.set(add(code, total.get(), value, out.dtype, flags=LOOSE))
        store(code, total.get(), out, offset_of(code, indices, out.strides))
