"""Reading and writing elements by index."""

from __future__ import annotations

import operator
from dataclasses import field
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of
from ..core.dispatch import Tracer, concrete, implements
from ..core.errors import DetachError
from ..core.families import Linear, stretch
from ..core.primitive import Parents, Product, Terms, Values, primitive
from ..core.samples import sample
from .faces import array, operand


def dummy(aval: Any) -> np.ndarray[Any, Any]:
    """An array of a given type that takes no memory, to ask NumPy for the shape of a result."""
    return np.broadcast_to(np.zeros((), aval.dtype), aval.shape)


@primitive
class GetItem(Linear):
    """`x[index]` for integers, slices, None and Ellipsis: a view.

    Transpose: the cotangent written into zeros.
    """

    index: tuple[Any, ...] = ()
    is_view = True
    samples = (
        sample("f64[3,4]", index=(slice(1, None), slice(None, None, 2))),
        sample("f64[3,4]", index=(1,)),
        sample("f64[4]", index=(2,)),
        sample("f64[2,3]", index=(Ellipsis, None, 0)),
        sample("f64[4]", index=(slice(None, None, -1),)),
    )

    def __hash__(self) -> int:
        return hash(tuple(map(repr, self.index)))

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(dummy(x)[self.index].shape, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return xs[0][self.index]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return Place(self.index, tuple(xs[0].shape))(ct)

    def write(self, base: Value, new: Value) -> Value:
        return SetItem(self.index)(base, new)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        return GetItem((slice(None), *self.index))(xs[0])


@primitive
class Place(Linear):
    """`x` written into zeros of shape `sizes` at `index`: the transpose of `GetItem`."""

    index: tuple[Any, ...] = ()
    sizes: tuple[int, ...] = ()
    samples = (sample("f64[2,2]", index=(slice(1, None), slice(None, None, 2)), sizes=(3, 4)),)

    def __hash__(self) -> int:
        return hash((tuple(map(repr, self.index)), self.sizes))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.sizes, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        out = np.zeros(self.sizes, x.dtype)
        out[self.index] = x
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return GetItem(self.index)(ct)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        return Place((slice(None), *self.index), (size, *self.sizes))(xs[0])


@primitive
class SetItem(Linear):
    """`x` with `x[index] = v`, for a basic index; linear in x and v together."""

    index: tuple[Any, ...] = ()
    linear = (0, 1)
    samples = (
        sample("f64[3,4]", "f64[2,2]", index=(slice(1, None), slice(None, None, 2))),
        sample("f64[3,4]", "f64[4]", index=(slice(None, 2),)),
        sample("f64[4]", "f64[]", index=(2,)),
    )

    def __hash__(self) -> int:
        return hash(tuple(map(repr, self.index)))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, v = xs
        out = np.array(x)
        out[self.index] = v
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        if i == 1:
            return GetItem(self.index)(ct)
        return SetItem(self.index)(ct, np.zeros((), ct.dtype))

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        x, v = xs
        x = x if mapped[0] else stretch(x, size)
        index = (slice(None), *self.index)
        if mapped[1]:
            v = lead_axes(v, dummy(aval_of(x))[index].ndim)
        return SetItem(index)(x, v)


def lead_axes(v: Value, ndim: int) -> Value:
    """Unit axes after the batch axis, so that a batched value broadcasts as an unbatched one."""
    shape = np.shape(v)
    return np.reshape(v, (shape[0], *(1,) * (ndim - len(shape)), *shape[1:]))


@primitive
class Gather(Linear):
    """`x[index]` where the index has arrays, which are operands after `x`.

    `pattern` is the index with `None` standing in `holes` for each array in turn.
    Transpose: the cotangent added into zeros, so an element read twice gets both terms.
    """

    pattern: tuple[Any, ...] = ()
    holes: tuple[int, ...] = (0,)
    samples = (
        sample("f64[3,4]", "i64[5]", pattern=(None,), holes=(0,), kind="index"),
        sample("f64[3,4]", "i64[5]", "i64[5]", pattern=(None, None), holes=(0, 1), kind="index"),
        sample("f64[3,4]", "i64[2]", pattern=(slice(None), None), holes=(1,), kind="index"),
    )

    def __hash__(self) -> int:
        return hash((tuple(map(repr, self.pattern)), self.holes))

    def index(self, arrays: Any) -> tuple[Any, ...]:
        """The whole index, the arrays in their places."""
        filled = list(self.pattern)
        for hole, a in zip(self.holes, arrays, strict=True):
            filled[hole] = a
        return tuple(filled)

    def shape(self, *avals: Aval) -> Aval:
        x, *arrays = avals
        return Aval(dummy(x)[self.index([np.zeros(a.shape, a.dtype) for a in arrays])].shape, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return xs[0][self.index(xs[1:])]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return ScatterAdd(self.pattern, self.holes, tuple(xs[0].shape))(ct, *xs[1:])

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        x, *arrays = xs
        return batched_index(self, size, mapped[0], x, mapped[1:], arrays)


@primitive
class ScatterAdd(Linear):
    """Zeros of shape `sizes` with `v` added at an index with arrays; repeats add up."""

    pattern: tuple[Any, ...] = ()
    holes: tuple[int, ...] = (0,)
    sizes: tuple[int, ...] = ()
    samples = (
        sample("f64[5]", "i64[5]", pattern=(None,), holes=(0,), sizes=(5,), kind="index"),
        sample("f64[3,2]", "i64[2]", pattern=(slice(None), None), holes=(1,), sizes=(3, 4),
               kind="index"),
    )  # fmt: skip

    __hash__ = Gather.__hash__
    index = Gather.index

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.sizes, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        v, *arrays = xs
        if len(self.pattern) == 1 and len(self.sizes) == 1 and v.dtype == np.float64:
            (where,) = arrays
            if where.dtype.kind in "iu" and v.ndim == where.ndim == 1:
                where = np.where(where < 0, where + self.sizes[0], where)
                return np.bincount(where, v, self.sizes[0])
        out = np.zeros(self.sizes, v.dtype)
        np.add.at(out, self.index(arrays), v)
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return Gather(self.pattern, self.holes)(ct, *xs[1:])

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        v, *arrays = xs
        return batched_index(self, size, mapped[0], v, mapped[1:], arrays)


def batched_index(
    prim: Any, size: int, mapped: bool, x: Value, mapped_arrays: Any, arrays: Any
) -> Value:
    """Index each example by its own arrays: a row number for the batch axis joins them."""
    x = x if mapped else stretch(x, size)
    pattern = prim.pattern
    adjacent = is_adjacent(pattern, prim.holes)
    if not any(mapped_arrays) and adjacent:
        holes = tuple(h + 1 for h in prim.holes)
        return with_sizes(prim, (slice(None), *pattern), holes, size)(x, *arrays)
    if any(a.dtype == np.bool_ for a in arrays):
        raise DetachError(
            "vmap: a boolean mask of each example selects a different number of elements; "
            "use np.where(mask, x, 0) instead of x[mask]"
        )
    ndim = max(np.ndim(a) - m for a, m in zip(arrays, mapped_arrays, strict=True))
    rows = np.arange(size).reshape(size, *(1,) * ndim)
    wide = [
        lead_axes(a, ndim + 1) if m else a for a, m in zip(arrays, mapped_arrays, strict=True)
    ]
    first = prim.holes[0]
    front = pattern[:first]
    if adjacent and front:
        # keep the array axes where NumPy puts them: index with the rows first, then move
        order = [h for h in range(len(pattern))]
        del order
    holes = (0, *(h + 1 for h in prim.holes))
    moved = with_sizes(prim, (None, *pattern), holes, size)
    return place_batched(moved, prim, x, rows, wide, adjacent, ndim)


def place_batched(
    moved: Any, prim: Any, x: Value, rows: Value, wide: Any, adjacent: bool, ndim: int
) -> Value:
    """Undo NumPy's move of the indexed axes to the front, which the row numbers cause."""
    before = count_axes(prim.pattern[: prim.holes[0]]) if adjacent else 0
    if isinstance(prim, Gather):
        out = moved(x, rows, *wide)
        source = tuple(range(1, ndim + 1))
        return np.moveaxis(out, source, tuple(s + before for s in source)) if before else out
    if before:
        source = tuple(range(1, ndim + 1))
        x = np.moveaxis(x, tuple(s + before for s in source), source)
    return moved(x, rows, *wide)


def with_sizes(prim: Any, pattern: tuple[Any, ...], holes: tuple[int, ...], size: int) -> Any:
    if isinstance(prim, Gather):
        return Gather(pattern, holes)
    return ScatterAdd(pattern, holes, (size, *prim.sizes))


def is_adjacent(pattern: tuple[Any, ...], holes: tuple[int, ...]) -> bool:
    """Whether NumPy leaves the indexed axes in place: the arrays and integers stand together."""
    fancy = sorted({*holes, *(k for k, p in enumerate(pattern) if isinstance(p, int))})
    return fancy == list(range(fancy[0], fancy[-1] + 1))


def count_axes(pattern: tuple[Any, ...]) -> int:
    return sum(1 for p in pattern if p is None or isinstance(p, slice))


@primitive
class Put(Linear):
    """`x` with `x[index] = v`, the index with arrays after `v`; linear in x and v together.

    Where an index repeats, the last value stays, as in NumPy; only that one gets a gradient.
    """

    pattern: tuple[Any, ...] = ()
    holes: tuple[int, ...] = (0,)
    linear = (0, 1)
    samples = (
        sample("f64[3,4]", "f64[2,4]", "i64[2]", pattern=(None,), holes=(0,), kind="index"),
    )

    __hash__ = Gather.__hash__
    index = Gather.index

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, v, *arrays = xs
        out = np.array(x)
        out[self.index(arrays)] = v
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        arrays = xs[2:]
        if i == 0:
            return Put(self.pattern, self.holes)(ct, np.zeros((), ct.dtype), *arrays)
        index = self.index([concrete(a) for a in arrays])
        read = Gather(self.pattern, self.holes)(ct, *arrays)
        return read * last_written(tuple(xs[0].shape), index)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        x, v, *arrays = xs
        picked = [
            Put(self.pattern, self.holes)(
                x[k] if mapped[0] else x,
                v[k] if mapped[1] else v,
                *(a[k] if m else a for a, m in zip(arrays, mapped[2:], strict=True)),
            )
            for k in range(size)
        ]
        return np.stack(picked)


def last_written(shape: tuple[int, ...], index: Any) -> Any:
    """1.0 for each element of a write that survives, 0.0 for one that a later one covers."""
    numbers = np.empty(shape, np.int64)
    count = numbers[index].size
    order = np.arange(count).reshape(numbers[index].shape)
    numbers[index] = order
    return (numbers[index] == order).astype(float)


def split_index(index: Any) -> tuple[tuple[Any, ...], tuple[int, ...], list[Value]]:
    """An index as (pattern, holes, arrays); without arrays it is basic."""
    parts = index if isinstance(index, tuple) else (index,)
    pattern: list[Any] = []
    holes: list[int] = []
    arrays: list[Value] = []
    for part in parts:
        if part is None or part is Ellipsis or isinstance(part, int | slice) and part is not True \
                and part is not False:
            pattern.append(part if not isinstance(part, slice) else plain_slice(part))
        elif isinstance(part, np.integer):
            pattern.append(int(part))
        else:
            a = operand(part) if not isinstance(part, bool) else np.asarray(part)
            if np.size(a) == 0 and not isinstance(a, Tracer) and a.dtype.kind == "f":
                a = np.asarray(a, np.intp)
            if a.dtype.kind not in "iub":
                raise IndexError(
                    f"getitem: an index must be integers or booleans, and this one is {a.dtype}; "
                    "round it and convert to integers first"
                )
            holes.append(len(pattern))
            arrays.append(a)
            pattern.append(None)
    return tuple(pattern), tuple(holes), arrays


def plain_slice(s: slice) -> slice:
    """A slice of Python integers."""
    start, stop, step = (None if v is None else operator.index(v) for v in (s.start, s.stop, s.step))
    return slice(start, stop, step)


@implements(operator.getitem)  # type: ignore[arg-type]
def getitem(x: Value, index: Any) -> Value:
    """`x[index]`, for every index that NumPy takes."""
    pattern, holes, arrays = split_index(index)
    if not holes:
        return GetItem(pattern)(x)
    return Gather(pattern, holes)(x, *arrays)


@implements(operator.setitem)  # type: ignore[arg-type]
def setitem(x: Value, index: Any, v: Any) -> Value:
    """The value of `x` after `x[index] = v`."""
    v = operand(v)
    pattern, holes, arrays = split_index(index)
    kind = getattr(v, "dtype", np.dtype(type(v)))
    if kind.kind == "c" and x.dtype.kind != "c":
        raise TypeError(
            f"setitem: a complex value cannot be kept in a {x.dtype} array; make the target complex"
        )
    if not holes:
        return SetItem(pattern)(x, v)
    return Put(pattern, holes)(x, v, *arrays)


_ = (field, Parents, Product, Terms, Values, array)
