"""From NumPy's ufuncs to functions of the array standard.

Each entry is called with the library and its arrays, in the dtypes that NumPy would compute in.
What is not in the table the standard does not have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .libraries import Library

Function = Callable[..., Any]

SAME = (
    "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_or",
    "bitwise_xor", "ceil", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "hypot", "isfinite", "isinf", "isnan", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "matmul", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "reciprocal", "remainder", "sign", "signbit", "sin",
    "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc", "pow", "conj", "vecdot",
)  # fmt: skip
LOG2 = math.log(2.0)


def is_array(x: Any) -> bool:
    """Whether an argument is an array: dtypes have a shape too."""
    return hasattr(x, "shape") and not isinstance(x, np.dtype)


def named(name: str) -> Function:
    """The function of that name in the library's namespace."""

    def call(library: Library, *xs: Any, **options: Any) -> Any:
        return library.function(name)(*xs, **options)

    return call


def magnitude(library: Library, x: Any) -> Any:
    """|x|."""
    return library.xp.abs(x)


def inverted(library: Library, x: Any) -> Any:
    """~x."""
    return library.xp.bitwise_invert(x)


def nearest(library: Library, x: Any) -> Any:
    """The nearest whole number, an even one of two."""
    return library.xp.round(x)


def power_of_two(library: Library, x: Any) -> Any:
    """2^x."""
    return library.xp.pow(library.constant(2, x, library.dtype_of(x)), x)


def cube_root(library: Library, x: Any) -> Any:
    """The real cube root, one step of Newton's after a power."""
    xp = library.xp
    size = xp.abs(x)
    third = library.constant(1 / 3, x, library.dtype_of(x))
    root = xp.pow(size, third)
    usable = xp.isfinite(root) & (root > 0)
    safe = xp.where(usable, root, library.constant(1, x, library.dtype_of(x)))
    better = root - xp.where(usable, (safe - size / (safe * safe)) / 3, xp.zeros_like(root))
    return xp.copysign(better, x)


def log_add_two(library: Library, a: Any, b: Any) -> Any:
    """log2(2^a + 2^b)."""
    return library.xp.logaddexp(a * LOG2, b * LOG2) / LOG2


def heavier(library: Library, a: Any, b: Any) -> Any:
    """`np.fmax`: the larger, or the one that is no NaN."""
    xp = library.xp
    return xp.where(xp.isnan(a), b, xp.where(xp.isnan(b), a, xp.maximum(a, b)))


def lighter(library: Library, a: Any, b: Any) -> Any:
    """`np.fmin`: the smaller, or the one that is no NaN."""
    xp = library.xp
    return xp.where(xp.isnan(a), b, xp.where(xp.isnan(b), a, xp.minimum(a, b)))


def step(library: Library, x: Any, at_zero: Any) -> Any:
    """`np.heaviside`."""
    xp = library.xp
    side = xp.astype(x > 0, x.dtype)
    return xp.where(x == 0, at_zero, xp.where(xp.isnan(x), x, side))


def parted(library: Library, x: Any) -> tuple[Any, Any]:
    """`np.modf`: the fraction and the whole part, both with the sign of the number."""
    xp = library.xp
    whole = xp.trunc(x)
    fraction = xp.where(xp.isinf(x), xp.zeros_like(x), x - whole)
    return xp.copysign(fraction, x), whole


def in_radians(library: Library, x: Any) -> Any:
    """Degrees in radians."""
    return x * (math.pi / 180)


def in_degrees(library: Library, x: Any) -> Any:
    """Radians in degrees."""
    return x * (180 / math.pi)


elementwise: dict[np.ufunc, Function] = {
    **{getattr(np, name): named(name) for name in SAME},
    np.absolute: magnitude,
    np.fabs: magnitude,
    np.invert: inverted,
    np.rint: nearest,
    np.exp2: power_of_two,
    np.cbrt: cube_root,
    np.logaddexp2: log_add_two,
    np.fmax: heavier,
    np.fmin: lighter,
    np.heaviside: step,
    np.modf: parted,
    np.radians: in_radians,
    np.deg2rad: in_radians,
    np.degrees: in_degrees,
    np.rad2deg: in_degrees,
}
