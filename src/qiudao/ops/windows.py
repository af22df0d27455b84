"""Windows into an array, as copies: those that slide, and those that steps in memory describe."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import implements
from ..core.errors import ShapeError
from .faces import array, from_end, whole
from .indexing import getitem


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Value:
    """Every window of `window_shape`, its axes last; a copy, so writes do not reach `x`."""
    values = array(x)
    given = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    sizes = tuple(map(whole, given))
    if any(n < 0 for n in sizes):
        raise ValueError(f"sliding_window_view: window_shape={sizes} has a negative length")
    axes = tuple(range(values.ndim)) if axis is None else axis
    axes = tuple(axes) if isinstance(axes, tuple | list) else (axes,)
    if len(axes) != len(sizes):
        raise ValueError(
            f"sliding_window_view: a window of {len(sizes)} axes for {len(axes)} axes of an array "
            f"of shape {values.shape}; give a length for each, or name them with axis="
        )
    axes = tuple(from_end(k, values.ndim, "sliding_window_view") + values.ndim for k in axes)
    for size, at in zip(sizes, axes, strict=True):
        n = values.shape[at]
        if n < size:
            raise ValueError(
                f"sliding_window_view: a window of length {size} does not fit an axis of length {n}"
            )
        places = np.arange(n - size + 1)[:, None] + np.arange(size)
        windows = getitem(values, (*(slice(None),) * at, places))
        values = np.moveaxis(windows, at + 1, -1)
    return values


def as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Value:
    """`np.lib.stride_tricks.as_strided` of an array without gaps, as a copy.

    NumPy does not dispatch it, so it stands for NumPy's in lifted functions only.  Raises
    `ShapeError` where the steps lead out of the array, which NumPy would read all the same.
    """
    values = array(x)
    sizes = values.shape if shape is None else tuple(map(whole, shape))
    steps = values.strides if strides is None else tuple(map(whole, strides))
    width = values.dtype.itemsize
    places: Any = np.zeros((), np.intp)
    for k, (n, step) in enumerate(zip(sizes, steps, strict=True)):
        if step % width:
            raise ShapeError(f"as_strided: a step of {step} bytes is between numbers of {width}")
        reach = np.arange(n) * (step // width)
        places = places + reach.reshape((n,) + (1,) * (len(sizes) - 1 - k))
    if places.size and not 0 <= places.min() <= places.max() < values.size:
        raise ShapeError(
            f"as_strided: shape {sizes} with steps {steps} leads out of an array of {values.size} "
            "numbers; take steps of strides that x has, x.strides"
        )
    return getitem(np.reshape(values, (-1,)), np.broadcast_to(places, sizes))
