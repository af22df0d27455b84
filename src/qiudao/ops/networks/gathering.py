"""The values of convolutions by NumPy: taps gathered for a product of matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...core.avals import Dtype, Shape, Value
from .windows import Windows, inside, padded, sliding

NEAR = 1 << 20  # bytes of gathered taps that are multiplied while they are in the cache


def by_group(kernel: Value, groups: int) -> Value:
    """A kernel as one matrix for each group: (groups, o / groups, c / groups * taps)."""
    return kernel.reshape(groups, len(kernel) // groups, -1)


def blocks(count: int, size: int, dtype: Dtype) -> Iterator[slice]:
    """As many examples at a time as `NEAR` bytes hold, `size` elements each."""
    step = max(NEAR // (max(size, 1) * dtype.itemsize), 1)
    for first in range(0, count, step):
        yield slice(first, min(first + step, count))


def copied(view: Value, dtype: Dtype) -> Iterator[tuple[slice, Value]]:
    """A view of taps, some examples at a time.  The memory of one block serves the next."""
    parts = list(blocks(len(view), math.prod(view.shape[1:]), dtype))
    memory = np.empty((parts[0].stop, *view.shape[1:]), dtype)
    for block in parts:
        taps = memory[: block.stop - block.start]
        np.copyto(taps, view[block])
        yield block, taps


def gathered(
    x: Value, windows: Windows, groups: int, counts: Shape, dtype: Dtype
) -> Iterator[tuple[slice, Value]]:
    """The taps of some examples at a time: (examples, groups, c / groups * taps, windows)."""
    view = sliding(padded(x, windows.padding), windows, counts)
    for block, taps in copied(view, dtype):
        yield block, taps.reshape(len(taps), groups, -1, math.prod(counts))


def spread_out(windows: Windows, out: Value, wide: Value) -> tuple[Value, list[Value]]:
    """Cotangents of windows as rows (examples, channels, n), and for each tap what of the padded
    input `wide` is met by them.

    Where windows are neighbours, cotangents lie in rows as wide as those of `wide`, with zeros at
    their ends: then what they meet is one run of its memory.
    """
    counts, sizes = out.shape[2:], wide.shape[2:]
    taps = list(np.ndindex(*windows.length))
    if any(s > 1 for s in windows.stride):
        places = [
            tuple(
                slice(k * d, k * d + (p - 1) * s + 1, s)
                for k, d, p, s in zip(tap, windows.dilation, counts, windows.stride, strict=True)
            )
            for tap in taps
        ]
        views = [wide[(slice(None), slice(None), *place)] for place in places]
        return np.ascontiguousarray(out).reshape(*out.shape[:2], -1), views
    steps = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
    span = sum((p - 1) * step for p, step in zip(counts, steps, strict=True)) + 1
    rows = np.zeros((*out.shape[:2], *sizes), wide.dtype)
    rows[inside(counts, ((0, 0),) * len(counts))] = out
    starts = [
        sum(k * d * step for k, d, step in zip(tap, windows.dilation, steps, strict=True))
        for tap in taps
    ]
    flat = wide.reshape(*wide.shape[:2], -1)
    views = [flat[:, :, first : first + span] for first in starts]
    return rows.reshape(*rows.shape[:2], -1)[:, :, :span], views
