"""Writing elements by index: `x[index] = v`, `np.add.at`, `np.put` and their kin.

A write makes a new value; the tensor written to moves on to it, and whoever read the old value
keeps it.  So `x[i] += v` is a read, a sum and a write, and a repeated index behaves as in NumPy:
the last value stays.  `np.add.at(x, i, v)` adds up instead.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, is_inexact
from ..core.dispatch import Tracer, concrete, implements, implements_method
from ..core.errors import DetachError, DtypeError
from ..core.families import Linear, Opaque, stretch
from ..core.primitive import primitive
from ..core.samples import sample
from ..core.sweep import fit
from .faces import array, from_end, operand
from .indexing import (
    Gather,
    Index,
    ScatterAdd,
    axes_before,
    basic_index,
    batch_index,
    dummy,
    fancy_index,
    fill,
    getitem,
    hash_of_index,
    lead_axes,
    number,
)
from .taking import bounded, unravel


@primitive
class SetItem(Linear):
    """`x` with `x[index] = v`, for a basic index; linear in x and v together."""

    is_selection = True
    index: Index = ()
    linear = (0, 1)
    samples = (
        sample("f64[3,4]", "f64[2,2]", index=(slice(1, None), slice(None, None, 2))),
        sample("f64[3,4]", "f64[4]", index=(slice(None, 2),)),
        sample("f64[4]", "f64[]", index=(2,)),
        sample("c128[4]", "f64[2]", index=(slice(2),)),
    )
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        x, v = avals
        region = dummy(x)[self.index].shape
        extra = max(len(v.shape) - len(region), 0)  # unit axes, which NumPy lets be too many
        given = dummy(v) if any(n != 1 for n in v.shape[:extra]) else dummy(v)[(0,) * extra]
        np.broadcast_to(given, region)  # or NumPy says what does not fit
        return Aval(x.shape, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, v = xs
        out = np.array(x)
        out[self.index] = v
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        if i == 1:
            return fit(ct[self.index], xs[1])  # its shape may be that of the result, and stretched
        return SetItem(self.index)(ct, np.zeros((), ct.dtype))

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        x, v = xs
        x = x if mapped[0] else stretch(x, size)
        index = (slice(None), *self.index)
        if mapped[1]:
            v = lead_axes(v, dummy(aval_of(x))[index].ndim - 1)
        return SetItem(index)(x, v)


@primitive
class Put(Linear):
    """`x` with `x[index] = v`, the index with arrays after `v`; linear in x and v together.

    Where an index repeats, the last value stays, as in NumPy; only that one gets a gradient.
    """

    is_selection = True
    pattern: Index = (0,)
    holes: tuple[int, ...] = (0,)
    linear = (0, 1)
    samples = (
        sample("f64[3,4]", "f64[2,4]", "i64[2]", kind="index"),
        sample("f64[3,4]", "f64[4]", "i64[2]", kind="index"),
        sample("f64[3,4]", "f64[5]", "i64[5]", "i64[5]", pattern=(0, 0), holes=(0, 1),
               kind="index"),
        sample("f64[3,4,5]", "f64[3,2]", "i64[2]", pattern=(slice(None), 1, 0), holes=(2,),
               kind="index"),
        sample("f64[3,4,5]", "f64[4]", "i64[2]", pattern=(1, slice(None), 0), holes=(2,),
               kind="index"),
        sample("f64[4]", "f64[]", "i64[]", kind="index"),
    )  # fmt: skip
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, v, *arrays = xs
        out = np.array(x)
        rows = [np.array(a, order="C") for a in arrays]  # NumPy walks reversed arrays backwards
        out[fill(self.pattern, self.holes, rows)] = np.array(v, order="C")
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        arrays = xs[2:]
        if i == 0:
            return Put(self.pattern, self.holes)(ct, np.zeros((), ct.dtype), *arrays)
        read = Gather(self.pattern, self.holes)(ct, *arrays)
        stays = Survivors(self.dims(xs[0].shape))(*arrays)
        after = np.ndim(read) - np.ndim(stays) - (axes_before(self.pattern) or 0)
        lasting = np.where(np.reshape(stays, np.shape(stays) + (1,) * after), read, 0.0)
        return fit(lasting, xs[1])

    def dims(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The lengths of the axes that the arrays index."""
        axes = [sum(isinstance(p, int | slice) for p in self.pattern[:h]) for h in self.holes]
        return tuple(shape[k] for k in axes)

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        x, v, *arrays = xs
        x = x if mapped[0] else stretch(x, size)
        many = batch_index(self.pattern, self.holes, arrays, mapped[2:], size, rows=True)
        if np.ndim(v):  # as many axes as the place it goes to, so that they can be moved
            fancy = max(np.ndim(a) - m for a, m in zip(arrays, mapped[2:], strict=True))
            v = lead_axes(v if mapped[1] else v[None], kept_axes(x, self.pattern) - 1 + fancy)
            v = np.moveaxis(v, many.wanted, many.found) if many.found else v
        return Put(many.pattern, many.holes)(x, v, *many.arrays)


