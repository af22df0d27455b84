"""`np.emath`: functions that turn complex where the real ones end.

Whether they do is one decision for all examples of a batch, as for all elements of an array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import examples, implements
from ..core.errors import DetachError, TraceError
from .faces import array

SINGLE = (np.float32, np.complex64, np.int8, np.int16, np.uint8, np.uint16)


def anywhere(condition: Value, name: str) -> bool:
    """Whether a condition holds for any element of any example."""
    seen = examples(condition)
    try:
        return bool(np.any(condition if seen is None else seen))
    except (DetachError, TraceError) as error:
        raise TraceError(
            f"emath.{name}: whether the result is complex depends on values that are not known "
            "while tracing; say that it is, with x + 0j, or that it is not, with np.sqrt, np.log..."
        ) from error


def complex_below_zero(x: Any, name: str) -> Value:
    """`x`, complex where any element is negative."""
    x = array(x)
    return complex_of(x) if x.dtype.kind != "c" and anywhere(x < 0, name) else x


def complex_beyond_one(x: Any, name: str) -> Value:
    """`x`, complex where any element is beyond 1 or -1."""
    x = array(x)
    return complex_of(x) if x.dtype.kind != "c" and anywhere(np.abs(x) > 1, name) else x


def complex_of(x: Value) -> Value:
    """`x` as complex numbers, of NumPy's precision for them."""
    return x.astype(np.complex64 if x.dtype.type in SINGLE else np.complex128)


def turning_complex(
    function: Callable[..., Value], convert: Callable[[Any, str], Value]
) -> Callable[[Any], Value]:
    """A function of NumPy's after a conversion of its operand."""
    name = function.__name__

    def turning(x: Any) -> Value:
        return function(convert(x, name))

    turning.__name__ = name
    turning.__doc__ = f"`np.{name}`, complex where that would be NaN."
    return turning


for _theirs, _real, _convert in (
    (np.emath.sqrt, np.sqrt, complex_below_zero),
    (np.emath.log, np.log, complex_below_zero),
    (np.emath.log2, np.log2, complex_below_zero),
    (np.emath.log10, np.log10, complex_below_zero),
    (np.emath.arccos, np.arccos, complex_beyond_one),
    (np.emath.arcsin, np.arcsin, complex_beyond_one),
    (np.emath.arctanh, np.arctanh, complex_beyond_one),
):
    implements(_theirs)(turning_complex(_real, _convert))


@implements(np.emath.logn)
def logn(n: Any, x: Any) -> Value:
    """The logarithm of `x` to the base `n`, complex where either is negative."""
    above, below = complex_below_zero(x, "logn"), complex_below_zero(n, "logn")
    return np.log(above) / np.log(below)


@implements(np.emath.power)
def power(x: Any, p: Any) -> Value:
    """`x ** p`, complex where `x` is negative; whole exponents may be negative too."""
    base, exponent = complex_below_zero(x, "power"), array(p)
    if exponent.dtype.kind in "iu" and anywhere(exponent < 0, "power"):
        exponent = exponent * 1.0
    return np.power(base, exponent)
