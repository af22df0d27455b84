"""What users give to layers and losses, checked where it is given."""

from __future__ import annotations

import operator
from typing import Any

from ..core.errors import DtypeError, ShapeError


def size(name: str, what: str, value: Any, least: int = 0) -> int:
    """A whole number, from any type of integers: how many features, channels or elements."""
    found = whole(value)
    if found is None or found < least:
        raise ShapeError(f"{name}: {what}={value!r}; it must be a whole number, at least {least}")
    return found


def whole(value: Any) -> int | None:
    """An integer of any type as Python's; None for what is none."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def number(name: str, what: str, value: Any, low: float, high: float, ends: str = "[]") -> Any:
    """A number between `low` and `high`, as `ends` are open or closed; a traced one may be any."""
    if hasattr(value, "dtype") and not isinstance(value, float):
        return value
    if (
        not isinstance(value, int | float)
        or not low <= value <= high
        or (value == low and ends[0] == "(")
        or (value == high and ends[1] == ")")
    ):
        raise ValueError(
            f"{name}: {what}={value!r}; it must be a number in {ends[0]}{low:g}, {high:g}{ends[1]}"
        )
    return value


def real(name: str, x: Any) -> Any:
    """An array that is not complex, for what has no meaning for complex numbers."""
    if x.dtype.kind == "c":
        raise DtypeError(
            f"{name}: an operand is {x.dtype}, and is defined for real numbers; give the real and "
            "the imaginary part, or the absolute value"
        )
    return x
