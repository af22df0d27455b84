"""Pools: loops over windows, each of which goes over its taps.

Along each axis the windows at the borders have some taps outside; those that have the same taps
inside share a loop, so that no place is compared with the borders.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...core.avals import Aval, Dtype
from ...ops.networks.pooling import (
    MaxPool,
    MeanOfLargest,
    Pooling,
    SpreadToLargest,
    WindowSpread,
    WindowSum,
)
from ...ops.networks.windows import reads
from ...ops.reducing import lowest
from ..code import Buffer, Code
from ..element import Lane, Scalars
from .loops import clear, nest, offset_of, plus
from .numbers import Offset, real_part
from .table import kernel

WRITTEN_OUT = 16  # taps up to which they are written one by one


class Span(NamedTuple):
    """Along one axis: neighbouring windows, the taps that are inside for all of them, and where
    the first tap of the first window lies.
    """

    first: int
    windows: int
    taps: int
    place: int
    stride: int
    dilation: int


def spans(
    size: int, count: int, length: int, stride: int, before: int, dilation: int
) -> list[Span]:
    """All windows along one axis."""
    inside: list[list[int]] = [[] for _ in range(count)]
    for tap in range(length):
        for p in range(count)[reads(tap, size, count, stride, before, dilation)[0]]:
            inside[p].append(tap)
    found = []
    for taps, group in itertools.groupby(range(count), lambda p: inside[p]):
        alike = list(group)
        first = alike[0]
        place = first * stride + (taps[0] * dilation if taps else 0) - before
        found.append(Span(first, len(alike), len(taps), place, stride, dilation))
    return found


class Window(NamedTuple):
    """One window inside loops: where its result lies, and its taps."""

    code: Code
    at: Offset
    start: Offset
    taps: tuple[tuple[int, int], ...]  # along each axis how many, and their distance

    def over(self, body: Callable[[Offset], None]) -> None:
        """Write `body` for each tap, given where it lies; in loops where there are many."""
        steps = [step for _, step in self.taps]
        counts = [count for count, _ in self.taps]
        if math.prod(counts) <= WRITTEN_OUT:
            for tap in np.ndindex(*counts):
                body(plus(self.code, self.start, offset_of(self.code, tap, steps)))
            return
        with nest(self.code, counts) as indices:
            body(plus(self.code, self.start, offset_of(self.code, indices, steps)))


def each_window(
    code: Code, primitive: Pooling, x: Buffer, windows: Buffer, body: Callable[[Window], None]
) -> None:
    """Write `body` in loops over all windows on `x` whose results are as `windows` lies."""
    n = len(primitive.length)
    lead = x.shape[:-n]
    axes = [
        spans(*each)
        for each in zip(
            x.shape[-n:], windows.shape[-n:], primitive.length, primitive.stride,
            [before for before, _ in primitive.padding], primitive.dilation, strict=True,
        )
    ]  # fmt: skip
    own, out = x.strides[-n:], windows.strides[-n:]
    with nest(code, lead) as indices:
        start = offset_of(code, indices, x.strides[:-n])
        end = offset_of(code, indices, windows.strides[:-n])
        for chosen in itertools.product(*axes):
            at = plus(code, end, offset_of(code, [s.first for s in chosen], out))
            place = plus(code, start, offset_of(code, [s.place for s in chosen], own))
            taps = tuple((s.taps, s.dilation * step) for s, step in zip(chosen, own, strict=True))
            moves = [s.stride * step for s, step in zip(chosen, own, strict=True)]
            with nest(code, [s.windows for s in chosen]) as inner:
                body(
                    Window(
                        code,
                        plus(code, at, offset_of(code, inner, out)),
                        plus(code, place, offset_of(code, inner, moves)),
                        taps,
                    )
                )


def is_real(primitive: Pooling, operands: Sequence[Aval], results: Sequence[Aval]) -> bool:
    """Numbers that have an order."""
    return operands[0].dtype.kind in "iuf"


class Local:
    """A number that changes while the taps of a window are gone through."""

    def __init__(self, code: Code, scalars: Scalars, dtype: Dtype) -> None:
        self.scalars = scalars
        self.place = Buffer(code.alloca("i8", dtype.itemsize), (), dtype, ())

    def get(self) -> Lane:
        return self.scalars.load(self.place, 0)

    def set(self, x: Lane) -> None:
        self.scalars.store(x, self.place, 0)


def number(value: complex, dtype: Dtype) -> Lane:
    """A constant."""
    return Lane(value, dtype, None, fixed=True)


@kernel(MaxPool, accepts=is_real, accepts_strides=True)
def max_pool(
    code: Code, primitive: MaxPool, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The largest so far, tap by tap."""
    (x,), (out,) = operands, results
    scalars = Scalars(code)
    best = Local(code, scalars, out.dtype)
    least = number(np.asarray(lowest(out.dtype, 1)).item(), out.dtype)

    def body(window: Window) -> None:
        best.set(least)
        window.over(lambda at: best.set(scalars.maximum(best.get(), scalars.load(x, at))))
        scalars.store(best.get(), out, window.at)

    each_window(code, primitive, x, out, body)


