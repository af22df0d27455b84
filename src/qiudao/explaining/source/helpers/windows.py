"""Helpers over windows that move along the last axes of an array."""

from __future__ import annotations

from typing import Any

import numpy as np


def taps_inside(
    length: Any, stride: Any, padding: Any, dilation: Any, sizes: Any, counts: Any
) -> Any:
    """For each element of a window: the windows that have it inside, and where it is there."""
    for tap in np.ndindex(*length):
        at, read = [], []
        for k, s, (before, _), d, n, p in zip(tap, stride, padding, dilation, sizes, counts):
            first = max(-((k * d - before) // s), 0)
            stop = max(min((n - 1 - k * d + before) // s + 1, p), first)
            start = first * s + k * d - before
            at.append(slice(first, stop))
            end = start + (stop - first - 1) * s + 1
            read.append(slice(start, end, s) if stop > first else slice(0))
        yield tap, (..., *at), (..., *read)


def windows_of(x: Any, length: Any, stride: Any, padding: Any, dilation: Any, counts: Any) -> Any:
    """The elements of all windows, and 0 outside: (*lead, *length, *counts)."""
    n = len(counts)
    out = np.zeros((*x.shape[:-n], *length, *counts), x.dtype)
    sizes = x.shape[-n:]
    for tap, at, read in taps_inside(length, stride, padding, dilation, sizes, counts):
        target: Any = (..., *tap, *(slice(None),) * n)
        out[target][at] = x[read]
    return out


def convolved(
    x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: Any, counts: Any
) -> Any:
    """Out[n, o, p] = sum over c, k of x[n, c, p stride + k dilation - before] kernel[o, c, k]."""
    n, o = len(x), len(kernel)
    taps = windows_of(x, kernel.shape[2:], stride, padding, dilation, counts)
    taps = taps.reshape(n, groups, x.shape[1] // groups, kernel[0, 0].size, np.prod(counts))
    rows = kernel.reshape(groups, o // groups, kernel.shape[1], kernel[0, 0].size)
    return np.einsum("ngckp,gock->ngop", taps, rows).reshape(n, o, *counts)


def convolved_back(
    out: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: Any, sizes: Any
) -> Any:
    """The cotangent of x in `convolved`, of the given sizes, from that of its result."""
    n, length, counts = len(out), kernel.shape[2:], out.shape[2:]
    rows = kernel.reshape(groups, len(kernel) // groups, kernel.shape[1], kernel[0, 0].size)
    flat = out.reshape(n, groups, len(kernel) // groups, np.prod(counts))
    taps = np.einsum("ngop,gock->ngckp", flat, rows)
    channels = groups * kernel.shape[1]
    taps = taps.reshape(n, channels, *length, *counts)
    x = np.zeros((n, channels, *sizes), taps.dtype)
    for tap, at, read in taps_inside(length, stride, padding, dilation, sizes, counts):
        x[read] += taps[(slice(None), slice(None), *tap)][at]
    return x


def convolved_kernel(
    x: Any, out: Any, stride: Any, padding: Any, dilation: Any, groups: Any, length: Any
) -> Any:
    """The cotangent of the kernel in `convolved`, from that of its result."""
    n, counts, size = len(x), out.shape[2:], np.prod(length)
    taps = windows_of(x, length, stride, padding, dilation, counts)
    taps = taps.reshape(n, groups, x.shape[1] // groups, size, np.prod(counts))
    flat = out.reshape(n, groups, out.shape[1] // groups, np.prod(counts))
    kernel = np.einsum("ngckp,ngop->gock", taps, flat)
    return kernel.reshape(out.shape[1], x.shape[1] // groups, *length)


def max_pool(x: Any, length: Any, stride: Any, padding: Any, dilation: Any, counts: Any) -> Any:
    """The largest element of each window."""
    n = len(counts)
    least = -np.inf if x.dtype.kind in "fc" else np.iinfo(x.dtype).min
    out = np.full((*x.shape[:-n], *counts), least, x.dtype)
    for _, at, read in taps_inside(length, stride, padding, dilation, x.shape[-n:], counts):
        out[at] = np.maximum(out[at], x[read])
    return out


def shares_of_largest(
    x: Any, top: Any, length: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """1 over how many elements of each window are its largest; NaN where that is NaN."""
    n = len(length)
    count = np.zeros(top.shape)
    for _, at, read in taps_inside(length, stride, padding, dilation, x.shape[-n:], top.shape[-n:]):
        count[at] += x[read] == top[at]
    return np.where(top == top, 1 / np.maximum(count, 1), np.nan)


def mean_of_largest(
    x: Any, top: Any, dx: Any, length: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """The mean of `dx` over the elements of each window that are its largest."""
    n = len(length)
    total = np.zeros(top.shape, dx.dtype)
    for _, at, read in taps_inside(length, stride, padding, dilation, x.shape[-n:], top.shape[-n:]):
        total[at] += np.where(x[read] == top[at], dx[read], 0)
    return (total * shares_of_largest(x, top, length, stride, padding, dilation)).astype(dx.dtype)


def spread_to_largest(
    x: Any, top: Any, ct: Any, length: Any, stride: Any, padding: Any, dilation: Any
) -> Any:
    """What is given to each window, in equal shares to the elements that are its largest."""
    n = len(length)
    given = (ct * shares_of_largest(x, top, length, stride, padding, dilation)).astype(ct.dtype)
    out = np.zeros(x.shape, ct.dtype)
    for _, at, read in taps_inside(length, stride, padding, dilation, x.shape[-n:], top.shape[-n:]):
        out[read] += np.where((x[read] == top[at]) | (top[at] != top[at]), given[at], 0)
    return out


def sum_of_windows(
    x: Any, length: Any, stride: Any, padding: Any, dilation: Any, counts: Any
) -> Any:
    """The sum of each window."""
    n = len(counts)
    out = np.zeros((*x.shape[:-n], *counts), x.dtype)
    for _, at, read in taps_inside(length, stride, padding, dilation, x.shape[-n:], counts):
        out[at] += x[read]
    return out


def spread_to_windows(
    v: Any, length: Any, stride: Any, padding: Any, dilation: Any, sizes: Any
) -> Any:
    """Each element added to all places of its window, in an array of these sizes."""
    n = len(sizes)
    out = np.zeros((*v.shape[:-n], *sizes), v.dtype)
    for _, at, read in taps_inside(length, stride, padding, dilation, sizes, v.shape[-n:]):
        out[read] += v[at]
    return out
