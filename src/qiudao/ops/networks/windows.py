"""Windows that move over the last axes of an array: where they lie, and what of them is inside.

Along one axis of `size` elements with `before` and `after` more of padding, window `p` reads the
places `p * stride + k * dilation - before`, for the taps k below the window's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Shape, Value
from ...core.errors import DtypeError, ShapeError
from ..faces import whole

Padding = tuple[tuple[int, int], ...]
Index = tuple[Any, ...]


class Windows(NamedTuple):
    """How windows move, along each axis."""

    length: Shape
    stride: Shape
    padding: Padding
    dilation: Shape

    @property
    def are_apart(self) -> bool:
        """Whether no place is in two windows."""
        return all(
            s >= (k - 1) * d + 1
            for k, s, d in zip(self.length, self.stride, self.dilation, strict=True)
        )

    def counts(self, sizes: Shape) -> Shape:
        """How many windows lie in an array of these sizes."""
        return tuple(
            max((n + a + b - (k - 1) * d - 1) // s + 1, 0)
            for n, k, s, (a, b), d in zip(sizes, *self, strict=True)
        )

    def taps(self, sizes: Shape, counts: Shape) -> Iterator[tuple[Index, Index]]:
        """For each tap: the index of the windows in which it is inside of the array, and of what
        they read there.
        """
        for tap in np.ndindex(*self.length):
            pairs = [
                reads(k, n, p, s, a, d)
                for k, n, p, s, (a, _), d in zip(
                    tap, sizes, counts, self.stride, self.padding, self.dilation, strict=True
                )
            ]
            yield (Ellipsis, *(w for w, _ in pairs)), (Ellipsis, *(r for _, r in pairs))


def reads(
    tap: int, size: int, count: int, stride: int, before: int, dilation: int
) -> tuple[slice, slice]:
    """Along one axis: the windows in which a tap is inside the array, and the places it reads."""
    offset = tap * dilation - before
    first = max(-(offset // stride), 0)  # the least p with p * stride + offset >= 0
    stop = max(min((size - 1 - offset) // stride + 1, count), first)
    if stop == first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + offset
    return slice(first, stop), slice(start, start + (stop - first - 1) * stride + 1, stride)


def padded(x: Value, padding: Padding, fill: Any = 0) -> Value:
    """A plain array with its last axes padded; the array itself where there is nothing to add."""
    count = len(padding)
    sizes = x.shape[-count:]
    if not any(map(any, padding)):
        return x
    wide = tuple(n + a + b for n, (a, b) in zip(sizes, padding, strict=True))
    out = np.full((*x.shape[:-count], *wide), fill, x.dtype)
    out[inside(sizes, padding)] = x
    return out


def inside(sizes: Shape, padding: Padding) -> Index:
    """The index of what is not padding."""
    return (Ellipsis, *(slice(a, a + n) for n, (a, _) in zip(sizes, padding, strict=True)))


def sliding(x: Value, windows: Windows, counts: Shape) -> Value:
    """The taps of all windows of a padded array as a view: (*lead, *length, *counts)."""
    n = len(counts)
    lead, steps = x.strides[:-n], x.strides[-n:]
    strides = (
        *lead,
        *(s * d for s, d in zip(steps, windows.dilation, strict=True)),
        *(s * d for s, d in zip(steps, windows.stride, strict=True)),
    )
    shape = (*x.shape[:-n], *windows.length, *counts)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


# What callers give


def each_axis(name: str, what: str, value: Any, count: int, least: int) -> Shape:
    """One integer for each of `count` axes, from one or from a sequence of them."""
    given = tuple(value) if np.iterable(value) else (value,) * count
    if len(given) != count:
        raise ShapeError(
            f"{name}: {what}={value!r} has {len(given)} entries, and there are {count} axes of "
            "space; give one number, or one for each axis"
        )
    try:
        found = tuple(map(whole, given))
    except TypeError:
        raise DtypeError(
            f"{name}: {what}={value!r}; it must be a whole number, or one for each axis"
        ) from None
    if any(n < least for n in found):
        raise ShapeError(f"{name}: {what}={value!r}; it must be at least {least} along each axis")
    return found


def padding_of(
    name: str, value: Any, sizes: Shape, length: Shape, stride: Shape, dilation: Shape
) -> Padding:
    """The padding before and after each axis.

    From one number, one for each axis, one pair for each, "valid" (none) or "same" (as much as
    keeps ceil(size / stride) windows, one more after than before where that is odd).
    """
    count = len(sizes)
    if isinstance(value, str):
        if value == "valid":
            return ((0, 0),) * count
        if value != "same":
            raise ShapeError(f'{name}: padding={value!r}; it must be "same", "valid" or numbers')
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(sizes, length, stride, dilation, strict=True)
        ]
        return tuple((t // 2, t - t // 2) for t in totals)
    rows: Sequence[Any] = tuple(value) if np.iterable(value) else (value,) * count
    if len(rows) != count:
        raise ShapeError(
            f"{name}: padding={value!r} has {len(rows)} entries, and there are {count} axes of "
            "space; give one number, or a number or a pair (before, after) for each axis"
        )
    found = []
    for row in rows:
        pair = tuple(map(whole, row)) if np.iterable(row) else (whole(row), whole(row))
        if len(pair) != 2:
            raise ShapeError(
                f"{name}: padding={value!r} has an entry of {len(pair)} numbers; give a number or "
                "a pair (before, after) for each axis"
            )
        if min(pair) < 0:
            raise ShapeError(f"{name}: padding={value!r}; it must be at least 0 along each axis")
        found.append((pair[0], pair[1]))
    return tuple(found)


def check_counts(name: str, sizes: Shape, windows: Windows) -> None:
    """Raise where an array has no room for one window."""
    for n, k, (a, b), d in zip(
        sizes, windows.length, windows.padding, windows.dilation, strict=True
    ):
        if n + a + b < (k - 1) * d + 1:
            raise ShapeError(
                f"{name}: an axis of {n} elements with padding {(a, b)} has no room for a window "
                f"of {k} elements at dilation {d}; pad more, or take a smaller window"
            )
