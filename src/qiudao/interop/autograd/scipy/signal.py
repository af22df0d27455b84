"""`autograd.scipy.signal`: convolution along chosen axes, contraction along others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.signal as plain

from ....core.errors import ShapeError


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """Convolution of `A` and `B` along pairs of axes, with sums of products along other pairs.

    `axes` and `dot_axes` are each (axes of A, axes of B); None convolves along all.  The axes of
    the result are: those of A that are in neither, those of B, then the convolved ones.  Along
    those, y[n] = sum over k of A[k] B[n - k], whole ("full"), of the length of A around the
    middle ("same"), or where the shorter lies within the longer ("valid").

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.scipy.signal import convolve
    >>> convolve(np.array([1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    array([1., 3., 3., 2.])
    >>> grad(lambda a: convolve(a, np.array([1.0, 5.0]))[1])(np.array([1.0, 2.0]))
    array([5., 1.])
    """
    if mode not in ("valid", "full", "same"):
        raise ValueError(f"convolve: mode={mode!r} must be 'valid', 'full' or 'same'")
    every = tuple(range(np.ndim(A)))
    conv_a, conv_b = [tuple(each) for each in ((every, every) if axes is None else axes)]
    dot_a, dot_b = [tuple(each) for each in dot_axes]
    a = arranged(A, conv_a, dot_a)
    b = arranged(B, conv_b, dot_b)
    lengths = [(A.shape[i], B.shape[j]) for i, j in zip(conv_a, conv_b, strict=True)]
    ranges = [span(m, n, mode) for m, n in lengths]
    larger_a, larger_b = (all(m >= n for m, n in lengths), all(m <= n for m, n in lengths))
    if mode == "valid" and not (larger_a or larger_b):
        raise ShapeError(
            f"convolve: with mode='valid' one array must be at least as long along all axes, and "
            f"the lengths are {lengths}; use mode='full'"
        )
    filter_is_a = np.size(A) <= np.size(B)
    d, c = len(dot_a), len(conv_a)
    if filter_is_a:
        slid = windows(b, [m for m, _ in lengths], ranges)
    else:
        slid = windows(a, [n for _, n in lengths], ranges)
    fixed = a if filter_is_a else b
    # Axes now: kept, dot, filter positions; and of the slid one: kept, dot, places, positions.
    kept_fixed = fixed.ndim - d - c
    kept_slid = slid.ndim - d - 2 * c
    over_fixed = [*range(kept_fixed, fixed.ndim)]
    over_slid = [*range(kept_slid, kept_slid + d), *range(kept_slid + d + c, slid.ndim)]
    y = np.tensordot(fixed, slid, axes=(over_fixed, over_slid))
    if filter_is_a:
        return y
    order = [
        *range(kept_fixed, kept_fixed + kept_slid),
        *range(kept_fixed),
        *range(kept_fixed + kept_slid, y.ndim),
    ]
    return np.transpose(y, order)


def arranged(X: Any, conv: Sequence[int], dot: Sequence[int]) -> Any:
    """The array with the contracted axes, then the convolved ones, last."""
    used = {*(k % X.ndim for k in conv), *(k % X.ndim for k in dot)}
    return np.transpose(X, [*(k for k in range(X.ndim) if k not in used), *dot, *conv])


def span(m: int, n: int, mode: str) -> tuple[int, int]:
    """Which places of the whole convolution of lengths m and n a mode keeps."""
    if mode == "full":
        return 0, m + n - 1
    if mode == "same":
        return (n - 1) // 2, (n - 1) // 2 + m
    return min(m, n) - 1, max(m, n)


def windows(x: Any, sizes: Sequence[int], ranges: Sequence[tuple[int, int]]) -> Any:
    """What a filter of these sizes meets at each place: the last axes become places, positions."""
    first = x.ndim - len(sizes)
    for size, (start, stop) in zip(sizes, ranges):
        before, after = max(0, size - 1 - start), max(0, stop - x.shape[first])
        if before or after:
            width = [(0, 0)] * x.ndim
            width[first] = (before, after)
            x = np.pad(x, width)
        index = before + start + np.arange(stop - start)[:, None] - np.arange(size)
        x = np.moveaxis(np.take(x, index, axis=first), (first, first + 1), (-2, -1))
    order = [*range(first), *range(first, x.ndim, 2), *range(first + 1, x.ndim, 2)]
    return np.transpose(x, order)


__all__ = sorted(set(plain.__all__))


def __getattr__(name: str) -> Any:
    """A name of SciPy's."""
    return getattr(plain, name)
