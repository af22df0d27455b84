"""Values of primitives that NumPy computes in place, or by memory: here by reading only.

Each entry is given the primitive, the library and the operands: arrays of the library, and what
was never one of them, index arrays above all, as it came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.primitive import Primitive
from ..ops.arithmetic import Anew, Scale
from ..ops.indexing import (
    AddAlong,
    Gather,
    GetItem,
    Place,
    ScatterAdd,
    TakeAlong,
    Whole,
    axes_before,
)
from ..ops.products import MatMul
from ..ops.scanning import Recurrence
from ..ops.shaping import Cast, Copy
from ..ops.sorting import Level, Runs
from ..ops.stopping import StopGradient
from ..ops.writing import Put, SetItem
from .indices import (
    add_rows,
    padded,
    place_basic,
    put_rows,
    rows_back,
    rows_first,
    take_basic,
    zeros,
)
from .libraries import Library

Evaluation = Callable[..., Any]
evaluations: dict[type[Primitive], Evaluation] = {}


def evaluates(*kinds: type[Primitive]) -> Callable[[Evaluation], Evaluation]:
    """Register how primitives of these classes are computed by other libraries."""

    def register(ours: Evaluation) -> Evaluation:
        for kind in kinds:
            evaluations[kind] = ours
        return ours

    return register


def is_known(x: Any) -> bool:
    """Whether an operand is a NumPy array or a number, and no array of the library."""
    return isinstance(x, np.ndarray | np.generic | int | float | complex)


def ours(library: Library, x: Any, like: Any) -> Any:
    """An operand as an array of the library."""
    return library.constant(x, like) if is_known(x) else x


def together(library: Library, a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands as arrays of the library, which one of them is."""
    like = b if is_known(a) else a
    return ours(library, a, like), ours(library, b, like)


