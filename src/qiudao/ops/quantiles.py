"""Values between the ranks: medians and quantiles, those that pass over NaN too.

All sort, and read the sorted lanes at computed places; so ties share the derivative equally.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value, is_inexact
from ..core.dispatch import Tracer, implements
from ..core.errors import RuleError
from .faces import array, axes_from_end, delivered, known
from .indexing import TakeAlong, to_index
from .reducing import in_lanes, reduced
from .shaping import astype, moveaxis, reshape
from .sorting import Sort

# The place of the q-quantile of n values, counted from 0.  The continuous ones are Hyndman and
# Fan's (1996) methods 4 to 9: n q + alpha + q (1 - alpha - beta) - 1.
PARAMETERS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}


def between(n: Value, q: Value) -> Value:
    """The middle of the two nearest ranks, or the rank itself."""
    at = (n - 1) * q
    return 0.5 * (np.floor(at) + np.ceil(at))


def averaged(n: Value, q: Value) -> Value:
    """The rank above, or the middle where q falls on a rank."""
    at = n * q - 1
    floor = np.floor(at)
    return floor + np.where(at == floor, 0.5, 1.0)


def closest(n: Value, q: Value) -> Value:
    """The nearest rank, and the even one of two, counted from 1."""
    at = n * q - 1.5
    floor = np.floor(at)
    return np.where((at == floor) & (np.floor(floor / 2) * 2 != floor), floor, floor + 1)


RANKS: dict[str, Callable[[Value, Value], Value]] = {
    "lower": lambda n, q: to_index(np.floor((n - 1) * q)),
    "higher": lambda n, q: to_index(np.ceil((n - 1) * q)),
    "nearest": lambda n, q: to_index(np.rint((n - 1) * q)),
    "inverted_cdf": lambda n, q: to_index(np.maximum(np.ceil(n * q - 1), 0)),
    "closest_observation": lambda n, q: to_index(np.maximum(closest(n, q), 0)),
    "averaged_inverted_cdf": averaged,
    "midpoint": between,
    "linear": lambda n, q: (n - 1) * q,
}


def place(method: str, n: Value, q: Value) -> Value:
    """Where the q-quantile of n values lies among them, by NumPy's `method`."""
    if method in RANKS:
        return RANKS[method](n, q)
    if method in PARAMETERS:
        alpha, beta = PARAMETERS[method]
        return n * q + (alpha + q * (1 - alpha - beta)) - 1
    raise ValueError(f"quantile: {method!r} is no method; choose one of {(*RANKS, *PARAMETERS)}")


def read_between(ordered: Value, at: Value, top: Value, weak: bool) -> Value:
    """The sorted lanes read at places that may lie between the elements, 0 to `top`.

    Where a place that carries a derivative meets an element, its slope is the mean of both sides.
    """
    lanes = TakeAlong()
    if at.dtype.kind in "iu":
        return lanes(ordered, at)
    at = np.where(at < 0, 0.0, np.where(at > top, top, at))
    floor = np.floor(at)
    if isinstance(at, Tracer):  # at the upper end the slope is that of the last gap
        floor = np.minimum(floor, np.maximum(top - 1, 0))

    def rank(k: Value) -> Value:
        return lanes(ordered, to_index(np.minimum(k, top)))

    low, high = rank(floor), rank(floor + 1)
    part, rest = at - floor, 1 - (at - floor)
    if weak:  # a Python number as q leaves the dtype of the values as it is
        part, rest = part.astype(ordered.dtype), rest.astype(ordered.dtype)
    gap = high - low
    rise = gap
    if isinstance(at, Tracer):
        meets = (part == 0) & (floor > 0) & (floor < top)
        rise = np.where(meets, 0.5 * (high - rank(np.maximum(floor - 1, 0))), gap)
    return np.where(part >= 0.5, high - gap * rest, low + rise * part)


