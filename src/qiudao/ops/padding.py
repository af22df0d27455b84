"""`np.pad`, in every mode that NumPy names.

Axes are padded one after another, as NumPy does it, so that corners come out alike.  Modes that
repeat elements are one read by index; the others join computed slabs to both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value, is_inexact
from ..core.dispatch import Tracer, implements
from ..core.errors import RuleError
from .faces import array, whole
from .shaping import astype, broadcast_to, concatenate, expand_dims, made_anew, slices
from .taking import picked

REPEATS = ("edge", "reflect", "symmetric", "wrap")
STATISTICS: dict[str, Callable[..., Value]] = {
    "maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min,
}  # fmt: skip
KEYWORDS = {
    "constant": "constant_values", "linear_ramp": "end_values", "reflect": "reflect_type",
    "symmetric": "reflect_type", **dict.fromkeys(STATISTICS, "stat_length"),
}  # fmt: skip

Pair = tuple[Any, Any]


@implements(np.pad)
def pad(array_: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Value:
    """`array` with `pad_width` elements more before and after it along each axis."""
    x = array(array_)
    if callable(mode):
        raise RuleError(
            "pad: a function as mode= writes into a plain array, which would cut the gradient; "
            "join the parts with np.concatenate"
        )
    if mode not in (*REPEATS, *STATISTICS, "constant", "empty", "linear_ramp"):
        raise ValueError(f"pad: mode {mode!r} is not supported")
    unknown = set(options) - {KEYWORDS.get(mode)}
    if unknown:
        raise ValueError(f"pad: mode {mode!r} takes no {', '.join(sorted(map(str, unknown)))}")
    widths = [(whole(a), whole(b)) for a, b in pairs(as_table(pad_width, x.ndim), x.ndim)]
    if min((w for pair in widths for w in pair), default=0) < 0:
        raise ValueError(f"pad: pad_width={pad_width} has a negative width")
    option = options.get(KEYWORDS.get(mode, ""))
    if mode in ("constant", "empty"):
        return with_constant(x, widths, 0 if option is None else option)
    extras = pairs(0 if option is None and mode == "linear_ramp" else option, x.ndim)
    if mode in ("reflect", "symmetric"):
        extras = [(option, option)] * x.ndim
    given = x
    for axis, (width, extra) in enumerate(zip(widths, extras, strict=True), -x.ndim):
        if any(width) and not x.shape[axis]:
            raise ValueError(f"pad: mode {mode!r} has nothing to extend along an empty axis")
        if any(width):
            x = along_axis(x, axis, width, mode, extra)
    return made_anew(x, given)


def as_table(widths: Any, ndim: int) -> Any:
    """Widths by axis, from a dictionary too."""
    if not isinstance(widths, dict):
        return widths
    table: list[Any] = [(0, 0)] * ndim
    for axis, width in widths.items():
        table[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
    return table


def pairs(value: Any, ndim: int) -> list[Pair]:
    """A value for each end of each axis, from one, from two, or from a table of them."""
    if value is None:
        return [(None, None)] * ndim
    table = array(value)
    if table.ndim > 2:
        raise ValueError(f"pad: a table of {table.ndim} axes; give one row of two for each axis")
    table = broadcast_to(table, (ndim, 2))
    return [(table[k, 0], table[k, 1]) for k in range(ndim)]


def with_constant(x: Value, widths: list[tuple[int, int]], value: Any) -> Value:
    """Constants on both sides; a plain frame that `x` is written into where they are plain."""
    values = array(value)
    if not isinstance(values, Tracer):
        frame = np.pad(np.zeros(x.shape, x.dtype), widths, constant_values=values)
        if not isinstance(x, Tracer):
            x = array(x)
        inside = tuple(slice(a, a + n) for (a, _), n in zip(widths, x.shape, strict=True))
        target = np.zeros_like(x, shape=frame.shape)
        target[...] = frame
        target[inside] = x
        return target
    for axis, (width, pair) in enumerate(zip(widths, pairs(values, x.ndim), strict=True), -x.ndim):
        ends = []
        for count, end in zip(width, pair, strict=True):
            sizes = list(x.shape)
            sizes[axis] = count
            ends.append(broadcast_to(astype(end, x.dtype), tuple(sizes)))
        x = concatenate([ends[0], x, ends[1]], axis)
    return x


def along_axis(x: Value, axis: int, width: tuple[int, int], mode: str, extra: Pair) -> Value:
    """One axis padded."""
    if mode == "linear_ramp":
        left = ramp(part(x, axis, slice(0, 1)), extra[0], width[0], axis)
        right = ramp(part(x, axis, slice(-1, None)), extra[1], width[1], axis)
        return concatenate([left, x, np.flip(right, axis)], axis)
    if mode in STATISTICS:
        return with_statistic(x, axis, width, STATISTICS[mode], extra)
    if extra[0] == "odd" and x.shape[axis] > 1:
        return mirrored(x, axis, width, skip=int(mode == "reflect"))
    places = np.pad(np.arange(x.shape[axis]), width, mode)  # type: ignore[call-overload]
    return picked(x, places, axis)


def part(x: Value, axis: int, piece: slice) -> Value:
    """A piece of `x` along an axis counted from the end."""
    return x[slices(x.ndim, axis, piece)]


def ramp(edge: Value, end: Any, count: int, axis: int) -> Value:
    """`count` even steps from `end` towards the edge, which is not reached."""
    exact = is_inexact(edge.dtype)
    counted = np.arange(count, dtype=edge.dtype if exact else np.float64)
    steps = expand_dims(counted, tuple(range(1, -axis)))
    found = end + steps * ((edge - end) / max(count, 1))
    return astype(np.floor(found) if edge.dtype.kind in "iu" else found, edge.dtype)


def with_statistic(
    x: Value, axis: int, width: tuple[int, int], statistic: Callable[..., Value], lengths: Pair
) -> Value:
    """Both ends filled with a statistic of the elements near them."""
    n = x.shape[axis]
    spans = [n if length is None else min(whole(length), n) for length in lengths]
    near = (part(x, axis, slice(0, spans[0])), part(x, axis, slice(n - spans[1], n)))
    ends = []
    for count, elements in zip(width, near, strict=True):
        sizes = list(x.shape)
        sizes[axis] = count
        level = statistic(elements, axis=axis, keepdims=True)
        level = astype(np.round(level) if x.dtype.kind in "iu" else level, x.dtype)
        ends.append(broadcast_to(level, tuple(sizes)))
    return concatenate([ends[0], x, ends[1]], axis)


def mirrored(x: Value, axis: int, width: tuple[int, int], skip: int) -> Value:
    """Reflected at both edges, and turned over so that the edge is its centre: 2 edge - x.

    What is wider than the array is reflected again, by whole periods of it.
    """
    before, after = width
    period = x.shape[axis] - skip
    while before or after:
        n = x.shape[axis]
        span = (n - skip) // period * period
        left, right = min(span, before), min(span, after)
        head = part(x, axis, slice(skip, skip + left))
        tail = part(x, axis, slice(n - skip - right, n - skip))
        first, last = part(x, axis, slice(0, 1)), part(x, axis, slice(n - 1, n))
        ends = [2 * e - np.flip(p, axis) for e, p in ((first, head), (last, tail))]
        x = concatenate([ends[0], x, ends[1]], axis)
        before, after = before - left, after - right
    return x
