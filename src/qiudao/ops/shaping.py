"""Rearranging elements without computing: shape, order of axes, joining and repeating."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, is_inexact, promote
from ..core.dispatch import Tracer, implements, newer, underlying
from ..core.errors import DtypeError, ShapeError
from ..core.families import Linear, stretch
from ..core.modes import modes
from ..core.primitive import once, primitive
from ..core.samples import sample
from ..core.views import View
from .faces import array, axes_from_end, delivered, from_end, operand, whole, with_axis


@primitive
class Reshape(Linear):
    """The same elements, in row-major order, under other axes."""

    sizes: tuple[int, ...] = ()
    is_view = True
    samples = (sample("f64[3,4]", sizes=(2, 6)), sample("f64[]", sizes=(1, 1)))

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        if math.prod(self.sizes) != x.size:
            raise ShapeError(
                f"reshape: {x} has {x.size} elements and shape {self.sizes} needs "
                f"{math.prod(self.sizes)}; both must be equal"
            )
        return Aval(self.sizes, x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        x = xs[0]
        return x.reshape(self.sizes) if type(x) is np.ndarray else np.reshape(x, self.sizes)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        shape = tuple(xs[0].shape)
        return ct.reshape(shape) if type(ct) is np.ndarray else Reshape(shape)(ct)

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        return Reshape((size, *self.sizes))(xs[0])


@primitive
class Transpose(Linear):
    """Axis k of the result is axis `axes[k]` of the operand, counted from the end."""

    axes: tuple[int, ...] = ()
    is_view = True
    samples = (sample("f64[2,3,4]", axes=(-1, -3, -2)),)

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        lead = x.shape[: x.ndim - len(self.axes)]
        return Aval((*lead, *(x.shape[a] for a in self.axes)), x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        lead = x.ndim - len(self.axes)
        if not lead:
            return x.transpose(self.axes)
        return np.transpose(x, (*range(lead), *(a + x.ndim for a in self.axes)))

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return inverted(self.axes)(ct)


@functools.lru_cache(maxsize=1024)
def inverted(axes: tuple[int, ...]) -> Transpose:
    """What undoes a transpose."""
    n = len(axes)
    inverse = [0] * n
    for k, a in enumerate(axes):
        inverse[a + n] = k - n
    return Transpose(tuple(inverse))


@functools.cache
def reversal(n: int) -> Transpose:
    """The transpose that turns the order of n axes round."""
    return Transpose(tuple(range(-1, -n - 1, -1)))


@primitive
class Stretch(Linear):
    """Broadcast to the shape `sizes`."""

    sizes: tuple[int, ...] = ()
    is_view = True
    is_read_only = True
    samples = (sample("f64[3,1]", sizes=(2, 3, 4)), sample("f64[]", sizes=(2,)))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.sizes, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        return stretched(xs[0], self.sizes)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        shape = tuple(xs[0].shape)
        lead = len(self.sizes) - len(shape)
        axes = tuple(k for k, n in enumerate(self.sizes) if k < lead or shape[k - lead] != n)
        return np.reshape(np.sum(ct, axis=axes), shape) if axes else ct

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        (x,) = xs
        missing = len(self.sizes) - (x.ndim - 1)
        return Stretch((size, *self.sizes))(
            np.reshape(x, (size, *(1,) * missing, *x.shape[1:])) if missing else x
        )


def stretched(x: Value, sizes: tuple[int, ...]) -> Value:
    """`np.broadcast_to` of a plain value, at a tenth of its cost where memory lies in order."""
    if isinstance(x, np.generic):
        return np.ndarray(sizes, x.dtype, x, 0, (0,) * len(sizes))
    if not isinstance(x, np.ndarray) or not x.flags.c_contiguous or not x.size:
        return np.broadcast_to(x, sizes)
    lead = len(sizes) - x.ndim
    strides = [0] * lead
    for n, wanted, step in zip(x.shape, sizes[lead:], x.strides, strict=True):
        strides.append(step if n == wanted else 0)
    return np.ndarray(sizes, x.dtype, x, 0, strides)


@primitive
class Flip(Linear):
    """The order of elements reversed along `axes`."""

    axes: tuple[int, ...] = ()
    is_view = True
    samples = (sample("f64[3,4]", axes=(-2,)), sample("f64[3,4]", axes=(-2, -1)))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.flip(xs[0], self.axes)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return self(ct)


@primitive
class Concatenate(Linear):
    """Operands joined along `axis`; linear in all of them together."""

    axis: int = -1
    samples = (
        sample("f64[3,4]", "f64[3,2]", axis=-1),
        sample("f64[2]", "f64[1]", "f64[3]", axis=-1),
        sample("f64[1,3]", "c128[2,3]", axis=-2),
    )

    def positions(self, count: int) -> range:
        return range(count)

    def shape(self, *avals: Aval) -> Aval:
        sizes = list(avals[0].shape)
        sizes[self.axis] = sum(a.shape[self.axis] for a in avals)
        return Aval(tuple(sizes), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        return np.concatenate(xs, axis=self.axis)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        start = sum(x.shape[self.axis] for x in xs[:i])
        after = -self.axis - 1
        index = (Ellipsis, slice(start, start + xs[i].shape[self.axis]), *(slice(None),) * after)
        return ct[index]

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        return self(*(x if m else stretch(x, size) for x, m in zip(xs, mapped, strict=True)))

    def keep(self, values: Any, parents: Any) -> tuple[Value, ...]:
        return tuple([aval_of(v) if p is None else p for v, p in zip(values, parents, strict=True)])


@primitive
class Stack(Linear):
    """Operands of one shape side by side along a new axis, `axis` of the result; linear in all of
    them together.
    """

    axis: int = -1
    samples = (
        sample("f64[3]", "f64[3]", axis=-2),
        sample("f64[]", "f64[]", "c128[]", axis=-1),
        sample("f64[2,3]", "f64[2,3]", axis=-2),
    )

    def positions(self, count: int) -> range:
        return range(count)

    def shape(self, *avals: Aval) -> Aval:
        sizes = list(avals[0].shape)
        sizes.insert(len(sizes) + 1 + self.axis, len(avals))
        return Aval(tuple(sizes), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        return np.array(xs) if self.axis == -1 - np.ndim(xs[0]) else np.stack(xs, axis=self.axis)

    def expand(self, *xs: Value) -> Value:
        return Concatenate(self.axis)(*(expand_dims(x, self.axis) for x in xs))

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return ct[(slice(None),) * (len(ct.shape) + self.axis) + (i,)]

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        return self(*(x if m else stretch(x, size) for x, m in zip(xs, mapped, strict=True)))

    def keep(self, values: Any, parents: Any) -> tuple[Value, ...]:
        return tuple([aval_of(v) if p is None else p for v, p in zip(values, parents, strict=True)])


@primitive
class Cast(Linear):
    """The same values in another dtype; complex to real takes the real part.

    To integers or booleans no derivative passes: it is refused where one is being taken.
    """

    to: str = "f8"
    samples = (sample("f64[3]", to="f8"), sample("c128[3]", to="c16"))

    def __call__(self, *xs: Value) -> Value:
        (x,) = xs
        if isinstance(x, Tracer) and x.carries(later=False):
            wanted = np.dtype(self.to)
            if is_inexact(x.dtype) and not is_inexact(wanted):
                raise DtypeError(
                    f"astype: a value that carries a gradient cannot become {wanted} without "
                    f"losing it; write x.detach().astype({wanted}), or np.floor(x) and the like"
                )
        return super().__call__(x)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, np.dtype(self.to))

    def evaluate(self, *xs: Value) -> Value:
        return np.asarray(xs[0]).astype(self.to)[()]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return ct


@primitive
class Copy(Linear):
    """The same values in memory of their own."""

    samples = (sample("f64[3,4]"),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.array(xs[0])[()]

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return ct


@implements(np.ndarray.astype)
def astype(x: Value, dtype: Any) -> Value:
    """`x` in another dtype; see `Cast`."""
    wanted = np.dtype(dtype)
    if wanted == x.dtype:
        return x
    if x.dtype.kind == "c" and wanted.kind != "c":
        raise DtypeError(
            f"astype: casting {x.dtype} to {wanted} drops the imaginary part; write np.real(x)"
        )
    return Cast(wanted.str.lstrip("<=|"))(x)


@implements(np.copy)
def copy(a: Any, order: Any = "K", subok: bool = False) -> Value:
    """A copy of `a` that stays in the graph."""
    return Copy()(operand(a))


def made_anew(x: Value, *given: Value) -> Value:
    """A result that is new memory in NumPy, and may be a view here, or what was given."""
    return copy(x) if isinstance(x, View) or any(x is g for g in given) else x


def sizes_of(shape: Any, total: int) -> tuple[int, ...]:
    """A NumPy shape argument, its -1 resolved."""
    sizes = [whole(n) for n in shape] if isinstance(shape, tuple | list) else [whole(shape)]
    if sizes.count(-1) == 1:
        known = math.prod(n for n in sizes if n != -1)
        if known == 0 or total % known:
            raise ShapeError(
                f"reshape: {total} elements do not divide into shape {tuple(sizes)}; "
                "the sizes given must divide the number of elements"
            )
        sizes[sizes.index(-1)] = total // known
    if math.prod(sizes) != total or min(sizes, default=0) < 0:
        raise ShapeError(
            f"reshape: {total} elements do not fit shape {tuple(sizes)}, which has "
            f"{math.prod(sizes)}; both must be equal"
        )
    return tuple(sizes)


@implements(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Value:
    """The elements of `a` under another shape, one size of which may be -1."""
    x = Copy()(array(a)) if copy else array(a)
    sizes = sizes_of(shape, x.size)
    if order != "C" and order_of("reshape", x, order, "A") == "F":
        return transpose(Reshape(sizes[::-1])(transpose(x)))
    return x if sizes == x.shape else once(Reshape, sizes)(x)


@implements(np.ravel)
def flattened(a: Any, order: str = "C") -> Value:
    """All elements along one axis: in memory without gaps, or a copy."""
    x = ravel(a, order)
    below = underlying(x)
    gaps = isinstance(below, np.ndarray) and below.strides[-1:] != (below.itemsize,)
    return made_anew(x) if gaps and x.size > 1 else x


def ravel(a: Any, order: str = "C") -> Value:
    """All elements along one axis."""
    x = array(a)
    if x.ndim == 1 and order == "C":
        return x
    if order != "C":
        order = order_of("ravel", x, order, "AK")
        if order == "K":
            x, order = transpose(x, axes_in_memory(in_memory("ravel", x, "K"))), "C"
    return reshape(x, (-1,) if x.size else (0,), order)


def order_of(name: str, x: Value, order: str, special: str) -> str:
    """A NumPy `order` argument: "C", "F", or "K" for an array that is neither in memory.

    `special` are the letters among them that mean how the array lies.
    """
    if order in ("C", "F") or (order in special and x.ndim < 2):
        return order if order == "F" else "C"
    if order not in special or not order:
        raise ValueError(
            f"{name}: order={order!r} is unknown; use one of {', '.join(map(repr, 'CF' + special))}"
        )
    flags = in_memory(name, x, order).flags
    if flags.c_contiguous or flags.f_contiguous:
        return "C" if flags.c_contiguous else "F"
    return "C" if order == "A" else "K"


def in_memory(name: str, x: Value, order: str) -> Any:
    """The array underneath all levels, which says how the elements of `x` lie."""
    found = underlying(x)
    lies = not modes.tracing and type(found) is np.ndarray and found.shape == x.shape
    repeats = lies and any(s == 0 < n - 1 for n, s in zip(x.shape, found.strides, strict=True))
    if not lies or (repeats and order == "K"):
        raise ShapeError(
            f"{name}: order={order!r} is the order in memory, which traced code, batches and "
            "broadcast arrays do not have; say 'C' or 'F'"
        )
    return found


def axes_in_memory(found: Any) -> list[int]:
    """The axes of an array from the longest step in memory to the shortest."""
    return sorted(range(found.ndim), key=lambda k: -abs(found.strides[k]))


@implements(np.transpose, np.permute_dims)
def transpose(a: Any, axes: Any = None) -> Value:
    """Axes in the order `axes`; reversed when that is None."""
    x = array(a)
    n = x.ndim
    if axes is None:
        return reversal(n)(x)
    order = tuple(from_end(k, n, "transpose") for k in axes)
    if len(set(order)) != n:
        raise ShapeError(f"transpose: axes={tuple(axes)} must name each of {n} axes once")
    return once(Transpose, order)(x)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Value:
    """The last two axes exchanged."""
    x = array(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: {aval_of(x)} has no two axes to exchange")
    return swapaxes(x, -1, -2)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Value:
    """Two axes exchanged."""
    x = array(a)
    i, j = from_end(axis1, x.ndim, "swapaxes"), from_end(axis2, x.ndim, "swapaxes")
    order = list(range(-x.ndim, 0))
    order[i], order[j] = order[j], order[i]
    return once(Transpose, tuple(order))(x)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Value:
    """Axes moved to other positions, the rest in their order."""
    x = array(a)
    n = x.ndim
    pair = [[k] if isinstance(k, int | np.integer) else list(k) for k in (source, destination)]
    sources, places = ([from_end(k, n, "moveaxis") for k in ks] for ks in pair)
    if len(sources) != len(places):
        raise ShapeError(
            f"moveaxis: {len(sources)} axes cannot go to {len(places)} places; give as many"
        )
    order = [k for k in range(-n, 0) if k not in sources]
    for place, k in sorted(zip((p + n for p in places), sources, strict=True)):
        order.insert(place, k)
    return once(Transpose, tuple(order))(x)


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Value:
    """`axis` moved to stand before `start`."""
    x = array(a)
    axis = from_end(axis, x.ndim, "rollaxis") + x.ndim
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Value:
    """Unit axes put in at the positions `axis` of the result."""
    x = array(a)
    given = axis if isinstance(axis, tuple | list) else (axis,)
    n = x.ndim + len(given)
    at = {from_end(k, n, "expand_dims") + n for k in given}
    if len(at) < len(given):
        raise ShapeError(f"expand_dims: axis={axis} names a place twice; name each once")
    rest = iter(x.shape)
    return once(Reshape, tuple([1 if k in at else next(rest) for k in range(n)]))(x)


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Value:
    """Unit axes removed: those named, or all."""
    x = array(a)
    if axis is None:
        return Reshape(tuple(n for n in x.shape if n != 1))(x)
    axes = axes_from_end(axis, x.ndim, "squeeze")
    for k in axes:
        if x.shape[k] != 1:
            raise ShapeError(f"squeeze: axis {k} of {aval_of(x)} has size {x.shape[k]}, not 1")
    return Reshape(tuple(n for k, n in enumerate(x.shape, -x.ndim) if k not in axes))(x)


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Value:
    """`array` repeated along new and unit axes to the given shape."""
    x = operand(array)
    sizes = tuple(map(whole, shape)) if isinstance(shape, tuple | list) else (whole(shape),)
    shape_of_x = np.shape(x)
    ends = sizes[len(sizes) - len(shape_of_x) :]
    if len(shape_of_x) > len(sizes) or any(m not in (1, n) for m, n in zip(shape_of_x, ends)):
        raise ShapeError(
            f"broadcast_to: {aval_of(x)} does not broadcast to {sizes}; counted from the last, "
            "each axis must be equal or 1"
        )
    return once(Stretch, sizes)(x)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Value, ...]:
    """All arguments broadcast to one shape."""
    xs = [array(a) for a in args]
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    return tuple(broadcast_to(x, shape) for x in xs)


def at_least(x: Any, ndim: int) -> Value:
    """`x` with `ndim` axes or more, new ones in front."""
    x = array(x)
    return x if x.ndim >= ndim else reshape(x, (1,) * (ndim - x.ndim) + tuple(x.shape))


@implements(np.atleast_1d)
def atleast_1d(*xs: Any) -> Value:
    """Each argument with one axis or more."""
    made = tuple(at_least(x, 1) for x in xs)
    return made[0] if len(made) == 1 else made


@implements(np.atleast_2d)
def atleast_2d(*xs: Any) -> Value:
    """Each argument with two axes or more, new ones in front."""
    made = tuple(at_least(x, 2) for x in xs)
    return made[0] if len(made) == 1 else made


@implements(np.atleast_3d)
def atleast_3d(*xs: Any) -> Value:
    """Each argument with three axes or more, placed as NumPy places them."""

    def three(x: Any) -> Value:
        x = array(x)
        shapes = {0: (1, 1, 1), 1: (1, -1, 1), 2: (*x.shape, 1)}
        return x if x.ndim >= 3 else reshape(x, shapes[x.ndim])

    made = tuple(map(three, xs))
    return made[0] if len(made) == 1 else made


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Value:
    """The order of elements reversed along `axis` (None: all)."""
    x = array(m)
    return Flip(axes_from_end(axis, x.ndim, "flip", strict=True))(x)


@implements(np.fliplr)
def fliplr(m: Any) -> Value:
    """Reversed along the second axis."""
    return flip(m, 1)


@implements(np.flipud)
def flipud(m: Any) -> Value:
    """Reversed along the first axis."""
    if not array(m).ndim:
        raise ShapeError("flipud: a 0-d array has no first axis to reverse")
    return flip(m, 0)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Value:
    """Turned by k quarter turns in the plane of `axes`."""
    x = array(m)
    if len(axes) != 2 or axes[0] == axes[1] or abs(axes[0] - axes[1]) == x.ndim:
        raise ShapeError(f"rot90: axes={axes} must be two different axes")
    first, second = (from_end(a, x.ndim, "rot90") for a in axes)
    k %= 4
    if k == 0:
        return x[...]
    if k == 2:
        return flip(flip(x, first), second)
    return (
        swapaxes(flip(x, second), first, second)
        if k == 1
        else flip(swapaxes(x, first, second), second)
    )


@implements(np.concatenate)
def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, dtype: Any = None, casting: Any = "same_kind"
) -> Value:
    """Arrays joined along an existing axis; flattened first when `axis` is None."""
    xs = [array(a) for a in arrays]
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    if not xs:
        raise ShapeError("concatenate: there is nothing to join; give at least one array")
    ndim = xs[0].ndim
    if ndim == 0:
        raise ShapeError("concatenate: 0-d arrays have no axis to join along; use np.stack")
    at = from_end(axis, ndim, "concatenate")
    for x in xs[1:]:
        if x.shape != xs[0].shape and (
            x.ndim != ndim
            or any(
                m != n
                for k, (m, n) in enumerate(zip(x.shape, xs[0].shape, strict=False), -ndim)
                if k != at
            )
        ):
            raise ShapeError(
                f"concatenate: {aval_of(xs[0])} and {aval_of(x)} do not fit; all axes but "
                f"axis {axis} must be equal"
            )
    joined = in_dtype("concatenate", once(Concatenate, at)(*xs), xs, dtype, casting)
    return delivered("concatenate", joined, out)


def in_dtype(name: str, joined: Value, xs: Sequence[Value], dtype: Any, casting: Any) -> Value:
    """What was joined of operands, in the dtype asked for."""
    if dtype is None and casting == "same_kind":
        return joined
    wanted = joined.dtype if dtype is None else np.dtype(dtype)
    for x in xs:
        if not np.can_cast(x.dtype, wanted, casting):
            raise DtypeError(
                f"{name}: {x.dtype} does not cast to {wanted} by the rule {casting!r}; "
                "give another casting="
            )
    return astype(joined, wanted)


@implements(np.stack)
def stack(
    arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Value:
    """Arrays of one shape joined along a new axis."""
    xs = [array(a) for a in arrays]
    if not xs:
        raise ShapeError("stack: there is nothing to join; give at least one array")
    for x in xs[1:]:
        if x.shape != xs[0].shape:
            raise ShapeError(
                f"stack: {aval_of(xs[0])} and {aval_of(x)} differ in shape; all must be equal"
            )
    side_by_side = once(Stack, from_end(axis, xs[0].ndim + 1, "stack"))
    # A trace is written out: loops are found again in it by what is done with each operand.
    joined = (side_by_side.expand if modes.tracing else side_by_side)(*xs)
    return delivered("stack", in_dtype("stack", joined, xs, dtype, casting), out)


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Value:
    """Rows joined downwards."""
    return concatenate([atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Value:
    """Joined along the second axis, or the first of 1-d arrays."""
    xs = [atleast_1d(x) for x in tup]
    axis = 0 if xs and xs[0].ndim == 1 else 1
    return concatenate(xs, axis, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Any) -> Value:
    """Joined along the third axis."""
    return concatenate([atleast_3d(x) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Value:
    """1-d arrays as columns, joined sideways."""
    xs = [array(x) for x in tup]
    return concatenate([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in xs], 1)


@implements(np.block)
def block(arrays: Any) -> Value:
    """A matrix of blocks from nested lists."""

    def depth(x: Any) -> int:
        return 1 + depth(x[0]) if isinstance(x, list) else 0

    levels = depth(arrays)

    def join(x: Any, level: int) -> Value:
        if not isinstance(x, list):
            return at_least(x, max(levels, 1))
        parts = [join(e, level + 1) for e in x]
        ndim = max(p.ndim for p in parts)
        return concatenate([at_least(p, ndim) for p in parts], axis=level - levels)

    return join(arrays, 0)


def slices(ndim: int, axis: int, piece: slice) -> tuple[Any, ...]:
    """An index that takes `piece` along an axis counted from the end."""
    return (*(slice(None),) * (ndim + axis), piece)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """`ary` cut into pieces along an axis; sizes may differ by one."""
    x = array(ary)
    at = from_end(axis, x.ndim, "array_split")
    n = x.shape[at]
    if np.ndim(indices_or_sections) == 0:
        count = whole(indices_or_sections)
        if count <= 0:
            raise ShapeError(f"array_split: {count} pieces; give a positive number")
        base, extra = divmod(n, count)
        ends = np.cumsum([base + (k < extra) for k in range(count)])[:-1].tolist()
    else:
        ends = [whole(k) for k in indices_or_sections]
    starts = [0, *ends]
    return [x[slices(x.ndim, at, slice(a, b))] for a, b in zip(starts, [*ends, n], strict=True)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """`ary` cut into equal pieces, or at the given indices, along an axis."""
    x = array(ary)
    if np.ndim(indices_or_sections) == 0:
        n = x.shape[from_end(axis, x.ndim, "split")]
        if n % whole(indices_or_sections):
            raise ShapeError(
                f"split: axis of size {n} does not divide into {indices_or_sections} equal "
                "pieces; use np.array_split"
            )
    return array_split(x, indices_or_sections, axis)


def need_axes(name: str, ary: Any, count: int) -> None:
    """Refuse an array with too few axes."""
    if array(ary).ndim < count:
        raise ShapeError(f"{name}: an array of {array(ary).ndim} axes; give one of {count} or more")


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Cut along the second axis, or the first of a 1-d array."""
    need_axes("hsplit", ary, 1)
    return split(ary, indices_or_sections, 0 if array(ary).ndim == 1 else 1)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Cut along the first axis."""
    need_axes("vsplit", ary, 2)
    return split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Cut along the third axis."""
    need_axes("dsplit", ary, 3)
    return split(ary, indices_or_sections, 2)