def alike(library: Library, a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands as arrays of the library, in the dtype that NumPy gives the two."""
    dtype = np.result_type(*(x if is_known(x) else library.dtype_of(x) for x in (a, b)))
    a, b = together(library, a, b)
    return library.cast(a, dtype), library.cast(b, dtype)


@evaluates(Anew, StopGradient)
def same(primitive: Primitive, library: Library, x: Any) -> Any:
    """The value itself."""
    return x


@evaluates(Copy)
def copied(primitive: Copy, library: Library, x: Any) -> Any:
    """A copy, where the library's arrays can be written into."""
    return x if library.is_lazy else library.xp.asarray(x, copy=True)


@evaluates(Cast)
def cast(primitive: Cast, library: Library, x: Any) -> Any:
    """Another dtype."""
    return library.cast(x, np.dtype(primitive.to))


@evaluates(Whole)
def whole(primitive: Whole, library: Library, x: Any) -> Any:
    """Integers that can index."""
    return library.cast(x, np.dtype(np.intp))


@evaluates(Scale)
def scaled(primitive: Scale, library: Library, dx: Any, slope: Any) -> Any:
    """`dx slope`, and 0 where dx is 0: decided for each element, for whoever has no numbers yet."""
    dx, slope = alike(library, dx, slope)
    return library.xp.where(dx == 0, zeros(library, dx, ()), dx * slope)


@evaluates(MatMul)
def product(primitive: MatMul, library: Library, a: Any, b: Any) -> Any:
    """`a @ b` in the dtype of both."""
    return library.xp.matmul(*alike(library, a, b))


# Basic indices


@evaluates(GetItem)
def read(primitive: GetItem, library: Library, x: Any) -> Any:
    """`x[index]`."""
    return take_basic(library, x, primitive.index)


@evaluates(Place)
def placed(primitive: Place, library: Library, x: Any) -> Any:
    """`x` written into zeros."""
    return place_basic(library, x, primitive.index, primitive.sizes)


@evaluates(SetItem)
def written(primitive: SetItem, library: Library, x: Any, v: Any) -> Any:
    """`x` with `x[index] = v`: a choice between `x` and `v` placed into zeros."""
    xp = library.xp
    x, v = together(library, x, v)
    v = library.cast(v, library.dtype_of(x))
    shape = library.shape_of(x)
    region = np.broadcast_to(False, shape)[primitive.index].shape
    extra = v.ndim - len(region)
    v = xp.reshape(v, library.shape_of(v)[extra:]) if extra > 0 else v
    mask = library.constant(np.broadcast_to(np.int8(1), region), x)
    return xp.where(
        place_basic(library, mask, primitive.index, shape) != 0,
        place_basic(library, xp.broadcast_to(v, region), primitive.index, shape),
        x,
    )


# Indices with arrays


class Lookup:
    """An index with arrays into an array of shape `sizes`, taken apart.

    The slices come first; then the indexed axes become one, the rows, of which `numbers` names
    those that are meant.
    """

    def __init__(
        self,
        library: Library,
        pattern: tuple[Any, ...],
        holes: tuple[int, ...],
        arrays: Sequence[Any],
        sizes: tuple[int, ...],
    ) -> None:
        fixed = [k for k, p in enumerate(pattern) if isinstance(p, int) and k not in holes]
        places = sorted([*holes, *fixed])
        filled = dict(zip(holes, arrays, strict=True))
        self.slices = tuple(slice(None) if k in places else p for k, p in enumerate(pattern))
        self.shape = np.broadcast_to(False, sizes)[self.slices].shape
        self.axes = [
            sum(p is None or isinstance(p, slice) for p in self.slices[:k]) for k in places
        ]
        parts = [filled.get(k, pattern[k]) for k in places]
        self.numbers = numbers(library, parts, [self.shape[a] for a in self.axes])
        self.fancy = tuple(map(int, self.numbers.shape))
        self.before = axes_before(pattern) or 0


def numbers(library: Library, parts: Sequence[Any], dims: Sequence[int]) -> Any:
    """One number for each element that index arrays name together, in row-major order."""
    like = next((p for p in parts if not is_known(p)), None)
    total: Any = None
    for part, n in zip(parts, dims, strict=True):
        if like is None:
            part = np.asarray(part)
            if ((part < -n) | (part >= n)).any():
                raise IndexError(f"getitem: an index is out of bounds for an axis of {n} elements")
            part = np.where(part < 0, part + n, part)
        else:
            part = ours(library, part, like)
            part = library.xp.where(part < 0, part + n, part)
        total = part if total is None else total * n + part
    return total


def flattened(library: Library, x: Any) -> Any:
    """An array of either kind as a vector."""
    return x.reshape(-1) if is_known(x) else library.xp.reshape(x, (-1,))


@evaluates(Gather)
def gathered(primitive: Gather, library: Library, x: Any, *arrays: Any) -> Any:
    """`x[index]` by one `take` of rows."""
    xp = library.xp
    like = next(a for a in (x, *arrays) if not is_known(a))
    x = ours(library, x, like)
    look = Lookup(library, primitive.pattern, primitive.holes, arrays, library.shape_of(x))
    rows, _, rest = rows_first(library, take_basic(library, x, look.slices), look.axes)
    flat = ours(library, flattened(library, look.numbers), x)
    taken = xp.reshape(xp.take(rows, flat, axis=0), (*look.fancy, *rest))
    n = len(look.fancy)
    return xp.moveaxis(taken, tuple(range(n)), tuple(look.before + k for k in range(n)))


@evaluates(ScatterAdd)
def scattered(primitive: ScatterAdd, library: Library, v: Any, *arrays: Any) -> Any:
    """Zeros with `v` added at an index."""
    like = next(a for a in (v, *arrays) if not is_known(a))
    v = ours(library, v, like)
    look = Lookup(library, primitive.pattern, primitive.holes, arrays, primitive.sizes)
    rows = incoming(library, v, look)
    dims = tuple(look.shape[a] for a in look.axes)
    added = add_rows(library, rows, flattened(library, look.numbers), math.prod(dims))
    rest = tuple(n for k, n in enumerate(look.shape) if k not in look.axes)
    whole = rows_back(library, added, look.axes, dims, rest)
    return place_basic(library, whole, look.slices, primitive.sizes)


@evaluates(Put)
def put(primitive: Put, library: Library, x: Any, v: Any, *arrays: Any) -> Any:
    """`x` with `x[index] = v`, for an index that is known."""
    if not all(map(is_known, arrays)):
        raise library.lacks("setitem", "an index that is itself one of its arrays")
    x, v = together(library, x, v)
    v = library.cast(v, library.dtype_of(x))
    look = Lookup(library, primitive.pattern, primitive.holes, arrays, library.shape_of(x))
    rows, dims, rest = rows_first(library, take_basic(library, x, look.slices), look.axes)
    result = (*rest[: look.before], *look.fancy, *rest[look.before :])
    new = incoming(library, library.xp.broadcast_to(v, result), look)
    whole = rows_back(
        library, put_rows(library, rows, new, look.numbers.reshape(-1)), look.axes, dims, rest
    )
    return written(SetItem(look.slices), library, x, whole)


def incoming(library: Library, v: Any, look: Lookup) -> Any:
    """What goes to an index, as rows."""
    xp = library.xp
    n = len(look.fancy)
    v = xp.moveaxis(v, tuple(look.before + k for k in range(n)), tuple(range(n)))
    return xp.reshape(v, (math.prod(look.fancy), *v.shape[n:]))


# An index for each element along one axis


@evaluates(TakeAlong)
def taken_along(primitive: TakeAlong, library: Library, x: Any, index: Any) -> Any:
    """`x` at `index` along one axis."""
    take_along_axis = library.function("take_along_axis")
    x, index = together(library, x, index)
    n = int(x.shape[primitive.axis])
    index = library.xp.where(index < 0, index + n, index)
    sizes, wanted = list(map(int, x.shape)), list(map(int, index.shape))
    sizes[primitive.axis] = wanted[primitive.axis] = 1
    shape = list(np.broadcast_shapes(tuple(sizes), tuple(wanted)))
    shape[primitive.axis] = n
    x = library.xp.broadcast_to(x, tuple(shape))
    shape[primitive.axis] = int(index.shape[primitive.axis])
    index = library.xp.broadcast_to(index, tuple(shape))
    return take_along_axis(x, index, axis=primitive.axis)


@evaluates(AddAlong)
def added_along(primitive: AddAlong, library: Library, v: Any, index: Any) -> Any:
    """Zeros with `v` added at `index` along one axis."""
    xp = library.xp
    v = xp.moveaxis(ours(library, v, index), primitive.axis, -1)
    shape = library.shape_of(v)
    lanes = math.prod(shape[:-1])
    starts: Any = np.arange(lanes)[:, None] * primitive.count
    space = np if is_known(index) else xp  # what is known stays so
    index = space.broadcast_to(space.moveaxis(index, primitive.axis, -1), shape)
    index = space.where(index < 0, index + primitive.count, index)
    index = space.reshape(index, (lanes, shape[-1]))
    each = index + (starts if space is np else library.constant(starts, index))
    rows = xp.reshape(v, (-1,))
    added = add_rows(library, rows, space.reshape(each, (-1,)), lanes * primitive.count)
    return xp.moveaxis(xp.reshape(added, (*shape[:-1], primitive.count)), -1, primitive.axis)


# Along one axis, each element from those before it


@evaluates(Recurrence)
def recurred(primitive: Recurrence, library: Library, a: Any, b: Any) -> Any:
    """t[k] = a[k] t[k-1] + b[k]: steps of 1, 2, 4, ... are put together of two halves each."""
    xp = library.xp
    a, b = (xp.moveaxis(x, primitive.axis, 0) for x in alike(library, a, b))
    if primitive.reverse:
        a, b = xp.flip(a, axis=0), xp.flip(b, axis=0)
    n, step = int(b.shape[0]), 1
    while step < n:
        b = xp.concat([b[:step, ...], b[step:, ...] + a[step:, ...] * b[:-step, ...]], axis=0)
        a = xp.concat([a[:step, ...], a[step:, ...] * a[:-step, ...]], axis=0)
        step *= 2
    t = xp.flip(b, axis=0) if primitive.reverse else b
    return xp.moveaxis(t, 0, primitive.axis)


@evaluates(Runs)
def runs(primitive: Runs, library: Library, x: Any) -> Any:
    """The number of the run of equal elements that each belongs to, along a sorted axis."""
    xp = library.xp
    x = xp.moveaxis(x, primitive.axis, -1)
    starts = library.cast(x[..., 1:] != x[..., :-1], np.intp)
    starts = padded(library, starts, x.ndim - 1, 1, 0)
    return xp.moveaxis(xp.cumulative_sum(starts, axis=-1), -1, primitive.axis)


@evaluates(Level)
def levelled(primitive: Level, library: Library, v: Any, run: Any) -> Any:
    """The mean of `v` over each run of equal elements, which is `v` where all differ."""
    xp = library.xp
    along = xp.moveaxis(ours(library, run, v), primitive.axis, -1)
    if not bool(xp.all(along[..., 1:] != along[..., :-1])):
        raise library.lacks("sort", "the derivative among equal elements")
    return v
