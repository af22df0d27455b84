"""Convolutions with the channels along the last axis: for short rows of many channels.

Taps are copied in runs of memory.  Where channels come before space, a run is a row of windows;
where they come last, it is the channels of the taps along that row.  Results stay so in memory, the
channels of a place side by side, and what is computed from them element by element does too: then
the next convolution or pool reads in runs as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...core.avals import Dtype, Shape, Value
from .gathering import copied
from .windows import Windows, inside, sliding

SHORT = 16  # windows in a row; longer rows are copied as quickly as channels (measured)


def are_short(counts: Shape, channels: int, groups: int) -> bool:
    """Whether rows of windows are so short, and channels so many, that these do better last."""
    return groups == 1 and counts[-1] <= SHORT and counts[-1] <= channels


def convolved(x: Value, kernel: Value, windows: Windows, counts: Shape, dtype: Dtype) -> Value:
    """The convolution of `x` (n, c, *sizes) with a kernel (o, c, *length): (n, o, *counts)."""
    weights = matrix(kernel).astype(dtype, copy=False).T
    out = np.empty((len(x), *counts, len(kernel)), dtype)
    for block, taps in gathered(x, windows, counts, dtype):
        np.matmul(taps, weights, out=out[block].reshape(-1, len(kernel)))
    return np.moveaxis(out, -1, 1)


def by_kernel(x: Value, out: Value, windows: Windows, dtype: Dtype) -> Value:
    """What each element of the kernel meets, from the input and the result's: (o, c, *length)."""
    counts = out.shape[2:]
    given = np.moveaxis(out, 1, -1).astype(dtype, order="C", copy=False)
    total: Value = 0
    for block, taps in gathered(x, windows, counts, dtype):
        total = total + given[block].reshape(-1, out.shape[1]).T @ taps
    return np.moveaxis(total.reshape(-1, *windows.length, x.shape[1]), -1, 1)


def matrix(kernel: Value) -> Value:
    """A kernel as rows (o, taps * c)."""
    return np.ascontiguousarray(np.moveaxis(kernel, 1, -1)).reshape(len(kernel), -1)


def gathered(
    x: Value, windows: Windows, counts: Shape, dtype: Dtype
) -> Iterator[tuple[slice, Value]]:
    """The taps of some examples at a time, a row a window: (examples * windows, taps * c)."""
    count = len(counts)
    sizes = tuple(n + a + b for n, (a, b) in zip(x.shape[2:], windows.padding, strict=True))
    wide = np.moveaxis(np.zeros((len(x), *sizes, x.shape[1]), x.dtype), -1, 1)
    wide[inside(x.shape[2:], windows.padding)] = x
    view = sliding(wide, windows, counts)  # (n, c, *length, *counts)
    view = view.transpose(0, *range(2 + count, 2 + 2 * count), *range(2, 2 + count), 1)
    for block, taps in copied(view, dtype):
        yield block, taps.reshape(-1, math.prod(windows.length) * x.shape[1])
