"""Finite differences and sums over samples: diff, ediff1d, gradient, trapezoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.dispatch import Tracer, implements
from ..core.errors import ShapeError
from ..core.node import placed
from .faces import array, axes_from_end, from_end, whole
from .shaping import slices

UNSET: Any = np._NoValue  # NumPy's own mark of an argument that was left out


def cut(x: Value, axis: int, start: int | None, stop: int | None) -> Value:
    """The part of `x` from `start` to `stop` along an axis counted from the end."""
    return x[slices(x.ndim, axis, slice(start, stop))]


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = UNSET, append: Any = UNSET) -> Value:
    """The n-th difference of neighbours along an axis, after joining `prepend` and `append`."""
    n = whole(n)
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"diff: n={n} differences; give a number that is not negative")
    x = array(a)
    if x.ndim == 0:
        raise ShapeError("diff: a 0-d array has no axis to take differences along")
    at = from_end(axis, x.ndim, "diff")
    ends = [None if end is UNSET else edge(end, x, at) for end in (prepend, append)]
    joined = [part for part in (ends[0], x, ends[1]) if part is not None]
    if len(joined) > 1:
        x = np.concatenate(joined, at)
    for _ in range(n):
        low, high = cut(x, at, None, -1), cut(x, at, 1, None)
        x = high != low if x.dtype == np.bool_ else placed(high - low)
    return x


def edge(value: Any, x: Value, axis: int) -> Value:
    """What is joined to an end of `x`; one number stands for a whole slice."""
    value = array(value)
    if value.ndim:
        return value
    sizes = list(x.shape)
    sizes[axis] = 1
    return np.broadcast_to(value, tuple(sizes))


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Value:
    """The differences of neighbours in the flat array, between `to_begin` and `to_end`."""
    x = np.ravel(array(ary))
    change = x[1:] - x[:-1]
    if to_end is None and to_begin is None:
        return change
    parts = [change]
    for name, end in (("to_begin", to_begin), ("to_end", to_end)):
        if end is None:
            continue
        end = np.ravel(array(end))
        if not np.can_cast(end.dtype, x.dtype, "same_kind"):
            raise TypeError(
                f"ediff1d: {name} is {aval_of(end)} and does not fit {aval_of(x)}; convert it"
            )
        end = end if end.dtype == x.dtype else end.astype(x.dtype)
        parts = [end, *parts] if name == "to_begin" else [*parts, end]
    return np.concatenate(parts)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    """The integral over samples `y` at `x`, or at steps `dx`, by the trapezoid rule."""
    y = array(y)
    at = from_end(axis, y.ndim, "trapezoid")
    step = dx
    if x is not None:
        x = array(x)
        step = np.diff(x) if x.ndim == 1 else np.diff(x, axis=axis)
        if x.ndim == 1:
            step = np.reshape(step, (-1, *(1,) * (-at - 1)))
    return np.sum(step * (cut(y, at, 1, None) + cut(y, at, None, -1)) / 2.0, axis)


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes of samples along axes: central differences inside, one-sided ones at the edges.

    `varargs` are the spacing: one step, or for each axis a step or coordinates, any of which may
    carry a gradient.
    """
    f = array(f)
    f = f if f.dtype.kind in "fc" else np.asarray(f, np.float64)
    axes = [
        from_end(k, f.ndim, "gradient")
        for k in (range(f.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,))
    ]
    axes_from_end(tuple(axes), f.ndim, "gradient")  # no axis twice
    spacing = steps(f, axes, varargs)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order={edge_order} is unknown; use 1 or 2")
    slopes = tuple(
        slope_along(f, at, step, edge_order) for at, step in zip(axes, spacing, strict=True)
    )
    return slopes[0] if len(axes) == 1 else slopes


def steps(f: Value, axes: list[int], given: tuple[Any, ...]) -> list[Value]:
    """For each axis the step between samples: one number, or one for each gap."""
    if not given:
        return [1.0] * len(axes)
    if len(given) == 1 and np.ndim(given[0]) == 0:
        return [given[0]] * len(axes)
    if len(given) != len(axes):
        raise TypeError(
            f"gradient: {len(given)} spacings for {len(axes)} axes; give one for each axis, or one "
            "step for all"
        )
    return [step_of(x, f.shape[at]) for x, at in zip(given, axes, strict=True)]


def step_of(x: Any, size: int) -> Value:
    """A step, or the gaps between coordinates; equal plain gaps are one step."""
    x = array(x)
    if x.ndim == 0:
        return x
    if x.shape != (size,):
        raise ShapeError(
            f"gradient: coordinates of shape {x.shape} for an axis of size {size}; give one "
            "coordinate for each sample"
        )
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    gaps = np.diff(x)
    level = not isinstance(gaps, Tracer) and bool((gaps == gaps[:1]).all())
    return gaps[0] if level and gaps.size else gaps


def slope_along(f: Value, axis: int, step: Value, edge_order: int) -> Value:
    """The slopes along one axis, an axis counted from the end."""
    size = f.shape[axis]
    if size < edge_order + 1:
        raise ShapeError(
            f"gradient: an axis of size {size} is too short for edge_order={edge_order}; it needs "
            f"{edge_order + 1} samples"
        )
    even = np.ndim(step) == 0
    low, mid, high = cut(f, axis, None, -2), cut(f, axis, 1, -1), cut(f, axis, 2, None)
    if even:
        inner = (high - low) / (2.0 * step)
    else:
        gaps = np.reshape(step, (-1, *(1,) * (-axis - 1)))
        d1, d2 = gaps[:-1], gaps[1:]
        inner = (
            -d2 / (d1 * (d1 + d2)) * low
            + (d2 - d1) / (d1 * d2) * mid
            + d1 / (d2 * (d1 + d2)) * high
        )
    first = edge_slope(f, axis, step, edge_order, range(3))
    last = edge_slope(f, axis, step, edge_order, range(-1, -4, -1))
    slopes = np.concatenate((first, inner, last), axis)
    return slopes if slopes.dtype == f.dtype else slopes.astype(f.dtype)


def edge_slope(f: Value, axis: int, step: Value, order: int, numbers: range) -> Value:
    """The slope at the sample `numbers[0]` at an edge, from it and those after it inwards."""
    inwards = 1.0 if numbers[0] == 0 else -1.0
    a, b = (f[slices(f.ndim, axis, slice(k, k + 1 or None))] for k in numbers[:2])
    gap = numbers if inwards > 0 else range(-1, -3, -1)
    even = np.ndim(step) == 0
    d1 = inwards * (step if even else step[gap[0]])
    if order == 1:
        return (b - a) / d1
    c = f[slices(f.ndim, axis, slice(numbers[2], numbers[2] + 1 or None))]
    if even:
        return (-1.5 / d1) * a + (2.0 / d1) * b + (-0.5 / d1) * c
    d2 = inwards * step[gap[1]]
    return (
        -(2.0 * d1 + d2) / (d1 * (d1 + d2)) * a
        + (d1 + d2) / (d1 * d2) * b
        - d1 / (d2 * (d1 + d2)) * c
    )
