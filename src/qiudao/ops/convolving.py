"""Convolution and correlation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.avals import Aval, Shape, Value, aval_of, promote
from ..core.dispatch import implements
from ..core.errors import ShapeError
from ..core.families import Bilinear, align
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array


@primitive
class Convolve(Bilinear):
    """A window of the full convolution over the trailing axes; leading axes broadcast.

    `out[k] = sum of a[i] b[j] over i + j = k + start`, for k below the window's size, in each of
    as many axes as `starts` has.  The transposes are such windows too: with a reversed operand of
    length n, the window that starts at n - 1 - start.
    """

    starts: tuple[int, ...] = (0,)
    sizes: tuple[int, ...] = (1,)
    samples = (
        sample("f64[5]", "f64[3]", starts=(0,), sizes=(7,)),
        sample("f64[3]", "f64[5]", starts=(2,), sizes=(3,)),
        sample("c128[4]", "f64[4]", starts=(-2,), sizes=(12,)),
        sample("f64[6]", "f64[1]", starts=(6,), sizes=(2,)),
        sample("f64[2,5]", "f64[3]", starts=(1,), sizes=(5,)),
        sample("f64[3,4]", "f64[2,1,2,3]", starts=(0, 1), sizes=(4, 3)),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        n = len(self.starts)
        return Aval((*np.broadcast_shapes(a.shape[:-n], b.shape[:-n]), *self.sizes), promote(a, b))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs
        n = len(self.starts)
        if math.prod(a.shape[-n:]) < math.prod(b.shape[-n:]):
            a, b = b, a
        if n > 1:
            return by_taps(a, b, self.starts, self.sizes)
        (start,), (size,) = self.starts, self.sizes
        if a.ndim == b.ndim == 1:
            return window(a, b, start, size)
        lead = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
        if math.prod(lead) > b.shape[-1]:
            return by_taps(a, b, self.starts, self.sizes)
        out = np.empty((*lead, size), np.result_type(a, b))
        a, b = (np.broadcast_to(x, (*lead, x.shape[-1])) for x in (a, b))
        for k in np.ndindex(lead):
            out[k] = window(a[k], b[k], start, size)
        return out

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        own, other = (b, a) if i else (a, b)
        n = len(self.starts)
        starts = tuple(
            m - 1 - start for m, start in zip(other.shape[-n:], self.starts, strict=True)
        )
        axes = tuple(range(-n, 0))
        return Convolve(starts, tuple(own.shape[-n:]))(ct, np.flip(other, axes))

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        ndim = max(x.ndim - k for x, k in zip(xs, mapped, strict=True))
        return self(*(align(x, ndim) if k else x for x, k in zip(xs, mapped, strict=True)))


def window(a: Value, b: Value, start: int, size: int) -> Value:
    """A window of the convolution of two vectors, `b` the shorter; zero outside the full one."""
    n, m = len(a), len(b)
    low, high = max(start, 0), min(start + size, n + m - 1)
    if low >= high:
        return np.zeros(size, np.result_type(a, b))
    if low >= m - 1 and high <= n:
        found = np.convolve(a, b, "valid")[low - m + 1 : high - m + 1]
    else:
        found = np.convolve(a, b, "full")[low:high]
    if high - low == size:
        return found
    out = np.zeros(size, found.dtype)
    out[low - start : high - start] = found
    return out


def by_taps(a: Value, b: Value, starts: Shape, sizes: Shape) -> Value:
    """A window of a convolution over several axes or of many rows: a term for each element of b."""
    n = len(starts)
    lead = np.broadcast_shapes(a.shape[:-n], b.shape[:-n])
    out = np.zeros((*lead, *sizes), np.result_type(a, b))
    for tap in np.ndindex(*b.shape[-n:]):
        reads, writes = [], []
        for j, start, size, length in zip(tap, starts, sizes, a.shape[-n:], strict=True):
            low, high = max(0, j - start), min(size, length + j - start)
            writes.append(slice(low, max(low, high)))
            reads.append(slice(low + start - j, max(low, high) + start - j))
        weight = b[(..., *tap)][(..., *(None,) * n)]
        target: tuple[Any, ...] = (Ellipsis, *writes)
        out[target] += weight * a[(..., *reads)]
    return out


MODES = ("full", "same", "valid")


def convolved(name: str, a: Value, v: Value, mode: str, middle: int) -> Value:
    """The part of the full convolution that `mode` names; "same" starts at `middle`."""
    if mode not in MODES:
        raise ShapeError(f"{name}: mode={mode!r}; it must be one of {', '.join(MODES)}")
    n, m = a.shape[0], v.shape[0]
    start = {"full": 0, "same": middle, "valid": min(n, m) - 1}[mode]
    size = {"full": n + m - 1, "same": max(n, m), "valid": abs(n - m) + 1}[mode]
    return Convolve((start,), (size,))(a, v)


def vectors(name: str, *xs: Any) -> tuple[Value, ...]:
    """Operands as vectors; single numbers become vectors of one element."""
    made = tuple(np.atleast_1d(array(x)) for x in xs)
    for x in made:
        if x.ndim > 1:
            raise ShapeError(
                f"{name}: {aval_of(x)} has {x.ndim} axes; it takes vectors, so use qd.vmap for rows"
            )
        if not x.size:
            raise ShapeError(f"{name}: an operand is empty; each must have an element")
    return made


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Value:
    """The convolution of two vectors: all of it, the middle part, or where they overlap fully."""
    x, y = vectors("convolve", a, v)
    return convolved("convolve", x, y, mode, (min(x.size, y.size) - 1) // 2)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Value:
    """The correlation of two vectors, c[k] = sum over n of a[n + k] conj(v[n])."""
    x, y = vectors("correlate", a, v)
    y = y if y.dtype.kind != "c" else np.conj(y)
    middle = (y.size - 1) // 2 if x.size >= y.size else x.size // 2
    return convolved("correlate", x, np.flip(y), mode, middle)
