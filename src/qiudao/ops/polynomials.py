"""Polynomials given by their coefficients, the highest power first: arithmetic, roots and fits.

How many coefficients or roots there are hangs on which leading ones are 0.  In a batch that is
asked of all examples at once, and while tracing, where no value is known, none is taken to be.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import examples, implements
from ..core.errors import ShapeError
from .convolving import convolve
from .faces import array, whole
from .linalg.general import EigVals, are_real
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

    Leading coefficients of the remainder that are almost 0 are left out, as in NumPy; of a batch
    those that are in all examples.
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
    rest = rest[min(len(found), rest.shape[0] - 1) :]  # what was divided off is 0 but for rounding
    while rest.shape[0] > 1 and is_everywhere_almost_0(rest[0]):
        rest = rest[1:]
    return (np.stack(found) if found else np.zeros(1, dtype)), rest


def is_everywhere_almost_0(coefficient: Value) -> bool:
    """Whether a coefficient is known to be almost 0, in all examples of a batch."""
    seen = examples(coefficient)
    return seen is not None and bool(np.allclose(seen, 0, rtol=1e-14))


@implements(np.roots)
def roots(p: Any) -> Value:
    """The roots of a polynomial, the eigenvalues of its companion matrix; real where all are.

    Leading zeros lower the degree; trailing ones give roots that are 0.
    """
    x = np.atleast_1d(array(p))
    if x.ndim != 1:
        raise ShapeError(f"roots: an array of {x.ndim} axes; give one polynomial's coefficients")
    leading, trailing = zeros_around(x)
    x = x[leading : x.shape[0] - trailing]
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    found: Value = np.zeros(0)
    degree = x.shape[0] - 1
    if degree > 0:
        rows = (-x[None, 1:] / x[0], np.eye(degree - 1, degree, dtype=x.dtype))
        companion = np.concatenate(rows)
        found = EigVals()(companion)
        if are_real(companion, found):
            found = np.real(found)
    return np.concatenate((found, np.zeros(trailing, found.dtype))) if trailing else found


def zeros_around(x: Value) -> tuple[int, int]:
    """How many coefficients before and after the others are 0, in all examples of a batch."""
    seen = examples(x)
    if seen is None or not seen.size:
        return 0, 0
    nonzero = np.reshape(seen != 0, (-1, x.shape[0]))
    places = np.flatnonzero(np.any(nonzero, axis=0))
    if not places.size:
        return x.shape[0], 0
    if not np.all(nonzero[:, places[0]]):
        raise ShapeError(
            "roots: the leading coefficient is 0 in some examples of the batch and not in others, "
            "so that they have different numbers of roots; find those of each kind apart"
        )
    return int(places[0]), int(x.shape[0] - 1 - places[-1])


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Value:
    """The coefficients of the polynomial with these roots, or the characteristic one of a matrix.

    They are real where the roots are, or come in conjugate pairs.
    """
    x = np.atleast_1d(array(seq_of_zeros))
    is_matrix = x.ndim == 2 and x.shape[0] == x.shape[1] != 0
    if not is_matrix and x.ndim != 1:
        raise ShapeError(f"poly: an array of shape {x.shape}; give roots, or a square matrix")
    if not x.shape[0]:
        return np.float64(1.0)
    found = np.linalg.eigvals(x) if is_matrix else x
    found = found.astype(np.mintypecode(found.dtype.char))
    a: Value = np.ones(1, found.dtype)
    for k in range(found.shape[0]):
        a = convolve(a, np.stack((np.ones((), found.dtype), -found[k])))
    is_real = found.dtype.kind == "c" and (
        (is_matrix and x.dtype.kind != "c") or come_in_pairs(found)
    )
    return np.real(a) if is_real else a


def come_in_pairs(found: Value) -> bool:
    """Whether complex roots are known to come in conjugate pairs, in all examples of a batch."""
    seen = examples(found)
    return seen is not None and bool(np.all(np.sort(seen) == np.sort(seen.conj())))


@implements(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The coefficients of the polynomial of degree `deg` nearest to the points, in least squares.

    The columns of the matrix of powers are scaled to length 1.  With `full` what `lstsq` found
    beside them comes too, and with `cov` their covariances.
    """
    order = whole(deg) + 1
    at, values = array(x) + 0.0, array(y) + 0.0
    weights = None if w is None else array(w) + 0.0
    check_points(order, at, values, weights)
    cutoff = at.shape[0] * np.finfo(at.dtype).eps if rcond is None else rcond
    powers = np.vander(at, order)
    if weights is not None:
        powers = powers * weights[:, None]
        values = values * (weights[:, None] if values.ndim == 2 else weights)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    powers = powers / scale
    c, residuals, rank, s = np.linalg.lstsq(powers, values, cutoff)
    c = np.transpose(np.transpose(c) / scale)
    if full:
        return c, residuals, rank, s, cutoff
    known_rank = examples(rank)
    if known_rank is not None and np.any(known_rank != order):
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=3)
    if not cov:
        return c
    spread = np.linalg.inv(np.transpose(powers) @ powers) / np.outer(scale, scale)
    if not (isinstance(cov, str) and cov == "unscaled"):
        freedom = at.shape[0] - order
        if freedom <= 0:
            raise ValueError(
                f"polyfit: cov of {at.shape[0]} points and {order} coefficients; give more points, "
                'or cov="unscaled"'
            )
        variance = residuals / freedom
        spread = (spread if values.ndim == 1 else spread[:, :, None]) * variance
    elif values.ndim == 2:
        spread = spread[:, :, None]
    return c, spread


def check_points(order: int, at: Value, values: Value, weights: Value | None) -> None:
    """What `np.polyfit` asks of its points: vectors of one length, and as many weights."""
    if order < 1:
        raise ValueError(f"polyfit: deg={order - 1}; the degree must not be negative")
    n = at.shape[0] if at.ndim == 1 else 0
    if not n or values.ndim not in (1, 2) or values.shape[0] != n:
        raise TypeError(
            f"polyfit: x of shape {at.shape} and y of shape {values.shape} do not fit: give a "
            "vector, and a vector or columns of the same length"
        )
    if weights is not None and weights.shape != (n,):
        raise TypeError(f"polyfit: weights of shape {weights.shape} for {n} points; give one each")
