"""Reading elements by index, and the transposes of reading.

    x[1, ::2, None]      integers, slices, None, ...   GetItem, a view      transpose: Place
    x[rows, :, cols]     integer arrays and masks      Gather, a copy       transpose: ScatterAdd
    take_along_axis      an index for each element     TakeAlong            transpose: AddAlong

Index arrays are operands and the rest of an index is a static field, so the same rule serves
every value of the arrays.  A mask becomes the integer arrays that NumPy itself makes of it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import Tracer, concrete, implements, overrides
from ..core.errors import DetachError, TraceError
from ..core.families import Constant, Linear, stretch
from ..core.primitive import Primitive, primitive
from ..core.samples import sample
from ..core.source import caller, line_of
from .faces import array

Index = tuple[Any, ...]
Plain = np.ndarray[Any, Any]
PLAIN_PARTS = (int, type(None), type(Ellipsis))


def dummy(aval: Any) -> Plain:
    """An array of a given type that takes no memory, to ask NumPy for the shape of a result."""
    return np.broadcast_to(np.zeros((), aval.dtype), aval.shape)


def hash_of_index(self: Primitive) -> int:
    """The hash of a primitive that has slices among its fields: Python 3.11 cannot hash them."""
    return hash((type(self), repr(vars(self))))


# Basic indices


@primitive
class GetItem(Linear):
    """`x[index]` for integers, slices, None and Ellipsis: a view.

    Transpose: the cotangent written into zeros.
    """

    index: Index = ()
    is_view = True
    samples = (
        sample("f64[3,4]", index=(slice(1, None), slice(None, None, 2))),
        sample("f64[3,4]", index=(1,)),
        sample("f64[4]", index=(-2,)),
        sample("f64[2,3]", index=(Ellipsis, None, 0)),
        sample("f64[4]", index=(slice(None, None, -1),)),
        sample("c128[3,2]", index=(slice(1, None),)),
    )
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(dummy(x)[self.index].shape, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return xs[0][self.index]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        if isinstance(ct, Tracer):
            return Place(self.index, tuple(xs[0].shape))(ct)
        return placed(ct, self.index, xs[0].shape)  # a primitive costs more to make than to apply

    def write(self, base: Value, new: Value) -> Value:
        return overrides[operator.setitem](base, self.index, new)

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        return GetItem((slice(None), *self.index))(xs[0])


def placed(x: Value, index: Index, sizes: tuple[int, ...]) -> Value:
    """A plain value written into zeros."""
    out = np.zeros(sizes, x.dtype)
    out[index] = x
    return out


@primitive
class Place(Linear):
    """`x` written into zeros of shape `sizes` at `index`: the transpose of `GetItem`."""

    index: Index = ()
    sizes: tuple[int, ...] = ()
    samples = (
        sample("f64[2,2]", index=(slice(1, None), slice(None, None, 2)), sizes=(3, 4)),
        sample("f64[]", index=(2,), sizes=(4,)),
    )
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.sizes, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        return placed(xs[0], self.index, self.sizes)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return GetItem(self.index)(ct)

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        return Place((slice(None), *self.index), (size, *self.sizes))(xs[0])


# Indices with arrays
#
# `pattern` is the whole index, with 0 standing in `holes` for each array in turn.  Integers count
# as index arrays here, as they do in NumPy: they decide together with the arrays where the axes
# of the arrays come out.


def fill(pattern: Index, holes: tuple[int, ...], arrays: Sequence[Value]) -> Index:
    """The whole index, the arrays in their places."""
    filled = list(pattern)
    for hole, a in zip(holes, arrays, strict=True):
        filled[hole] = a
    return tuple(filled)


def axes_before(pattern: Index) -> int | None:
    """How many axes come before those of the index arrays in NumPy's result.

    Where arrays and integers stand together, their axes take their place; where something stands
    between them (None), the axes of the arrays come first.
    """
    places = [k for k, part in enumerate(pattern) if isinstance(part, int)]
    if places[-1] - places[0] >= len(places):
        return None
    return sum(part is None or isinstance(part, slice) for part in pattern[: places[0]])


@primitive
class Gather(Linear):
    """`x[index]` where the index has integer arrays, which are operands after `x`.

    Transpose: the cotangent added into zeros, so an element read twice gets both terms.
    """

    is_selection = True
    pattern: Index = (0,)
    holes: tuple[int, ...] = (0,)
    samples = (
        sample("f64[3,4]", "i64[5]", kind="index"),
        sample("f64[3,4]", "i64[5]", "i64[2,1]", pattern=(0, 0), holes=(0, 1), kind="index"),
        sample("f64[3,4]", "i64[2]", pattern=(slice(None), 0), holes=(1,), kind="index"),
        sample("f64[3,4]", "i64[]", pattern=(slice(None), 0), holes=(1,), kind="index"),
        sample("f64[3,4,5]", "i64[2,2]", "i64[2]", pattern=(0, slice(1, None), None, 0),
               holes=(0, 3), kind="index"),
        sample("c128[3,4,5]", "i64[2]", pattern=(slice(None), None, 1, 0), holes=(3,),
               kind="index"),
    )  # fmt: skip
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        x, *arrays = avals
        index = fill(self.pattern, self.holes, [dummy(a) for a in arrays])
        return Aval(dummy(x)[index].shape, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return xs[0][fill(self.pattern, self.holes, xs[1:])]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return ScatterAdd(self.pattern, self.holes, tuple(xs[0].shape))(ct, *xs[1:])

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        x, *arrays = xs
        many = batch_index(self.pattern, self.holes, arrays, mapped[1:], size, rows=mapped[0])
        out = Gather(many.pattern, many.holes)(x, *many.arrays)
        return np.moveaxis(out, many.found, many.wanted) if many.found else out


@primitive
class ScatterAdd(Linear):
    """Zeros of shape `sizes` with `v` added at an index with arrays; repeats add up."""

    pattern: Index = (0,)
    holes: tuple[int, ...] = (0,)
    sizes: tuple[int, ...] = ()
    samples = (
        sample("f64[5]", "i64[5]", sizes=(5,), kind="index"),
        sample("f64[3,2]", "i64[2]", pattern=(slice(None), 0), holes=(1,), sizes=(3, 4),
               kind="index"),
        sample("f64[2,2,4,1]", "i64[2,2]", "i64[2]", pattern=(0, slice(1, None), None, 0),
               holes=(0, 3), sizes=(3, 5, 2), kind="index"),
        sample("c128[3,2]", "i64[3]", pattern=(0, slice(None, None, 2)), holes=(0,), sizes=(4, 3),
               kind="index"),
    )  # fmt: skip
    __hash__ = hash_of_index

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.sizes, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        v, *arrays = xs
        if len(self.sizes) == len(self.pattern) == len(arrays) == 1 and v.dtype.char in "fdFD":
            numbers = number(arrays, self.sizes)  # the common case, of which less is to be arranged
            return bincount(numbers.reshape(-1), v.reshape(-1), self.sizes[0])
        out = np.zeros(self.sizes, v.dtype)
        whole = tuple(slice(None) if k in self.holes else p for k, p in enumerate(self.pattern))
        target = out[whole]  # shares memory with `out`
        axes = [sum(p is None or isinstance(p, slice) for p in whole[:h]) for h in self.holes]
        target = np.moveaxis(target, axes, range(len(axes)))
        dims, rest = target.shape[: len(axes)], target.shape[len(axes) :]
        numbers = number(arrays, dims)
        before = axes_before(self.pattern) or 0
        fancy = range(numbers.ndim)
        v = np.moveaxis(v, [before + k for k in fancy], fancy)
        add_rows(target, numbers.reshape(-1), v.reshape(numbers.size, *rest), dims)
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return Gather(self.pattern, self.holes)(ct, *xs[1:])

    def batch(self, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Value:
        v, *arrays = xs
        v = v if mapped[0] else stretch(v, size)
        many = batch_index(self.pattern, self.holes, arrays, mapped[1:], size, rows=True)
        v = np.moveaxis(v, many.wanted, many.found) if many.found else v
        return ScatterAdd(many.pattern, many.holes, (size, *self.sizes))(v, *many.arrays)


def number(arrays: Sequence[Plain], dims: Sequence[int]) -> Plain:
    """One number for each element that index arrays name together, in row-major order."""
    total: Any = None
    for a, n in zip(arrays, dims, strict=True):
        a = np.where(a < 0, a + n, a) if a.size and a.min() < 0 else a
        total = a if total is None else total * n + a
    return np.asarray(total)


def add_rows(target: Plain, numbers: Plain, rows: Plain, dims: Sequence[int]) -> None:
    """Add `rows[k]` to the row of zeros in `target` that `numbers[k]` names within `dims`."""
    count = math.prod(dims)
    if rows.ndim == 1 and rows.dtype.char in "fdFD":
        target[...] = bincount(numbers, rows, count).reshape(dims)
        return
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]) & (ordered >= 0))
    if starts.size:
        sums = np.add.reduceat(rows[order], starts, axis=0)
        target[np.unravel_index(ordered[starts], tuple(dims))] = sums


def bincount(numbers: Plain, values: Plain, count: int) -> Plain:
    """The sums of float or complex values by number, in their dtype."""
    if values.dtype.kind == "c":
        out = np.empty(count, values.dtype)
        out.real = np.bincount(numbers, values.real, count)
        out.imag = np.bincount(numbers, values.imag, count)
        return out
    return np.bincount(numbers, values, count).astype(values.dtype, copy=False)


class BatchIndex(NamedTuple):
    """An index over a batch.  NumPy's result has at the axes `found` what belongs at `wanted`."""

    pattern: Index
    holes: tuple[int, ...]
    arrays: list[Value]
    found: tuple[int, ...]
    wanted: tuple[int, ...]