def quantile_of(
    name: str, scale: float, skip_nan: bool
) -> Callable[..., Value]:
    """One of NumPy's four functions; q runs from 0 to `scale`."""

    def quantile(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Any = None,
    ) -> Value:
        x = array(a)
        if x.dtype.kind == "c":
            raise TypeError(f"{name}: complex numbers have no order; give real values")
        if weights is not None:
            raise RuleError(
                f"{name}: weights= has no derivative here; repeat the values, or leave it out"
            )
        weak = type(q) in (int, float) and is_inexact(x.dtype)
        shares = array(q) if scale == 1 else np.true_divide(array(q), scale)
        plain = known(shares)
        if plain is not None and not np.all((plain >= 0) & (plain <= 1)):
            raise ValueError(f"{name}: q={q} must lie between 0 and {scale:g}")
        axes = axes_from_end(axis, x.ndim, name)
        ordered = Sort()(in_lanes(x, axes))
        row = reshape(shares, (*(1,) * (ordered.ndim - 1), -1))
        if skip_nan and is_inexact(x.dtype):
            count: Value = np.sum(ordered == ordered, axis=-1, keepdims=True)
        else:
            count = ordered.shape[-1]
        top = np.maximum(count - 1, 0)
        found = read_between(ordered, place(method, count, row), top, weak)
        if is_inexact(x.dtype) and skip_nan:
            found = np.where(count == 0, np.full((), np.nan, found.dtype), found)
        elif is_inexact(x.dtype):  # NaN sorts last
            last = ordered[..., -1:]
            found = np.where(np.isnan(last), last, found)
        return delivered(name, arranged(found, shares, x, axes, keepdims), out)

    quantile.__name__ = name
    quantile.__doc__ = f"`np.{name}`; the derivative with respect to q too, where it has one."
    return quantile


def arranged(found: Value, q: Value, x: Value, axes: tuple[int, ...], keepdims: Any) -> Value:
    """Quantiles, one for each of `q` along the last axis, in NumPy's order: q first."""
    found = moveaxis(found, -1, 0)
    rest = reduced(tuple(x.shape), axes, bool(keepdims))
    return reshape(found, (*q.shape, *rest))


quantile = implements(np.quantile)(quantile_of("quantile", 1, skip_nan=False))
percentile = implements(np.percentile)(quantile_of("percentile", 100, skip_nan=False))
nanquantile = implements(np.nanquantile)(quantile_of("nanquantile", 1, skip_nan=True))
nanpercentile = implements(np.nanpercentile)(quantile_of("nanpercentile", 100, skip_nan=True))


@implements(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Value:
    """The middle value over `axis`, or the mean of the two in the middle."""
    x = array(a)
    axes = axes_from_end(axis, x.ndim, "median")
    ordered = Sort()(in_lanes(x, axes))
    n = ordered.shape[-1]
    found = np.mean(ordered[..., max(n - 1, 0) // 2 : n // 2 + 1], axis=-1)
    if n and is_inexact(x.dtype):
        last = ordered[..., -1]
        found = np.where(np.isnan(last), last, found)
    found = reshape(found, reduced(tuple(x.shape), axes, bool(keepdims)))
    return delivered("median", found, out)


@implements(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Value:
    """The median over `axis` of the elements that are not NaN; NaN where all are."""
    x = array(a)
    if not is_inexact(x.dtype) or not x.size:
        return median(x, axis, out, overwrite_input, keepdims)
    axes = axes_from_end(axis, x.ndim, "nanmedian")
    ordered = Sort()(in_lanes(x, axes))
    count = np.sum(ordered == ordered, axis=-1, keepdims=True)
    low = np.floor_divide(np.maximum(count - 1, 0), 2)
    high = np.minimum(np.floor_divide(count, 2), np.maximum(count - 1, 0))
    below, above = TakeAlong()(ordered, low), TakeAlong()(ordered, high)
    found = np.where(low == high, below, (below + above) / 2)
    found = np.where(count == 0, np.full((), np.nan, x.dtype), found)
    found = reshape(found, reduced(tuple(x.shape), axes, bool(keepdims)))
    return delivered("nanmedian", astype(found, x.dtype), out)
