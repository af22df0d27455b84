"""Helpers over elements, indices and lanes."""

from __future__ import annotations

from typing import Any

import numpy as np


def scale(dx: Any, slope: Any) -> Any:
    """`dx * slope`, and 0 where dx is 0, whatever the slope."""
    return np.where(dx == 0, 0 * dx, dx * slope)


def logistic(x: Any) -> Any:
    """1 / (1 + e^-x), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def logistic_density(x: Any) -> Any:
    """e^-x / (1 + e^-x)^2, without overflow."""
    small = np.exp(-np.abs(x))
    return small / (1.0 + small) ** 2


def place(v: Any, index: Any, shape: Any) -> Any:
    """Zeros with `v` at an index."""
    out = np.zeros(shape, np.result_type(v))
    out[index] = v
    return out


def add_at(index: Any, v: Any, shape: Any) -> Any:
    """Zeros with `v` added at an index; repeats add up."""
    out = np.zeros(shape, np.result_type(v))
    np.add.at(out, index, v)
    return out


def add_along(index: Any, v: Any, axis: Any, count: Any) -> Any:
    """Zeros, `count` along an axis, with `v` added at `index` along it; repeats add up."""
    v = np.moveaxis(v, axis, -1)
    index = np.broadcast_to(np.moveaxis(index, axis, -1), v.shape)
    out = np.zeros((*v.shape[:-1], count), v.dtype)
    lanes = np.indices(v.shape, sparse=True)[:-1]
    np.add.at(out, (*lanes, index), v)
    return np.moveaxis(out, -1, axis)


def replace(x: Any, index: Any, v: Any) -> Any:
    """A copy of `x` with `v` at an index."""
    out = np.array(x)
    out[index] = v
    return out


def survivors(arrays: Any, shape: Any) -> Any:
    """Which elements of a write through index arrays stay: those that no later one covers."""
    arrays = np.broadcast_arrays(*arrays)
    order = np.arange(arrays[0].size).reshape(arrays[0].shape)
    last = np.zeros(shape, np.intp)
    last[tuple(arrays)] = order
    return last[tuple(arrays)] == order


def powers(a: Any, *rest: Any) -> Any:
    """The largest exponent m along axes, e^(a - m), and b e^(a - m) for operands a, b."""
    *weights, axes = rest
    size = np.real(a)
    for b in weights:
        size = np.where(b != 0, size, -np.inf)
    top = np.max(size, axis=axes, keepdims=True, initial=-np.inf)
    endless = np.isinf(top)
    e = np.where(endless, size == top, np.exp(a - np.where(endless, 0, top)))
    terms = e
    for b in weights:
        terms = np.where(b == 0, 0.0, b * e)
    return top, e, terms


def logsumexp(*operands: Any, keepdims: Any = False, absolute: Any = False) -> Any:
    """The log of sum e^a along axes, of |sum b e^a| for operands a, b; axes come last."""
    *values, axes = operands
    top, e, terms = powers(*values, axes)
    total = np.sum(terms, axis=axes, keepdims=True)
    out = np.log(total if np.iscomplexobj(total) else np.abs(total))
    if not np.iscomplexobj(total):
        first = (e == 1) & (terms != 0)
        main = np.sum(np.where(first, terms, 0.0), axis=axes, keepdims=True)
        ratio = np.sum(np.where(first, 0.0, terms), axis=axes, keepdims=True) / main
        near = np.log1p(ratio) + np.log(np.abs(main))  # keeps the digits near 0
        out = np.where(np.isfinite(ratio) & np.isfinite(near), near, out)
        if len(values) > 1 and not absolute:
            out = np.where(total < 0, np.nan, out)
    out = (out + top).astype(np.result_type(*values))
    return out if keepdims else np.squeeze(out, axes)[()]


def softmax(*operands: Any) -> Any:
    """e^a / sum e^a along axes, or e^a / sum b e^a for operands a, b; axes come last."""
    *values, axes = operands
    _, e, terms = powers(*values, axes)
    return (e / np.sum(terms, axis=axes, keepdims=True)).astype(np.result_type(*values))


def runs(x: Any, axis: Any = -1) -> Any:
    """The number of the run of equal neighbours along an axis that each element is in."""
    x = np.moveaxis(x, axis, -1)
    starts = np.zeros(x.shape, bool)
    starts[..., 1:] = x[..., 1:] != x[..., :-1]
    return np.moveaxis(np.cumsum(starts, axis=-1), -1, axis)


def mean_of_runs(v: Any, runs: Any, axis: Any = -1) -> Any:
    """The mean over each run along an axis, at each place of the run."""
    v, runs = np.moveaxis(v, axis, -1), np.moveaxis(runs, axis, -1)
    runs = np.cumsum(np.diff(runs, axis=-1, prepend=runs[..., :1]) != 0, axis=-1)
    same = runs[..., None, :] == runs[..., :, None]
    means = np.sum(np.where(same, v[..., None, :], 0), axis=-1) / np.sum(same, axis=-1)
    return np.moveaxis(means.astype(v.dtype), -1, axis)


def search_lanes(lanes: Any, sought: Any, side: Any) -> Any:
    """How many elements of each sorted lane lie before each of the values sought in it."""
    before = np.less if side == "left" else np.less_equal
    return np.sum(before(lanes[..., None, :], sought[..., :, None]), axis=-1)


def segments(x: Any, knots: Any, side: Any, lead: Any) -> Any:
    """The segment of the knots that each value is in, row by row of `lead` axes."""
    out = np.empty(x.shape, np.intp)
    for k in np.ndindex(x.shape[:lead]):
        out[k] = np.searchsorted(knots[k], x[k], side) - 1
    return out


def interp_rows(x: Any, xp: Any, fp: Any, lead: Any) -> Any:
    """`np.interp`, row by row of `lead` axes."""
    out = np.empty(x.shape, np.result_type(fp, np.float64))
    for k in np.ndindex(x.shape[:lead]):
        out[k] = np.interp(x[k], xp[k], fp[k])
    return out


def recurrence(a: Any, b: Any, axis: Any, reverse: Any = False) -> Any:
    """The t with t[k] = a[k] t[k - 1] + b[k] along an axis; `reverse`: from the far end."""
    dtype = np.result_type(a, b)
    a, t = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0).astype(dtype)
    if reverse:
        a, t = a[::-1], t[::-1].copy()
    for k in range(1, len(t)):
        t[k] += a[k] * t[k - 1]
    return np.moveaxis(t[::-1] if reverse else t, 0, axis)


def convolution(a: Any, b: Any, starts: Any, sizes: Any) -> Any:
    """A window of the full convolution over the last axes; zero outside it."""
    n = len(sizes)
    if np.prod(a.shape[-n:]) < np.prod(b.shape[-n:]):
        a, b = b, a
    lead = np.broadcast_shapes(a.shape[:-n], b.shape[:-n])
    out = np.zeros((*lead, *sizes), np.result_type(a, b))
    for tap in np.ndindex(*b.shape[-n:]):
        reads, writes = [], []
        for j, start, size, length in zip(tap, starts, sizes, a.shape[-n:]):
            low, high = max(0, j - start), min(size, length + j - start)
            writes.append(slice(low, max(low, high)))
            reads.append(slice(low + start - j, max(low, high) + start - j))
        weight = b[(..., *tap)][(..., *(None,) * n)]
        target: Any = (..., *writes)
        out[target] += weight * a[(..., *reads)]
    return out


def padded(rows: Any, shape: Any, dtype: Any) -> Any:
    """Rows as an array of a given shape, with zeros after the last."""
    out = np.zeros(shape, dtype)
    for k, row in enumerate(rows):
        out[k] = row
    return out
