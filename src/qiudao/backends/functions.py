"""From NumPy's functions to those of the array standard, but for ufuncs.

Each entry is called with the library and its arrays.  What is in no table the standard does not
have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .elementwise import is_array, named
from .extensions import extensions, linear
from .libraries import Library

Function = Callable[..., Any]


# Reductions: their axes are what NumPy takes


def summing(name: str) -> Function:
    """`sum` or `prod`, of booleans as of integers."""

    def reduce(
        library: Library, x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False
    ) -> Any:
        if library.dtype_of(x).kind == "b":
            x = library.cast(x, np.int64)
        if dtype is not None:
            x = library.cast(x, np.dtype(dtype))
        if axis == ():
            return x
        kept = library.dtype(library.dtype_of(x)) if library.dtype_of(x).kind in "fc" else None
        return getattr(library.xp, name)(x, axis=axis, dtype=kept, keepdims=keepdims)

    return reduce


def over(name: str) -> Function:
    """A reduction that has the standard's arguments."""

    def reduce(
        library: Library, x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None
    ) -> Any:
        out = x if axis == () else getattr(library.xp, name)(x, axis=axis, keepdims=keepdims)
        if initial is None:
            return out
        least = library.constant(initial, x, library.dtype_of(x))
        return getattr(library.xp, f"{name}imum")(out, least)

    return reduce


