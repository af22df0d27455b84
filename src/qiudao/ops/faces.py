"""From NumPy's lenient calls to strict primitives: operands, keywords, axes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer, concrete, implements_method, overrides
from ..core.errors import DetachError, RuleError, ShapeError
from ..core.primitive import Primitive

Function = Callable[..., Any]
_NUMBERS = (float, int, complex)
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
    return np.asarray(x) if isinstance(x, _NUMBERS) else operand(x)


def face(primitive: Primitive, *functions: Any) -> Primitive:
    """Let NumPy's elementwise `functions` find `primitive`."""
    meets(*functions)(primitive)
    return primitive


def meets(*functions: Any) -> Callable[[Function], Function]:
    """Let NumPy's elementwise `functions` find ours, with the keywords that a ufunc takes."""
    name = functions[0].__name__

    def register(ours: Function) -> Function:
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
                    f"{name}: where= leaves the other lanes undefined; "
                    f"write np.where(mask, np.{name}(x), otherwise)"
                )
            if dtype is None:
                return ours(*map(operand, xs))
            cast = overrides[np.ndarray.astype]
            if np.dtype(dtype).kind in "fc":  # as NumPy does: in the wanted precision throughout
                return ours(*(cast(array(x), dtype) for x in xs))
            return cast(ours(*map(operand, xs)), dtype)

        call.__name__ = name
        for function in functions:
            overrides[function] = call
        return ours

    return register


@implements_method(None, "outer")
def outer(ufunc: np.ufunc, a: Any, b: Any, **options: Any) -> Value:
    """`ufunc.outer(a, b)`: each element of `a` with each of `b`."""
    first, second = array(a), array(b)
    return ufunc(np.reshape(first, (*first.shape, *(1,) * second.ndim)), second, **options)


def whole(value: Any) -> int:
    """An integer argument, from any integer type."""
    return operator.index(value)


def delivered(name: str, result: Value, out: Any) -> Value:
    """A result, written into the tensor that the call gave as `out=` (None: none)."""
    if out is None:
        return result
    if not isinstance(out, Tracer):
        if not isinstance(result, Tracer):  # no gradient to lose: a mask, a count
            np.copyto(out, result, casting="same_kind")
            return out
        raise DetachError(
            f"{name}: out= is a plain NumPy array, and writing the result into it would cut the "
            "gradient in silence; take the returned value, or make the target np.zeros_like(t)"
        )
    out[...] = result  # type: ignore[index]
    return out


def known(x: Value) -> Value | None:
    """The plain value of an operand, or None where it differs between the examples of a batch."""
    try:
        return concrete(x)
    except DetachError:
        return None


def from_end(axis: Any, ndim: int, name: str) -> int:
    """An axis counted from the end, so that a leading batch axis leaves it right."""
    k = whole(axis)
    if not -ndim <= k < ndim:
        raise np.exceptions.AxisError(k, ndim, name)
    return k - ndim if k >= 0 else k


def axes_from_end(axis: Any, ndim: int, name: str) -> tuple[int, ...]:
    """A NumPy `axis` argument (None: all) as distinct axes from the end, sorted."""
    if axis is None:
        return tuple(range(-ndim, 0))
    given: Iterable[Any] = axis if isinstance(axis, tuple | list) else (axis,)
    if ndim == 0 and given == (axis,) and whole(axis) in (0, -1):
        return ()  # NumPy lets a number be reduced along its first axis, which it has not
    axes = tuple(sorted(from_end(a, ndim, name) for a in given))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{name}: axis={axis} names an axis twice; name each once")
    return axes
