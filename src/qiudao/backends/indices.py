"""Reading and placing elements with what every library has: slices, concatenation, `take`.

The array standard wants a slice for every axis, knows no scatter, and torch no negative step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..ops.folding import occurrences
from .libraries import Library

Index = tuple[Any, ...]


class Cut(NamedTuple):
    """What a basic index does to one axis of an array: a slice with a positive step, turned or
    not, of which an integer drops the axis.
    """

    start: int
    length: int
    step: int
    turned: bool
    dropped: bool


def cuts(index: Sequence[Any], shape: tuple[int, ...]) -> tuple[list[Cut], list[int]]:
    """A basic index as a cut for each axis, and where None puts new axes into the result."""
    rest = len(shape) - sum(isinstance(p, int | slice | np.integer) for p in index)
    parts: list[Any] = []
    for part in index if Ellipsis in index else (*index, Ellipsis):
        parts += [slice(None)] * rest if part is Ellipsis else [part]
    found: list[Cut] = []
    new: list[int] = []
    place = 0
    for part in parts:
        if part is None:
            new.append(place)
            place += 1
            continue
        n = shape[len(found)]
        if isinstance(part, slice):
            steps = range(n)[part]
            first = steps[-1] if steps.step < 0 and steps else steps.start
            found.append(Cut(first, len(steps), abs(steps.step), steps.step < 0, False))
            place += 1
        else:
            if not -n <= part < n:
                raise IndexError(
                    f"getitem: index {part} is out of bounds for an axis of {n} elements"
                )
            found.append(Cut(int(part) % n, 1, 1, False, True))
    return found, new


def take_basic(library: Library, x: Any, index: Sequence[Any]) -> Any:
    """`x[index]` for integers, slices, None and Ellipsis."""
    found, new = cuts(index, library.shape_of(x))
    for axis, cut in enumerate(found):
        x = cut_axis(library, x, axis, cut)
    shape = [c.length for c in found if not c.dropped]
    for place in new:
        shape.insert(place, 1)
    return library.xp.reshape(x, tuple(shape)) if tuple(shape) != tuple(x.shape) else x


def cut_axis(library: Library, x: Any, axis: int, cut: Cut) -> Any:
    """One axis of `x`, cut."""
    n = int(x.shape[axis])
    if cut.length < n:
        stop = cut.start + (cut.length - 1) * cut.step + 1 if cut.length else cut.start
        whole = (slice(None),) * axis
        after = (slice(None),) * (x.ndim - axis - 1)
        start = min(cut.start, n)
        x = x[(*whole, slice(start, max(stop, start), cut.step), *after)]
    return library.xp.flip(x, axis=axis) if cut.turned else x


def place_basic(library: Library, x: Any, index: Sequence[Any], sizes: tuple[int, ...]) -> Any:
    """`x` written into zeros of shape `sizes` at a basic index: the transpose of reading."""
    found, _ = cuts(index, sizes)
    x = library.xp.reshape(x, tuple(c.length for c in found))
    for axis, (cut, n) in enumerate(zip(found, sizes, strict=True)):
        if cut.turned:
            x = library.xp.flip(x, axis=axis)
        if cut.step > 1 and cut.length:
            x = apart(library, x, axis, cut.step)
        if not cut.length:
            x = zeros(library, x, (*x.shape[:axis], n, *x.shape[axis + 1 :]))
            continue
        x = padded(library, x, axis, cut.start, n - cut.start - int(x.shape[axis]))
    return x


def apart(library: Library, x: Any, axis: int, step: int) -> Any:
    """The elements along an axis with `step - 1` zeros between them."""
    xp = library.xp
    shape = tuple(x.shape)
    wide = xp.reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    wide = padded(library, wide, axis + 1, 0, step - 1)
    flat = xp.reshape(wide, (*shape[:axis], shape[axis] * step, *shape[axis + 1 :]))
    return cut_axis(library, flat, axis, Cut(0, (shape[axis] - 1) * step + 1, 1, False, False))


def padded(library: Library, x: Any, axis: int, before: int, after: int) -> Any:
    """Zeros before and after along an axis."""
    shape = tuple(x.shape)
    pieces = [
        zeros(library, x, (*shape[:axis], n, *shape[axis + 1 :])) for n in (before, after) if n > 0
    ]
    if not pieces:
        return x
    pieces.insert(1 if before else 0, x)
    return library.xp.concat(pieces, axis=axis)


def zeros(library: Library, like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of the dtype, and on the device, of an array."""
    zero = library.constant(0, like, library.dtype_of(like))
    return library.xp.broadcast_to(zero, tuple(map(int, shape)))


SCATTERS: dict[str, Callable[[Any, Any, Any], Any]] = {  # what the standard lacks and these have
    "torch": lambda start, numbers, rows: start.index_add(0, numbers, rows),
    "jax.numpy": lambda start, numbers, rows: start.at[numbers].add(rows),
}


def add_rows(library: Library, rows: Any, numbers: Any, count: int) -> Any:
    """`count` rows of zeros with `rows[k]` added to row `numbers[k]`.

    Where these are known it is by reading: one `take` for each time that a number is repeated,
    from the rows with a row of zeros after them.  Else it takes a library that can scatter.
    """
    xp = library.xp
    if not isinstance(numbers, np.ndarray):
        if library.name not in SCATTERS:
            raise library.lacks("scatter", "to add at an index that is itself one of its arrays")
        start = xp.zeros_like(zeros(library, rows, (count, *rows.shape[1:])))
        return SCATTERS[library.name](start, numbers, rows)
    extended = padded(library, rows, 0, 0, 1)
    total: Any = None
    for places in occurrences(numbers):
        table = np.full(count, numbers.size, np.intp)  # beyond the rows: the row of zeros
        table[numbers[places]] = places
        part = xp.take(extended, library.constant(table, rows), axis=0)
        total = part if total is None else total + part
    return zeros(library, rows, (count, *rows.shape[1:])) if total is None else total


def put_rows(library: Library, x: Any, rows: Any, numbers: Any) -> Any:
    """`x` with row `numbers[k]` replaced by `rows[k]`; the last of equal numbers stays."""
    xp = library.xp
    count = int(x.shape[0])
    last = np.full(count, numbers.size, np.intp)
    last[numbers] = np.arange(numbers.size)
    taken = xp.take(padded(library, rows, 0, 0, 1), library.constant(last, rows), axis=0)
    hit = library.constant((last < numbers.size).reshape(-1, *(1,) * (x.ndim - 1)), rows)
    return xp.where(hit, taken, x)


def rows_first(
    library: Library, x: Any, axes: Sequence[int]
) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The indexed axes of `x` in front and as one; with their lengths and those of the rest."""
    xp = library.xp
    others = [k for k in range(x.ndim) if k not in axes]
    moved = xp.permute_dims(x, (*axes, *others))
    dims = tuple(int(x.shape[k]) for k in axes)
    rest = tuple(int(x.shape[k]) for k in others)
    return xp.reshape(moved, (math.prod(dims), *rest)), dims, rest


def rows_back(library: Library, x: Any, axes: Sequence[int], dims: Any, rest: Any) -> Any:
    """The inverse of `rows_first`."""
    xp = library.xp
    ndim = len(dims) + len(rest)
    order = (*axes, *(k for k in range(ndim) if k not in axes))
    inverse = tuple(int(k) for k in np.argsort(order))
    return xp.permute_dims(xp.reshape(x, (*dims, *rest)), inverse)
