"""NumPy's makers of arrays with `like=` a tracer: what they make records writes into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, implements_like, underlying
from .faces import holds_tracer, operand
from .making import like
from .shaping import astype, broadcast_to

PLAIN: tuple[Callable[..., Any], ...] = (
    np.arange, np.empty, np.eye, np.frombuffer, np.fromfile, np.fromiter, np.fromstring,
    np.genfromtxt, np.identity, np.loadtxt, np.ones, np.tri, np.zeros,
)  # fmt: skip
KEEPING: tuple[Callable[..., Any], ...] = (
    np.array, np.asanyarray, np.asarray, np.ascontiguousarray, np.asfortranarray, np.require,
)  # fmt: skip
ORDERS: dict[Any, Any] = {
    np.ascontiguousarray: "C_CONTIGUOUS",
    np.asfortranarray: "F_CONTIGUOUS",
}  # they copy else


def plain_maker(function: Callable[..., Any]) -> None:
    """Let `function(..., like=t)` make a constant beside `t`."""

    def make(beside: Tracer, *args: Any, **options: Any) -> Value:
        return like(beside, function(*args, **options))

    implements_like(function)(make)


for _function in PLAIN:
    plain_maker(_function)


def kept(beside: Tracer, function: Callable[..., Any], x: Any, dtype: Any, ndmin: int) -> Value:
    """What `function` makes of `x`: a tracer where there are tracers, else a constant."""
    if not holds_tracer(x):
        return like(beside, function(x) if dtype is None else function(x, dtype))
    made = operand(x)
    if dtype is not None and made.dtype != np.dtype(dtype):
        made = astype(made, dtype)
    order = ORDERS.get(function)
    below = underlying(made)
    if order is not None and isinstance(below, np.ndarray) and not below.flags[order]:
        made = np.copy(made)
    lacking = max(ndmin, 1 if function in (np.ascontiguousarray, np.asfortranarray) else 0)
    lacking -= made.ndim
    return np.expand_dims(made, tuple(range(lacking))) if lacking > 0 else made


def keeping_maker(function: Callable[..., Any]) -> None:
    """Let `function(x, like=t)` keep the tracers in `x`, lists of them too."""

    def make(
        beside: Tracer,
        a: Any,
        dtype: Any = None,
        order: Any = None,
        *,
        copy: Any = None,
        subok: bool = False,
        ndmin: int = 0,
        requirements: Any = None,
        device: Any = None,
        ndmax: int = 0,
    ) -> Value:
        made = kept(beside, function, a, dtype, ndmin)
        copies = function is np.array and copy in (None, True)
        return np.copy(made) if copies and made is a else made

    implements_like(function)(make)


for _function in KEEPING:
    keeping_maker(_function)


@implements_like(np.full)
def full(
    beside: Tracer,
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "C",
    *,
    device: Any = None,
) -> Value:
    """`fill_value`, which may carry a gradient, broadcast to `shape`."""
    if not isinstance(fill_value, Tracer):
        return like(beside, np.full(shape, fill_value, dtype))
    fill = fill_value if dtype is None else astype(fill_value, dtype)
    return np.copy(broadcast_to(fill, shape))


@implements_like(np.fromfunction)
def fromfunction(
    beside: Tracer, function: Callable[..., Any], shape: Any, *, dtype: Any = float, **options: Any
) -> Value:
    """`function` of the coordinates of each element; its result may be a tracer."""
    made = function(*np.indices(shape, dtype=dtype), **options)
    return made if isinstance(made, Tracer) else like(beside, made)
