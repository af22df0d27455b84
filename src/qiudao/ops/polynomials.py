"""The arithmetic of polynomials given by their coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import concrete, implements
from ..core.errors import ShapeError
from .convolving import convolve
from .faces import array, whole
from .shaping import astype


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Value:
    """The product of two polynomials, the highest power first.

    Leading zeros are kept, unlike in NumPy: such a coefficient has a derivative too.
    """
    return convolve(a1, a2)


def padded(a: Any, size: int) -> Value:
    """Coefficients with zeros for the higher powers that they lack."""
    x = np.atleast_1d(array(a))
    if x.size == size:
        return x
    return np.concatenate((np.zeros(size - x.size, x.dtype), x))


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Value:
    """The sum of two polynomials, the highest power first."""
    size = max(np.size(a1), np.size(a2))
    return padded(a1, size) + padded(a2, size)


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Value:
    """The difference of two polynomials, the highest power first."""
    size = max(np.size(a1), np.size(a2))
    return padded(a1, size) - padded(a2, size)


def times(name: str, m: Any) -> int:
    """How often to differentiate or integrate."""
    count = whole(m)
    if count < 0:
        raise ShapeError(f"{name}: m={count}; the order must not be negative")
    return count


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Value:
    """The coefficients of the m-th derivative of a polynomial."""
    x = array(p)
    for _ in range(times("polyder", m)):
        x = x[:-1] * np.arange(max(x.shape[0] - 1, 0), 0, -1)
    return x


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Value:
    """The coefficients of the m-th integral of a polynomial, `k` its integration constants."""
    count = times("polyint", m)
    constants = np.zeros(count) if k is None else np.atleast_1d(array(k))
    if constants.shape[0] == 1 < count:
        constants = np.broadcast_to(constants, (count,))
    if constants.shape[0] < count:
        raise ShapeError(
            f"polyint: {constants.shape[0]} constants for m={count} integrals; give one for each"
        )
    x = array(p)
    for j in range(count):
        powers = np.arange(x.shape[0], 0, -1)
        x = np.concatenate((x / powers, constants[j : j + 1]))
    return x


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Value:
    """The value of a polynomial, the highest power first, by Horner's scheme."""
    coefficients, at = array(p), array(x)
    total = np.zeros_like(at)
    for k in range(coefficients.shape[0]):
        total = total * at + coefficients[k]
    return total


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Value, Value]:
    """The quotient and the remainder of polynomials, the highest power first.

    Leading coefficients of the remainder that are almost 0 are left out, as in NumPy.
    """
    rest, divisor = (np.atleast_1d(array(a)) + 0.0 for a in (u, v))
    dtype = np.result_type(rest.dtype, divisor.dtype)
    n = divisor.shape[0] - 1
    rest = astype(rest, dtype)
    found = []
    for k in range(rest.shape[0] - n):
        factor = rest[k] / divisor[0]
        found.append(factor)
        parts = (rest[:k], rest[k : k + n + 1] - factor * divisor, rest[k + n + 1 :])
        rest = np.concatenate(parts)
    while rest.shape[0] > 1 and np.allclose(concrete(rest[0]), 0, rtol=1e-14):
        rest = rest[1:]
    return (np.stack(found) if found else np.zeros(1, dtype)), rest