@primitive
class Survivors(Opaque):
    """Which elements of a write through index arrays stay: those that no later one covers."""

    dims: tuple[int, ...] = ()
    samples = (sample("i64[5]", "i64[2,1]", dims=(5, 5), within=(-5, 4)),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(np.broadcast_shapes(*(a.shape for a in avals)), np.dtype(bool))

    def evaluate(self, *xs: Value) -> Value:
        numbers = number(xs, self.dims)
        flat = numbers.reshape(-1)
        order = np.arange(flat.size)
        last = np.zeros(math.prod(self.dims), np.intp)
        last[flat] = order
        return np.reshape(last[flat] == order, numbers.shape)

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        many = batch_index((0,) * len(xs), tuple(range(len(xs))), xs, mapped, size, rows=True)
        return Survivors((size, *self.dims))(*many.arrays)


@implements(operator.setitem)
def setitem(x: Value, index: Any, v: Any) -> Value:
    """The value of `x` after `x[index] = v`."""
    v = operand(v)
    check_dtype("setitem", x, v)
    parts = index if type(index) is tuple else (index,)
    basic = basic_index(parts)
    if basic is not None:
        return SetItem(basic)(x, without_lead(v, kept_axes(x, basic)))
    if len(parts) == 1 and chooses(x, parts[0], v):
        mask = np.reshape(parts[0], parts[0].shape + (1,) * (np.ndim(x) - parts[0].ndim))
        return np.where(mask, v, x)
    wide, pattern, holes, arrays = fancy_index(x, parts)
    fancy = max(np.ndim(a) for a in arrays)
    out = Put(pattern, holes)(wide, without_lead(v, kept_axes(wide, pattern) + fancy), *arrays)
    return out if wide is x else np.reshape(out, np.shape(x))


def kept_axes(x: Value, index: Index) -> int:
    """How many axes of `x[index]` come from `x` and from None."""
    return int(x.ndim) + index.count(None) - sum(isinstance(p, int) for p in index)


def without_lead(v: Value, ndim: int) -> Value:
    """A value to write, without the leading unit axes that its place has not."""
    extra = np.ndim(v) - ndim
    if extra <= 0 or any(n != 1 for n in v.shape[:extra]):
        return v
    return np.reshape(v, v.shape[extra:])


def chooses(x: Value, mask: Any, v: Value) -> bool:
    """Whether `x[mask] = v` gives every chosen place the same, so that it is a `where`."""
    return (
        getattr(mask, "dtype", None) == np.bool_
        and 0 < mask.ndim <= np.ndim(x)
        and mask.shape == np.shape(x)[: mask.ndim]
        and np.ndim(v) <= np.ndim(x) - mask.ndim
        and np.result_type(x, v) == x.dtype
    )


def check_dtype(name: str, x: Value, v: Value) -> None:
    """Refuse a write that would drop an imaginary part, or a gradient in silence."""
    given = np.result_type(v)
    if given.kind == "c" and x.dtype.kind != "c":
        raise DtypeError(
            f"{name}: a complex value cannot be kept in a {x.dtype} array; make the target complex"
        )
    if isinstance(v, Tracer) and is_inexact(given) and not is_inexact(x.dtype):
        raise DtypeError(
            f"{name}: a {given} value that carries a gradient cannot be kept in a {x.dtype} array "
            "without losing it; make the target a float array"
        )


def target(name: str, a: Any) -> Value:
    """The array that a function writes into, which must record the write."""
    if not isinstance(a, Tracer):
        raise DetachError(
            f"{name}: the values carry a gradient, and writing them into a plain NumPy array would "
            "cut it in silence; make the target from a tensor, np.zeros_like(t), or build the "
            "result with np.where or np.concatenate"
        )
    return a


# Adding in place: np.add.at


def accumulate_at(name: str, a: Any, index: Any, v: Value) -> None:
    """`a[index] += v` where a repeated index adds each time."""
    x = target(name, a)
    check_dtype(name, x, v)
    if is_inexact(v.dtype) and not is_inexact(x.dtype):  # NumPy cuts each sum, one by one
        raise DtypeError(
            f"{name}: {v.dtype} values cannot be added to {x.dtype} ones in place; make the target "
            f"x.astype({v.dtype.name!r})"
        )
    parts = index if type(index) is tuple else (index,)
    basic = basic_index(parts)
    if basic is not None:
        x[basic] = x[basic] + v
        return
    wide, pattern, holes, arrays = fancy_index(x, parts)
    place = Gather(pattern, holes).shape(aval_of(wide), *map(aval_of, arrays))
    terms = np.broadcast_to(v, place.shape).astype(x.dtype)
    added = ScatterAdd(pattern, holes, tuple(wide.shape))(terms, *arrays)
    x[...] = x + np.reshape(added, x.shape)


@implements_method(np.add, "at")
def add_at(a: Any, indices: Any, b: Any) -> None:
    """Add `b` to `a[indices]` in place; repeated indices add up."""
    accumulate_at("add.at", a, indices, array(b))


@implements_method(np.subtract, "at")
def subtract_at(a: Any, indices: Any, b: Any) -> None:
    """Subtract `b` from `a[indices]` in place; repeated indices add up."""
    accumulate_at("subtract.at", a, indices, -array(b))


# NumPy's other ways to write


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write into the flat array at `ind`, repeating `v` as often as needed."""
    x = target("put", a)
    where = np.reshape(array(ind), (-1,))
    values = np.reshape(array(v), (-1,))
    if values.size:
        values = repeated(values, where.size)
        x[unravel(bounded(where, x.size, mode), x.shape)] = values


def repeated(values: Value, count: int) -> Value:
    """The first `count` elements of a vector repeated for ever."""
    return values if values.size in (1, count) else values[np.arange(count) % values.size]


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Write where `mask` holds, from the same place in `values`, which repeats as needed."""
    x = target("putmask", a)
    values = np.reshape(array(values), (-1,))
    if values.size > 1:
        values = np.reshape(values[np.arange(x.size) % values.size], x.shape)
    if values.size:
        x[...] = np.where(array(mask) != 0, values, x)


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write where `mask` holds, the first of `vals` first; `vals` repeats as needed."""
    x = target("place", arr)
    values = np.reshape(array(vals), (-1,))
    chosen = np.reshape(array(mask) != 0, (-1,))
    if not values.size:
        if not np.any(concrete(chosen)):
            return
        raise ValueError("place: vals is empty; give at least one value to write")
    turn = np.cumsum(chosen) - 1
    turn = turn - values.size * np.floor_divide(turn, values.size)
    x[...] = np.reshape(np.where(chosen, getitem(values, turn), np.reshape(x, (-1,))), x.shape)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write `val` on the main diagonal; in a tall matrix `wrap` starts it anew below."""
    x = target("fill_diagonal", a)
    if x.ndim < 2:
        raise ValueError(f"fill_diagonal: an array with {x.ndim} axes has no diagonal; give 2")
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise ValueError(f"fill_diagonal: all axes must be equally long, and these are {x.shape}")
    step = 1 + sum(np.cumprod(x.shape[1:][::-1]).tolist())
    end = x.shape[1] ** 2 if x.ndim == 2 and not wrap else x.size
    put(x, np.arange(x.size)[:end:step], val)


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Write `values` at `indices` along one axis (None: of the flat array)."""
    x = target("put_along_axis", arr)
    where = array(indices)
    if axis is None:
        put(x, where, values)
        return
    at = from_end(axis, x.ndim, "put_along_axis") + x.ndim
    x[along(where, tuple(x.shape), at)] = values


def along(indices: Value, shape: tuple[int, ...], axis: int) -> Index:
    """The whole index that stands for `indices` along one axis."""
    grid: list[Value] = list(np.ogrid[tuple(slice(n) for n in shape)])
    grid[axis] = indices
    return tuple(grid)