@kernel(WindowSum, accepts_strides=True)
def window_sum(
    code: Code, primitive: WindowSum, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The sum so far, tap by tap."""
    (x,), (out,) = operands, results
    scalars = Scalars(code)
    total = Local(code, scalars, out.dtype)

    def body(window: Window) -> None:
        total.set(number(0, out.dtype))
        window.over(lambda at: total.set(scalars.add(total.get(), scalars.load(x, at))))
        scalars.store(total.get(), out, window.at)

    each_window(code, primitive, x, out, body)


@kernel(WindowSpread, accepts_strides=True)
def window_spread(
    code: Code, primitive: WindowSpread, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, and then each window's value added to its places."""
    (given,), (out,) = operands, results
    clear(code, out)
    scalars = Scalars(code)
    apart = primitive.windows.are_apart

    def body(window: Window) -> None:
        value = scalars.load(given, window.at)

        def spread(at: Offset) -> None:
            there = value if apart else scalars.add(scalars.load(out, at), value)
            scalars.store(there, out, at)

        window.over(spread)

    each_window(code, primitive, out, given, body)


def share(scalars: Scalars, window: Window, x: Buffer, best: Lane, count: Local) -> Lane:
    """1 over how many elements of a window are its largest, NaN where that is NaN."""
    one = number(1, count.place.dtype)
    count.set(number(0, count.place.dtype))

    def tally(at: Offset) -> None:
        same = scalars.compare("equal", scalars.load(x, at), best)
        count.set(scalars.add(count.get(), scalars.cast(same, count.place.dtype)))

    window.over(tally)
    part = scalars.divide(one, scalars.maximum(count.get(), one))
    nan = number(np.nan, count.place.dtype)
    return scalars.select(scalars.compare("equal", best, best), part, nan)


@kernel(SpreadToLargest, accepts=is_real)
def spread_to_largest(
    code: Code, primitive: SpreadToLargest, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """Zeros, and then each window's value in equal shares added to its largest elements."""
    (x, top, given), (out,) = operands, results
    clear(code, out)
    scalars = Scalars(code)
    count = Local(code, scalars, real_part(out.dtype))
    apart = primitive.windows.are_apart
    zero = number(0, out.dtype)

    def body(window: Window) -> None:
        best, value = scalars.load(top, window.at), scalars.load(given, window.at)
        value = scalars.multiply(value, share(scalars, window, x, best, count))
        value = scalars.cast(value, out.dtype)
        unknown = scalars.compare("not_equal", best, best)

        def spread(at: Offset) -> None:
            same = scalars.compare("equal", scalars.load(x, at), best)
            chosen = scalars.bits("logical_or", same, unknown)
            if not apart:
                with code.when(scalars.register(chosen)):
                    scalars.store(scalars.add(scalars.load(out, at), value), out, at)
                return
            scalars.store(scalars.select(chosen, value, zero), out, at)

        window.over(spread)

    each_window(code, primitive, out, top, body)


@kernel(MeanOfLargest, accepts=is_real)
def mean_of_largest(
    code: Code, primitive: MeanOfLargest, operands: Sequence[Buffer], results: Sequence[Buffer]
) -> None:
    """The sum over the largest elements of each window, divided by their number."""
    (x, top, dx), (out,) = operands, results
    scalars = Scalars(code)
    count = Local(code, scalars, real_part(out.dtype))
    total = Local(code, scalars, out.dtype)
    zero = number(0, out.dtype)

    def body(window: Window) -> None:
        best = scalars.load(top, window.at)
        part = share(scalars, window, x, best, count)
        total.set(zero)

        def gather(at: Offset) -> None:
            same = scalars.compare("equal", scalars.load(x, at), best)
            total.set(scalars.add(total.get(), scalars.select(same, scalars.load(dx, at), zero)))

        window.over(gather)
        scalars.store(scalars.multiply(total.get(), part), out, window.at)

    each_window(code, primitive, x, out, body)
