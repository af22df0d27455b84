"""NumPy's functions that do not dispatch on what they are given, and classes of its scalars."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.dispatch import Tracer, overrides
from ...ops.windows import as_strided
from ..capture.writes import stack
from .standing import guarded, holds_tracer, may_carry, standing, stands_for


def as_dtype(x: Any, dtype: Any) -> Any:
    """A tracer in another dtype."""
    return x if dtype is None else overrides[np.ndarray.astype](x, dtype)


def from_lists(copies: bool) -> Callable[..., Any]:
    """`np.array` or `np.asarray` of nested lists with tracers in them, or of a tracer."""

    def made(data: Any, dtype: Any = None, *, ndmin: int = 0, **_: Any) -> Any:
        if isinstance(data, Tracer):
            found: Any = overrides[np.copy](data) if copies else data
        else:
            found = stack(listed(data))
        if dtype in (object, "O"):
            dtype = None  # there are no tensors of objects
        while found.ndim < ndmin:
            found = found[np.newaxis]
        return as_dtype(found, dtype)

    return made


def listed(data: Any) -> Any:
    """Nested lists of what is given: an array of objects is one."""
    return data.tolist() if isinstance(data, np.ndarray) and data.dtype == object else data


stands_for(np.array)(from_lists(copies=True))
stands_for(np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray,
           np.asarray_chkfinite)(from_lists(copies=False))  # fmt: skip


@stands_for(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
    """`np.full(shape, t)`."""
    value = stack(fill_value) if isinstance(fill_value, list | tuple) else fill_value
    return as_dtype(np.copy(np.broadcast_to(value, shape)), dtype)


@stands_for(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, **_: Any) -> Any:
    """`np.full_like(a, t)`, in the dtype of `a`."""
    return full(np.shape(a) if shape is None else shape, fill_value, dtype or a.dtype)


def fromiter(values: Any, dtype: Any, count: int = -1, **options: Any) -> Any:
    """`np.fromiter(values, dtype)`, which only shows what it holds when it is gone through."""
    found = list(values if count < 0 else itertools.islice(values, count))
    if not holds_tracer(found):
        return np.fromiter(found, dtype, **options)
    return as_dtype(stack(found), dtype)


standing[id(np.fromiter)] = fromiter


def apply_along_axis(f: Any, axis: int, a: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.apply_along_axis(f, axis, a)`."""
    moved = np.moveaxis(a, axis, -1)
    around = moved.shape[:-1]
    rows = np.reshape(moved, (-1, moved.shape[-1]))
    found = stack([f(row, *args, **kwargs) for row in rows])
    inner = found.ndim - 1
    shaped = np.reshape(found, around + found.shape[1:])
    place = axis if axis >= 0 else axis + moved.ndim
    return np.moveaxis(shaped, tuple(range(-inner, 0)), tuple(range(place, place + inner)))


stands_for(np.lib.stride_tricks.as_strided)(as_strided)


def number_of(kind: type) -> None:
    """A class of NumPy's numbers, called on a tracer."""
    stands_for(kind)(lambda x=0: as_dtype(x if isinstance(x, Tracer) else stack(x), kind))


for _kind in (np.float64, np.float32, np.complex128, np.complex64):
    number_of(_kind)


class Vectorized(np.vectorize):
    """`np.vectorize(f)` that calls `f` on each element, tracers included."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not any(map(holds_tracer, (*args, *kwargs.values()))) or self.signature is not None:
            return super().__call__(*args, **kwargs)
        names = list(kwargs)
        fixed = set(self.excluded)
        moving = [k for k in range(len(args)) if k not in fixed]
        named = [n for n in names if n not in fixed]
        arrays = np.broadcast_arrays(
            *(as_array(args[k]) for k in moving), *(as_array(kwargs[n]) for n in named)
        )
        shape = arrays[0].shape
        flat = [np.reshape(a, -1) for a in arrays]
        found = []
        for i in range(flat[0].shape[0]):
            given = list(args)
            options = dict(kwargs)
            for a, k in zip(flat, moving, strict=False):
                given[k] = a[i]
            for a, n in zip(flat[len(moving) :], named, strict=True):
                options[n] = a[i]
            found.append(self.pyfunc(*given, **options))
        if isinstance(found[0], tuple):
            return tuple(np.reshape(stack(list(c)), shape) for c in zip(*found, strict=True))
        return np.reshape(stack(found), shape)


def as_array(x: Any) -> Any:
    """An argument as what can be broadcast."""
    return stack(x) if isinstance(x, list | tuple) else x


def vectorize(f: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.vectorize` in a lifted function; of what is not a function yet, a decorator."""
    return Vectorized(f, *args, **kwargs) if callable(f) else functools.partial(Vectorized, *args)


standing[id(np.vectorize)] = vectorize


def frompyfunc(f: Any, nin: int, nout: int, **options: Any) -> Any:
    """`np.frompyfunc(f, nin, nout)`, called on each element, tracers included."""
    plain, each = np.frompyfunc(f, nin, nout, **options), Vectorized(f)

    def called(*args: Any, **kwargs: Any) -> Any:
        return each(*args) if any(map(holds_tracer, args)) else plain(*args, **kwargs)

    return called


standing[id(np.frompyfunc)] = frompyfunc
standing[id(np.apply_along_axis)] = guarded(np.apply_along_axis, apply_along_axis, may_carry)