def variance(
    library: Library, x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    """`np.var`, of real numbers."""
    return library.xp.var(x, axis=axis, correction=ddof, keepdims=keepdims)


def running_along(name: str) -> Function:
    """A running sum or product along one axis."""

    def run(library: Library, x: Any, axis: int = 0) -> Any:
        return library.function(name)(x, axis=axis)

    return run


reductions: dict[np.ufunc, Function] = {
    np.add: summing("sum"),
    np.multiply: summing("prod"),
    np.maximum: over("max"),
    np.minimum: over("min"),
    np.logical_and: over("all"),
    np.logical_or: over("any"),
}
running: dict[np.ufunc, Function] = {
    np.add: running_along("cumulative_sum"),
    np.multiply: running_along("cumulative_prod"),
}


# Functions that NumPy dispatches by __array_function__


def chosen(library: Library, condition: Any, a: Any, b: Any) -> Any:
    """`np.where`, in the dtype that NumPy gives it; numbers of Python's widen nothing."""
    like = next(x for x in (condition, a, b) if is_array(x))
    kinds = [library.dtype_of(x) if is_array(x) else x for x in (a, b)]
    dtype = np.result_type(*kinds)
    a, b = (
        library.cast(x, dtype) if is_array(x) else library.constant(x, like, dtype) for x in (a, b)
    )
    return library.xp.where(truth(library, condition), a, b)


def truth(library: Library, x: Any) -> Any:
    """An array as booleans."""
    if not is_array(x):
        return x
    return x if library.dtype_of(x).kind == "b" else x != 0


def reshaped(library: Library, x: Any, shape: Any, order: str = "C") -> Any:
    """`np.reshape` in the order of rows, which is the only one that rules ask for."""
    return library.xp.reshape(x, shape if isinstance(shape, tuple) else (shape,))


def transposed(library: Library, x: Any, axes: Any = None) -> Any:
    """`np.transpose`."""
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(a % x.ndim for a in axes)
    return library.xp.permute_dims(x, order)


def moved(library: Library, x: Any, source: Any, destination: Any) -> Any:
    """`np.moveaxis`."""
    return library.xp.moveaxis(x, listed(source), listed(destination))


def listed(axes: Any) -> Any:
    """Axes as an integer or a tuple."""
    return axes if isinstance(axes, int) else tuple(axes)


def turned(library: Library, x: Any, axis: Any = None) -> Any:
    """`np.flip`."""
    return library.xp.flip(x, axis=axis)


def joined(library: Library, arrays: Any, axis: Any = 0) -> Any:
    """`np.concatenate`, in the dtype that holds all."""
    return library.xp.concat(alike(library, arrays), axis=axis)


def stacked(library: Library, arrays: Any, axis: int = 0) -> Any:
    """`np.stack`, in the dtype that holds all."""
    return library.xp.stack(alike(library, arrays), axis=axis)


def alike(library: Library, arrays: Any) -> list[Any]:
    """Arrays in the one dtype that holds all of them."""
    dtype = np.result_type(*(library.dtype_of(x) for x in arrays))
    return [library.cast(x, dtype) for x in arrays]


def one_position(name: str) -> Function:
    """`np.argmax` or `np.argmin`."""

    def search(library: Library, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(library.xp, name)(x, axis=axis, keepdims=keepdims)

    return search


def in_order(library: Library, x: Any, axis: int = -1) -> Any:
    """`np.sort`."""
    return named("sort")(library, x, axis=axis)


def order_of(library: Library, x: Any, axis: int = -1, kind: Any = None) -> Any:
    """`np.argsort`."""
    return named("argsort")(library, x, axis=axis, stable=True)


def places_in(library: Library, lane: Any, sought: Any, side: str = "left") -> Any:
    """`np.searchsorted`."""
    return library.xp.searchsorted(lane, sought, side=side)


def rounded(library: Library, x: Any, decimals: int = 0) -> Any:
    """`np.round` to whole numbers."""
    if decimals:
        raise library.lacks("round", f"to decimals={decimals}")
    return library.xp.round(x)


def real_part(library: Library, x: Any) -> Any:
    """`np.real`, of real numbers too."""
    return library.xp.real(x) if library.dtype_of(x).kind == "c" else x


def imaginary_part(library: Library, x: Any) -> Any:
    """`np.imag`, of real numbers too."""
    return library.xp.imag(x) if library.dtype_of(x).kind == "c" else library.xp.zeros_like(x)


def along(library: Library, x: Any, index: Any, axis: int = -1) -> Any:
    """`np.take_along_axis`."""
    return named("take_along_axis")(library, x, index, axis=axis)


def diagonal(library: Library, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """`np.diagonal` of the last two axes, which is what rules ask for."""
    if (axis1, axis2) != (-2, -1):
        x = library.xp.moveaxis(x, (axis1, axis2), (-2, -1))
    return linear("diagonal")(library, x, offset=offset)


def result_type(library: Library, *xs: Any) -> Any:
    """`np.result_type`."""
    return np.result_type(*(library.dtype_of(x) if is_array(x) else x for x in xs))


def shape_of(library: Library, x: Any) -> Any:
    """`np.shape`."""
    return library.shape_of(x)


def axes_of(library: Library, x: Any) -> int:
    """`np.ndim`."""
    return int(x.ndim)


def repeated(library: Library, x: Any, shape: Any) -> Any:
    """`np.broadcast_to`."""
    return library.xp.broadcast_to(x, tuple(shape))


def clipped(library: Library, x: Any, low: Any = None, high: Any = None) -> Any:
    """`np.clip`."""
    xp = library.xp
    dtype = library.dtype_of(x)
    for bound, choose in ((low, xp.maximum), (high, xp.minimum)):
        if bound is not None:
            bound = bound if is_array(bound) else library.constant(bound, x, dtype)
            x = choose(x, bound)
    return x


functions: dict[Function, Function] = {
    np.where: chosen,
    np.reshape: reshaped,
    np.transpose: transposed,
    np.matrix_transpose: named("matrix_transpose"),
    np.moveaxis: moved,
    np.flip: turned,
    np.expand_dims: named("expand_dims"),
    np.squeeze: named("squeeze"),
    np.broadcast_to: repeated,
    np.concatenate: joined,
    np.stack: stacked,
    np.sum: summing("sum"),
    np.prod: summing("prod"),
    np.max: over("max"),
    np.min: over("min"),
    np.all: over("all"),
    np.any: over("any"),
    np.mean: over("mean"),
    np.var: variance,
    np.argmax: one_position("argmax"),
    np.argmin: one_position("argmin"),
    np.sort: in_order,
    np.argsort: order_of,
    np.searchsorted: places_in,
    np.cumsum: running_along("cumulative_sum"),
    np.cumprod: running_along("cumulative_prod"),
    np.clip: clipped,
    np.round: rounded,
    np.real: real_part,
    np.imag: imaginary_part,
    np.take_along_axis: along,
    np.diagonal: diagonal,
    np.result_type: result_type,
    np.shape: shape_of,
    np.ndim: axes_of,
    np.zeros_like: named("zeros_like"),
    np.ones_like: named("ones_like"),
    **extensions,
}
