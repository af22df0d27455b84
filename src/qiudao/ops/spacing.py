"""Evenly spaced numbers: linspace, logspace, geomspace, differentiable in both ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import examples, implements
from .faces import array, whole
from .shaping import astype, broadcast_to, concatenate, expand_dims, moveaxis, reshape
from .stopping import stop_gradient


@implements(np.linspace)
def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """`num` numbers from `start` to `stop` at equal steps: start + k (stop - start) / div."""
    count = whole(num)
    if count < 0:
        raise ValueError(f"linspace: num={count}; the number of samples must not be negative")
    low, high = array(start), array(stop)
    made_in = np.result_type(start, stop, float(count))
    wanted = made_in if dtype is None else np.dtype(dtype)
    div = count - 1 if endpoint else count
    change = np.subtract(high, low, dtype=made_in)
    numbers = reshape(np.arange(count, dtype=made_in), (-1, *(1,) * change.ndim))
    if div > 0:
        step: Any = change / div
        y = numbers * step + low
    else:
        step = np.nan
        y = numbers * change + low
    if endpoint and count > 1:
        last = broadcast_to(astype(high, y.dtype), y.shape[1:])
        y = concatenate([y[:-1], expand_dims(last, 0)], 0)
    y = moveaxis(y, 0, axis) if axis != 0 else y
    if wanted.kind in "iu":
        y = np.floor(y)
    y = astype(y, wanted)
    return (y, step) if retstep else y


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Value:  # fmt: skip
    """`base` to the powers of `linspace`: each number the same multiple of the one before."""
    low, high, root = array(start), array(stop), base
    if not isinstance(base, float | int) and np.ndim(base):
        root = array(base)
        most = max(low.ndim, high.ndim, root.ndim)
        low, high, root = (
            reshape(x, (*(1,) * (most - x.ndim), *x.shape)) for x in (low, high, root)
        )
        root = expand_dims(root, axis)
        start, stop = low, high
    y = np.power(root, spaced(start, stop, num, endpoint, axis))
    return y if dtype is None else astype(y, dtype)


def spaced(start: Any, stop: Any, num: Any, endpoint: bool, axis: int) -> Value:
    """`linspace` of operands of which none need be a tracer."""
    return linspace(start, stop, num, endpoint, axis=axis)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Value:
    """A geometric progression from `start` to `stop`: start (stop / start)^(k / div)."""
    low, high = array(start), array(stop)
    for end in (low, high):
        seen = examples(end)
        if seen is not None and np.any(seen == 0):
            raise ValueError("geomspace: an end is 0, and no ratio leads from or to 0")
    made_in = np.result_type(low, high, float(num), np.zeros((), dtype))
    wanted = made_in if dtype is None else np.dtype(dtype)
    low, high = astype(low, made_in), astype(high, made_in)
    turn = np.sign(stop_gradient(low))  # what is divided by it is multiplied by it again
    first, last = low / turn, high / turn
    y = logspace(np.log10(first), np.log10(last), num, endpoint, 10.0, made_in)
    count = whole(num)
    ends = np.broadcast_shapes(first.shape, last.shape)
    first, last = (expand_dims(broadcast_to(x, ends), 0) for x in (first, last))
    if count > 1 and endpoint:
        y = concatenate([first, y[1:-1], last], 0)
    elif count > 0:
        y = concatenate([first, y[1:]], 0)
    y = y * turn
    y = moveaxis(y, 0, axis) if axis != 0 else y
    return astype(y, wanted)