def batch_index(
    pattern: Index,
    holes: tuple[int, ...],
    arrays: Sequence[Value],
    mapped: Sequence[bool],
    size: int,
    *,
    rows: bool,
) -> BatchIndex:
    """The index that reads or writes each example of a batch.

    `rows` says whether the array that is indexed has the batch as its leading axis.
    """
    ndim = max((np.ndim(a) - m for a, m in zip(arrays, mapped, strict=True)), default=0)
    before = axes_before(pattern)
    if not any(mapped):  # the same index for every example
        moved = ((ndim,), (0,)) if before is None else ((), ())
        shifted = tuple(h + 1 for h in holes)
        return BatchIndex((slice(None), *pattern), shifted, list(arrays), *moved)
    wide = [lead_axes(a, ndim) if m else a for a, m in zip(arrays, mapped, strict=True)]
    if not rows:  # every example reads the same array: the batch is one more axis of the index
        moved = ((before,), (0,)) if before else ((), ())
        return BatchIndex(pattern, holes, wide, *moved)
    numbers = np.arange(size).reshape(size, *(1,) * ndim)
    found = tuple(range(1, ndim + 1)) if before else ()
    wanted = tuple(k + before for k in found) if before else ()
    shifted = (0, *(h + 1 for h in holes))
    return BatchIndex((0, *pattern), shifted, [numbers, *wide], found, wanted)


