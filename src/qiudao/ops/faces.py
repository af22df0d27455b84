"""From NumPy's lenient calls to strict primitives: operands, keywords, axes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, overrides
from ..core.errors import RuleError, ShapeError
from ..core.primitive import Primitive

_PLAIN = (np.ndarray, np.generic, float, int, complex, Tracer)


def operand(x: Any) -> Value:
    """An operand as a primitive takes it: arrays, scalars and tracers pass, lists become arrays."""
    if isinstance(x, _PLAIN):
        return x
    if isinstance(x, list | tuple) and any(isinstance(e, Tracer) for e in x):
        return np.stack([operand(e) for e in x])
    return np.asarray(x)


def array(x: Any) -> Value:
    """An operand that has axes: Python scalars become arrays too."""
    return np.asarray(x) if isinstance(x, float | int | complex) else operand(x)


def face(primitive: Primitive, *functions: Any) -> Primitive:
    """Let NumPy's elementwise `functions` find `primitive`."""

    def call(
        *xs: Any,
        where: Any = True,
        dtype: Any = None,
        casting: str = "same_kind",
        order: str = "K",
        subok: bool = True,
    ) -> Value:
        if where is not True:
            raise RuleError(
                f"{primitive.name}: where= leaves the other lanes undefined; "
                f"write np.where(mask, np.{primitive.name}(x), otherwise)"
            )
        out = primitive(*map(operand, xs))
        return out if dtype is None else overrides[np.ndarray.astype](out, dtype)

    call.__name__ = primitive.name
    for function in functions:
        overrides[function] = call
    return primitive


def whole(value: Any) -> int:
    """An integer argument, from any integer type."""
    return operator.index(value)


def from_end(axis: Any, ndim: int, name: str) -> int:
    """An axis counted from the end, so that a leading batch axis leaves it right."""
    axis = whole(axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim, name)
    return axis - ndim if axis >= 0 else axis


def axes_from_end(axis: Any, ndim: int, name: str) -> tuple[int, ...]:
    """A NumPy `axis` argument (None: all) as distinct axes from the end, sorted."""
    if axis is None:
        return tuple(range(-ndim, 0))
    given: Iterable[Any] = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted(from_end(a, ndim, name) for a in given))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{name}: axis={axis} names an axis twice; name each once")
    return axes


Function = Callable[..., Any]
