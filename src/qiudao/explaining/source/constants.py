"""Numbers and arrays of numbers as Python writes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .code import SUM, UNARY, Code, tuple_of

DEFAULTS = {"f8": "", "c16": "", "i8": "", "b1": ""}  # what NumPy makes of literals by itself
LONGEST = 1e6  # up to which whole floats may be written as integers
LISTED = 6  # elements of an array that is written where it is used


def number(value: Any, whole: bool = False) -> Code:
    """A number as a literal of Python's, which widens nothing; `whole` ones without a point."""
    x = value.item() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(x, bool):
        return Code(repr(x))
    if isinstance(x, complex):
        return complex_number(x, value)
    if whole and isinstance(x, float) and abs(x) < LONGEST and x == int(x):
        x = int(x)
    if isinstance(x, int):
        return Code(repr(x), UNARY if x < 0 else Code("").level)
    return real_number(x, value)


def real_number(x: float, value: Any) -> Code:
    """A float, with as few digits as give it back in its own precision."""
    if not math.isfinite(x):
        text = "np.nan" if math.isnan(x) else "np.inf"
    else:
        single = getattr(value, "dtype", None) == np.float32
        text = repr(float(str(np.float32(abs(x))))) if single else repr(abs(x))
    negative = math.copysign(1.0, x) < 0 and not math.isnan(x)
    return Code(f"-{text}", UNARY) if negative else Code(text)


def complex_number(x: complex, value: Any) -> Code:
    """A complex number; a constructor where Python's literals cannot say it."""
    real, imag = getattr(value, "real", x.real), getattr(value, "imag", x.imag)
    if not (math.isfinite(x.real) and math.isfinite(x.imag)):
        return Code(f"complex({real_number(x.real, real).text}, {real_number(x.imag, imag).text})")
    size = real_number(abs(x.imag), abs(imag)).text.removesuffix(".0")
    is_negative = math.copysign(1.0, x.imag) < 0
    if x.real == 0:
        return Code(f"-{size}j", UNARY) if is_negative else Code(f"{size}j")
    sign = "-" if is_negative else "+"
    return Code(f"{real_number(x.real, real).text} {sign} {size}j", SUM, sign)


def typed(value: Any) -> Code:
    """A number with its dtype: `np.float32(0.5)`."""
    dtype = np.asarray(value).dtype
    if dtype.kind == "b":
        return Code(repr(bool(value)))
    return Code(f"np.{dtype.name}({number(value).text})")


def dtype_suffix(dtype: np.dtype[Any], known: str = "f8") -> str:
    """`, dtype=np.float32` where NumPy would choose another."""
    return "" if dtype.str[1:] == known else f", dtype={dtype_name(dtype)}"


def dtype_name(dtype: Any) -> str:
    """A dtype in words: `np.float32`, `bool`."""
    found = np.dtype(dtype)
    return "bool" if found.kind == "b" else f"np.{found.name}"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as an argument: `3` or `(3, 4)`."""
    return str(shape[0]) if len(shape) == 1 else tuple_of(shape)


def array(value: np.ndarray[Any, Any]) -> Code:
    """An array written out: by a constructor where one makes it, else by its elements."""
    found = constructed(value)
    if found is not None:
        return found
    known = np.asarray(value.tolist()).dtype.str[1:] if value.size else "f8"
    return Code(f"np.array({listed(value)}{dtype_suffix(value.dtype, known)})")


def constructed(value: np.ndarray[Any, Any]) -> Code | None:
    """`np.zeros(3)`, `np.eye(3)` and their kin, or None."""
    dtype, shape = value.dtype, shape_text(value.shape)
    if not value.size:
        return Code(f"np.zeros({shape}{dtype_suffix(dtype)})")
    first = value.reshape(-1)[0]
    if np.all(value == first) and value.ndim:
        if first == 0 and dtype.kind != "b" and not np.signbit(first.real):
            return Code(f"np.zeros({shape}{dtype_suffix(dtype)})")
        if first == 1 and dtype.kind != "b":
            return Code(f"np.ones({shape}{dtype_suffix(dtype)})")
        natural = np.asarray(first.item()).dtype.str[1:]
        return Code(f"np.full({shape}, {number(first).text}{dtype_suffix(dtype, natural)})")
    if value.ndim == 2:
        return like_identity(value)
    if value.ndim == 1 and value.size > 2 and dtype.kind in "if":
        return counted(value)
    return None


def like_identity(value: np.ndarray[Any, Any]) -> Code | None:
    """`np.eye(3)`, `np.eye(3, k=1)`, `np.eye(3)[::-1]`, `1 - np.eye(3)`, or None."""
    rows, columns = value.shape
    sizes = str(rows) if rows == columns else f"{rows}, {columns}"
    suffix = dtype_suffix(value.dtype)
    if np.count_nonzero(value) <= max(rows, columns):
        for k in sorted(range(1 - rows, columns), key=abs):
            if np.array_equal(value, np.eye(rows, columns, k)):
                return Code(f"np.eye({sizes}{f', k={k}' if k else ''}{suffix})")
        if np.array_equal(value[::-1], np.eye(rows, columns)):
            return Code(f"np.eye({sizes}{suffix})[::-1]")
    if value.dtype == np.float64 and np.array_equal(value, 1 - np.eye(rows, columns)):
        return Code(f"1 - np.eye({sizes})", SUM, "-")
    return None


def counted(value: np.ndarray[Any, Any]) -> Code | None:
    """`np.arange(5)` where an array counts, else None."""
    if not np.all(np.isfinite(value)) or value[0] != int(value[0]):
        return None
    if value.dtype == np.int64 and value[0] == 0:
        count = int(np.max(value)) + 1
        times = value.size // count
        row = np.arange(count)
        if times > 1 and np.array_equal(value, np.repeat(row, times)):
            return Code(f"np.repeat(np.arange({count}), {times})")
        if times > 1 and np.array_equal(value, np.tile(row, times)):
            return Code(f"np.tile(np.arange({count}), {times})")
    start, step = int(value[0]), value[1] - value[0]
    if step != 1 or not np.array_equal(value, np.arange(start, start + value.size)):
        return None
    words = f"{value.size}" if start == 0 else f"{start}, {start + value.size}"
    return Code(f"np.arange({words}{dtype_suffix(value.dtype, 'i8')})")


def listed(value: np.ndarray[Any, Any]) -> str:
    """The elements, nested as the array is."""
    if value.ndim == 0:
        return number(value[()]).text
    return f"[{', '.join(listed(np.asarray(row)) for row in value)}]"