def lead_axes(v: Value, ndim: int) -> Value:
    """Unit axes put in after the batch axis until `ndim` axes follow it."""
    shape = np.shape(v)
    missing = ndim + 1 - len(shape)
    return np.reshape(v, (shape[0], *(1,) * missing, *shape[1:])) if missing else v


# An index for each element along one axis


@primitive
class TakeAlong(Linear):
    """`x` at `index` along one axis; the other axes broadcast.

    Transpose: the cotangent added into zeros along the axis.
    """

    is_selection = True
    axis: int = -1
    samples = (
        sample("f64[3,4]", "i64[3,5]", kind="index"),
        sample("f64[3,4]", "i64[2,1]", axis=-2, kind="index"),
        sample("c128[1,4]", "i64[3,2]", kind="index"),
    )

    def shape(self, *avals: Aval) -> Aval:
        x, index = avals
        sizes, wanted = list(x.shape), list(index.shape)
        sizes[self.axis] = 1
        count, wanted[self.axis] = wanted[self.axis], 1
        result = list(np.broadcast_shapes(tuple(sizes), tuple(wanted)))
        result[self.axis] = count
        return Aval(tuple(result), x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.take_along_axis(xs[0], xs[1], axis=self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return AddAlong(self.axis, xs[0].shape[self.axis])(ct, xs[1])


@primitive
class AddAlong(Linear):
    """Zeros, `count` along `axis`, with `v` added at `index` along it; repeats add up."""

    axis: int = -1
    count: int = 0
    samples = (
        sample("f64[3,4]", "i64[3,4]", count=5, kind="index"),
        sample("f64[3,4]", "i64[3,1]", axis=-2, count=4, kind="index"),
    )

    def shape(self, *avals: Aval) -> Aval:
        sizes = list(avals[0].shape)
        sizes[self.axis] = self.count
        return Aval(tuple(sizes), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        v, index = xs
        v = np.moveaxis(v, self.axis, -1)
        index = np.broadcast_to(np.moveaxis(index, self.axis, -1), v.shape)
        out = np.zeros((*v.shape[:-1], self.count), v.dtype)
        lanes = math.prod(v.shape[:-1])
        numbers = number([index], [self.count]).reshape(lanes, v.shape[-1])
        if lanes > 1:
            numbers = numbers + np.arange(lanes)[:, None] * self.count
        add_rows(out.reshape(-1), numbers.reshape(-1), v.reshape(-1), (out.size,))
        return np.moveaxis(out, -1, self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return TakeAlong(self.axis)(ct, xs[1])


@primitive
class Whole(Constant):
    """Values cut down to integers that can index."""

    ufunc = np.trunc
    samples = (sample("f64[3,4]"),)

    def evaluate(self, *xs: Value) -> Value:
        return np.asarray(xs[0]).astype(np.intp)[()]


to_index = Whole()


# What the user writes


@lru_cache(maxsize=4096)
def item(index: int) -> GetItem:
    """`x[index]`, made once for each integer: the most common index must be the fastest."""
    return GetItem((index,))


along_first = Gather()


@implements(operator.getitem)
def getitem(x: Value, index: Any) -> Value:
    """`x[index]`, for every index that NumPy takes."""
    if type(index) is int:
        return item(index)(x)
    if type(index) is np.ndarray and index.ndim and index.dtype.kind in "iu":
        return along_first(x, index)
    parts = index if type(index) is tuple else (index,)
    basic = basic_index(parts)
    if basic is not None:
        return GetItem(basic)(x)
    x, pattern, holes, arrays = fancy_index(x, parts)
    return Gather(pattern, holes)(x, *arrays)


def basic_index(parts: tuple[Any, ...]) -> Index | None:
    """An index of integers, slices, None and Ellipsis in plain Python terms; None for others."""
    found: list[Any] = []
    for part in parts:
        kind = type(part)
        if kind is slice:
            found.append(plain_slice(part))
        elif kind in PLAIN_PARTS:
            found.append(part)
        elif is_integer(part):
            found.append(int(part))
        else:
            return None
    return tuple(found)


def is_integer(part: Any) -> bool:
    """Whether a part of an index is one known integer."""
    return isinstance(part, int | np.integer | np.ndarray) and (
        np.ndim(part) == 0 and np.result_type(part).kind in "iu"
    )


def plain_slice(s: slice) -> slice:
    """A slice of Python integers."""
    if all(type(v) is int or v is None for v in (s.start, s.stop, s.step)):
        return s
    start, stop, step = (
        None if v is None else operator.index(v) for v in (s.start, s.stop, s.step)
    )
    return slice(start, stop, step)


def fancy_index(
    x: Value, parts: tuple[Any, ...]
) -> tuple[Value, Index, tuple[int, ...], list[Value]]:
    """An index with arrays as (x, pattern, holes, arrays).

    `x` comes back with a unit axis more for each mask that is a single truth value.
    """
    given = [part if is_basic(part) else index_array(part) for part in parts]
    check_masks(x, given)
    consumed = sum(axes_read(part) for part in given)
    pattern: list[Any] = []
    holes: list[int] = []
    arrays: list[Value] = []
    read = 0
    for part in given:
        if is_basic(part):
            if part is Ellipsis:
                pattern += [slice(None)] * (np.ndim(x) - consumed) or [part]
                read += np.ndim(x) - consumed
                continue
            basic = basic_index((part,))
            pattern += basic or ()
        else:
            if part.dtype == np.bool_ and not part.ndim:
                x = np.expand_dims(x, read)
                consumed += 1
                read += 1
            for a in mask_arrays(part):
                holes.append(len(pattern))
                arrays.append(a)
                pattern.append(0)
        read += axes_read(part)
    return x, tuple(pattern), tuple(holes), arrays


def is_basic(part: Any) -> bool:
    """Whether a part of an index is an integer, a slice, None or Ellipsis."""
    return (
        part is None or part is Ellipsis or isinstance(part, slice)
        or (not isinstance(part, bool) and is_integer(part))
    )  # fmt: skip


def index_array(part: Any) -> Value:
    """An array of integers or booleans."""
    a = np.asarray(part) if isinstance(part, bool) else array(part)
    if not isinstance(a, Tracer) and np.size(a) == 0 and a.dtype.kind == "f":
        a = np.asarray(a, np.intp)  # what an empty list becomes
    if a.dtype.kind not in "iub":
        raise IndexError(
            f"getitem: an index must be integers or booleans, and this one is {a.dtype}; "
            "round it and convert it to integers first"
        )
    return a


def axes_read(part: Any) -> int:
    """How many axes of the indexed array a part of an index stands for."""
    if part is None or part is Ellipsis:
        return 0
    if is_basic(part):
        return 1
    return int(part.ndim) if part.dtype == np.bool_ else 1


def mask_arrays(part: Value) -> Sequence[Value]:
    """The integer arrays that NumPy makes of a mask; an integer array stands for itself."""
    if part.dtype != np.bool_:
        return (part,)
    mask = concrete_mask(part)
    return np.nonzero(mask) if mask.ndim else (np.zeros(int(mask), np.intp),)


def concrete_mask(mask: Value) -> Plain:
    """A mask's value, which decides the shape of a result."""
    try:
        value = concrete(mask)
    except TraceError:
        raise TraceError(
            f"getitem: x[mask] at {line_of(*caller())} has as many elements as the mask has True, "
            "and what shape a traced program's arrays have cannot depend on values; keep all "
            "elements and put 0 where the mask is False, np.where(mask, x, 0), or select before "
            "the traced function"
        ) from None
    except DetachError:
        raise DetachError(
            "getitem: a mask that differs between the examples of a batch selects a different "
            "number of elements in each; write np.where(mask, x, 0) instead of x[mask]"
        ) from None
    return np.asarray(value)


def check_masks(x: Value, given: Sequence[Any]) -> None:
    """Let NumPy say what is wrong where a mask does not fit."""
    if any(getattr(part, "dtype", None) == np.bool_ and part.ndim for part in given):
        plain = tuple(
            part if is_basic(part) else np.zeros((), np.intp) if part.dtype != np.bool_
            else np.zeros(part.shape, bool) for part in given
        )  # fmt: skip
        np.broadcast_to(np.zeros((), bool), np.shape(x))[plain]
