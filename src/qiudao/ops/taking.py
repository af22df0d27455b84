"""NumPy's functions that read elements by index: take, compress, delete, insert and their kin.

The positions are computed with NumPy, and the elements are read once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import concrete, implements
from ..core.errors import ShapeError
from .faces import array, delivered, from_end, holds_tracer, known, whole, with_axis
from .indexing import TakeAlong, getitem
from .shaping import astype, broadcast_to, concatenate, made_anew, moveaxis, ravel, reshape, slices


def bounded(indices: Value, n: int, mode: str) -> Value:
    """Indices into `n` places, those outside treated as `mode` says."""
    if mode == "raise":
        return indices
    if mode == "wrap":
        return indices - n * np.floor_divide(indices, n)
    if mode == "clip":
        return np.minimum(np.maximum(indices, 0), n - 1)
    raise ValueError(f"take: mode={mode!r}; choose 'raise', 'wrap' or 'clip'")


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Value, ...]:
    """Positions in the flat array as one index array for each axis."""
    sizes = tuple(map(whole, shape)) if isinstance(shape, tuple | list) else (whole(shape),)
    return unravel(array(indices), sizes, order)


def unravel(numbers: Value, shape: tuple[int, ...], order: str = "C") -> tuple[Value, ...]:
    """Positions in the flat array, from either end, as one index array for each axis."""
    size = math.prod(shape)
    plain = known(numbers)
    if plain is not None and np.any((plain < -size) | (plain >= size)):
        raise IndexError(
            f"unravel_index: an index is out of bounds for an array of {size} elements; "
            f"indices go from {-size} to {size - 1}"
        )
    rest = np.where(numbers < 0, numbers + size, numbers)
    found = []
    for n in reversed(shape) if order == "C" else shape:
        above = np.floor_divide(rest, max(n, 1))
        found.append(rest - n * above)
        rest = above
    return tuple(reversed(found)) if order == "C" else tuple(found)


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Value:
    """The positions in the flat array that index arrays, one for each axis, name together."""
    sizes = [whole(n) for n in dims]
    modes = list(mode) if isinstance(mode, tuple | list) else [mode] * len(sizes)
    parts = [bounded(array(i), n, m) for i, n, m in zip(multi_index, sizes, modes, strict=True)]
    pairs = list(zip(parts, sizes, strict=True))
    total: Value = 0
    for part, n in pairs if order == "C" else reversed(pairs):
        total = total * n + part
    return total


def picked(x: Value, positions: Value, axis: int) -> Value:
    """The elements of `x` at `positions` along an axis counted from the end."""
    return getitem(x, (*slices(np.ndim(x), axis, slice(None))[:-1], positions))


@implements(np.take)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Value:
    """The elements at `indices` along `axis`; of the flat array when that is None."""
    x = with_axis(array(a)) if axis is not None else ravel(a)
    at = from_end(-1 if axis is None else axis, x.ndim, "take")
    positions = bounded(array(indices), x.shape[at], mode)
    return delivered("take", made_anew(picked(x, positions, at)), out)


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Value:
    """The elements that `indices` names along one axis, lane by lane."""
    x, index = array(arr), array(indices)
    if axis is None:
        x, axis = ravel(x), 0
    if x.ndim != index.ndim:
        raise ShapeError(
            f"take_along_axis: the array has {x.ndim} axes and the indices {index.ndim}; "
            "both must have as many"
        )
    return TakeAlong(from_end(axis, x.ndim, "take_along_axis"))(x, index)


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Value:
    """The slices of `a` along `axis` for which `condition` holds."""
    keep = concrete(array(condition))
    if keep.ndim != 1:
        raise ShapeError(f"compress: the condition has {keep.ndim} axes; it must have one")
    return take(a, np.flatnonzero(keep), axis, out)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Value:
    """The elements of the flat array for which `condition` holds."""
    return take(arr, np.flatnonzero(concrete(array(condition))))


@implements(np.nonzero)
def nonzero(a: Any) -> tuple[Value, ...]:
    """Where the elements are not zero, as one index array for each axis."""
    return np.nonzero(concrete(array(a)))


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Value:
    """Where the elements of the flat array are not zero."""
    return np.flatnonzero(concrete(array(a)))


@implements(np.argwhere)
def argwhere(a: Any) -> Value:
    """Where the elements are not zero, a row for each."""
    return np.argwhere(concrete(array(a)))


@implements(np.ix_)
def ix_(*args: Any) -> tuple[Value, ...]:
    """Index arrays that span a grid; a mask stands for the places where it holds."""
    grid = []
    for k, arg in enumerate(args):
        index = array(arg)
        if index.ndim != 1:
            raise ValueError(f"ix_: argument {k} has {index.ndim} axes; each must have one")
        if index.dtype == np.bool_:
            index = np.flatnonzero(concrete(index))
        grid.append(reshape(index, tuple(-1 if j == k else 1 for j in range(len(args)))))
    return tuple(grid)


def one_axis(arr: Any, axis: Any, name: str) -> tuple[Value, int]:
    """An array and an axis of it from the end; flattened first when `axis` is None."""
    x = array(arr)
    if axis is None:
        return (x, -1) if x.ndim == 1 else (ravel(x), -1)
    return x, from_end(axis, x.ndim, name)


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Value:
    """`arr` without the slices that `obj` (an index, a mask or a slice) names along `axis`."""
    x, at = one_axis(arr, axis, "delete")
    gone = concrete(array(obj)) if holds_tracer(obj) else obj
    return picked(x, np.delete(np.arange(x.shape[at]), gone), at)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Value:
    """`arr` with `values` put in before the places that `obj` names along `axis`."""
    x, at = one_axis(arr, axis, "insert")
    n = x.shape[at]
    before = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(concrete(array(obj)))
    if before.dtype == np.bool_:
        before = np.flatnonzero(before)
    new = array(values)
    count = before.size
    if count == 1:  # all of `values` goes to the one place
        new = reshape(new, (1,) * (x.ndim - new.ndim) + tuple(new.shape))
        new = moveaxis(new, 0, at) if before.ndim == 0 else new
        count = new.shape[at]
        before = before.reshape(-1)[0]
    shape = list(x.shape)
    shape[at] = count
    new = astype(broadcast_to(new, tuple(shape)), x.dtype)
    positions = np.insert(np.arange(n), before.astype(np.intp), n + np.arange(count))
    return picked(concatenate([x, new], at), positions, at)


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Value:
    """The elements of `a`, repeated as needed, under a new shape."""
    x = ravel(a)
    shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    size = math.prod(map(whole, shape))
    if size < 0 or min(shape, default=0) < 0:
        raise ValueError(f"resize: the shape {shape} has a negative size; sizes must be positive")
    if not x.size or not size:
        return np.zeros_like(x, shape=shape)
    if size == x.size:
        return made_anew(reshape(x, shape), a)
    return reshape(picked(x, np.arange(size) % x.size, -1), shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Value:
    """`filt` without the zeros at its front ("f") and back ("b") along each axis."""
    x = array(filt)
    if trim.lower() not in ("f", "b", "fb", "bf"):
        raise ValueError(f"trim_zeros: trim={trim!r}; choose 'f', 'b' or 'fb'")
    axes = range(x.ndim) if axis is None else [
        from_end(k, x.ndim, "trim_zeros") + x.ndim for k in np.atleast_1d(axis)
    ]  # fmt: skip
    if not x.ndim:
        return x
    index = [slice(None)] * x.ndim
    for places, k in zip(nonzero(x), range(x.ndim), strict=True):
        if k in axes and not places.size:
            index[k] = slice(0, 0)
        elif k in axes:
            start = int(places.min()) if "f" in trim.lower() else None
            stop = int(places.max()) + 1 if "b" in trim.lower() else None
            index[k] = slice(start, stop)
    return x[tuple(index)]
