"""The two ways through a function, in HIPS autograd's conventions.

Complex cotangents are paired without a conjugate there: the gradient of a real function of
z = x + iy is df/dx - i df/dy, the conjugate of `qd.grad`'s.  A result that does not depend on the
input warns and gives zeros.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd

from ...core.dispatch import Tracer
from ...core.modes import modes
from ...core.trees import flatten

_ARRAYS = {np.ndarray, np.float64}
_REAL = {np.ndarray, float, np.float64}


def capturable(fun: Callable[..., Any]) -> Callable[..., Any]:
    """The user's function, with its branches and loops captured where `qd.jit` traces it."""
    return fun if modes.capture is None else modes.capture(fun)


def differentiable(x: Any) -> Any:
    """An argument to differentiate by: integers are refused, arrays of integers made floats."""
    if isinstance(x, Tracer):
        return x
    if type(x) in _REAL and (type(x) is not np.ndarray or x.dtype.kind in "fc"):
        return x
    leaves, tree = flatten(x)
    return tree.build([_leaf(leaf) for leaf in leaves])


def _leaf(x: Any) -> Any:
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu":
        return x.astype(float)
    if isinstance(x, Tracer) or (
        isinstance(x, np.ndarray | np.generic | float | complex) and np.result_type(x).kind in "fc"
    ):
        return x
    raise TypeError(
        f"Can't differentiate w.r.t. type {type(x)}: only floats, complex numbers and arrays "
        "have derivatives; convert the value with float, or choose another argnum"
    )


def level_of(x: Any) -> float:
    """The level of the transform that an argument belongs to."""
    if isinstance(x, Tracer):
        return x.level
    return max((leaf.level for leaf in flatten(x)[0] if isinstance(leaf, Tracer)), default=0.0)


def warn_if_independent(y: Any, level: float) -> None:
    """Say that a result does not depend on the input, of which the derivative is zero."""
    if isinstance(y, Tracer) and y.level >= level and y.carries():
        return
    for leaf in flatten(y)[0]:
        if isinstance(leaf, Tracer) and leaf.level >= level and leaf.carries():
            return
    warnings.warn("Output seems independent of input.", stacklevel=4)


def conjugate(tree: Any) -> Any:
    """A container with its complex leaves conjugated."""
    if type(tree) in _ARRAYS and tree.dtype.kind == "f":
        return tree
    leaves, structure = flatten(tree)
    if not any(_is_complex(x) for x in leaves):
        return tree
    return structure.build([np.conj(x) if _is_complex(x) else x for x in leaves])


def _is_complex(x: Any) -> bool:
    return isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c"


def pulled(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """The pullback of `fun` at `x` and the value there: (g -> cotangent of x, value)."""

    def watched(argument: Any) -> Any:
        y = fun(argument)
        warn_if_independent(y, level_of(argument))
        return y

    value, pullback = qd.vjp(watched, differentiable(x))

    def vjp(g: Any) -> Any:
        (found,) = pullback(conjugate(fitted(g, value)))
        return conjugate(found)

    return vjp, value


def fitted(g: Any, value: Any) -> Any:
    """A cotangent in the shape of the value, to which a number or a smaller array is stretched."""
    if isinstance(value, tuple | list | dict):
        return g
    if type(g) is type(value) is np.ndarray and g.shape == value.shape:
        return g
    shape = np.shape(value)
    return g if np.shape(g) == shape else np.broadcast_to(g, shape)


def pushed(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """The pushforward of `fun` at `x`: tangent of x -> (value, tangent of the value)."""

    def watched(argument: Any) -> Any:
        y = fun(argument)
        warn_if_independent(y, level_of(argument))
        return y

    def jvp(g: Any) -> tuple[Any, Any]:
        value, tangent = qd.jvp(watched, (differentiable(x),), (g,))
        return value, tangent

    return jvp