@implements(*newer("unstack"))
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Value, ...]:
    """The pieces of `x` along an axis, without that axis."""
    return tuple(moveaxis(array(x), axis, 0))


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Value:
    """Elements shifted round along axes; over the flat array when `axis` is None."""
    x = array(a)
    return made_anew(rolled(x, shift, axis), x)


def rolled(x: Value, shift: Any, axis: Any) -> Value:
    """As `roll`, but `x` itself, or a view of it, where nothing moves."""
    if axis is None:
        return reshape(rolled(ravel(x), shift, 0), x.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for s, k in zip(shifts.reshape(-1).tolist(), axes.reshape(-1).tolist(), strict=True):
        at = from_end(k, x.ndim, "roll")
        n = x.shape[at]
        if n and s % n:
            cut = n - s % n
            x = Concatenate(at)(
                x[slices(x.ndim, at, slice(cut, None))], x[slices(x.ndim, at, slice(None, cut))]
            )
    return x


@implements(np.tile)
def tile(A: Any, reps: Any) -> Value:
    """`A` repeated `reps` times along each axis."""
    x = array(A)
    counts = tuple(map(whole, np.atleast_1d(reps)))
    n = max(x.ndim, len(counts))
    counts = (1,) * (n - len(counts)) + counts
    shape = (1,) * (n - x.ndim) + tuple(x.shape)
    paired = tuple(v for c, s in zip(counts, shape, strict=True) for v in (1, s))
    wide = tuple(v for c, s in zip(counts, shape, strict=True) for v in (c, s))
    whole_shape = tuple(c * s for c, s in zip(counts, shape, strict=True))
    return made_anew(reshape(broadcast_to(reshape(x, paired), wide), whole_shape), x)


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Value:
    """Each element repeated, `repeats` times or as many as its own entry says."""
    x = array(a)
    if axis is None:
        x, axis = ravel(x), 0
    x = with_axis(x)
    at = from_end(axis, x.ndim, "repeat")
    source = np.repeat(np.arange(x.shape[at]), repeats)
    return x[(*slices(x.ndim, at, slice(None))[:-1], source)]


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Coordinate arrays from coordinate vectors."""
    xs = [ravel(x) for x in xi]
    n = len(xs)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    shaped = [
        reshape(x, tuple(-1 if order[k] == j else 1 for j in range(n))) for k, x in enumerate(xs)
    ]
    made = tuple(shaped) if sparse else broadcast_arrays(*shaped)
    return tuple(made_anew(x, *xs) for x in made) if copy else made


@implements(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Value:
    """`values` joined to the end of `arr`."""
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([arr, values], axis)


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Value:
    """`func1d` of each vector along `axis`; the axes of its result take that place."""
    x = array(arr)
    at = from_end(axis, x.ndim, "apply_along_axis") + x.ndim
    x = moveaxis(x, at, -1)
    lead = tuple(x.shape[:-1])
    if 0 in lead:
        raise ShapeError("apply_along_axis: there is no vector to apply the function to")
    found = stack([array(func1d(x[k], *args, **kwargs)) for k in np.ndindex(lead)])
    inner = tuple(found.shape[1:])
    found = reshape(found, (*lead, *inner))
    return moveaxis(found, range(len(lead), found.ndim), range(at, at + len(inner)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Value:
    """`func(x, axis)` for one axis after another; an axis that it removes stays with size 1."""
    x = array(a)
    for axis in np.atleast_1d(axes).tolist():
        found = array(func(x, axis))
        x = found if found.ndim == x.ndim else expand_dims(found, axis)
    return x


@implements(np.astype)
def cast(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Value:
    """`x` in another dtype."""
    return array(x).astype(dtype, copy=copy)
