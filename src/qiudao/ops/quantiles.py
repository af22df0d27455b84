"""Values between the ranks: medians and quantiles, those that pass over NaN too.

All read what stands at computed places when the lanes are sorted; ties share the derivative
equally.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, is_inexact
from ..core.dispatch import Tracer, examples, implements
from ..core.primitive import (
    Parents,
    Primitive,
    Product,
    Terms,
    Values,
    add_all,
    primitive,
)
from ..core.samples import sample
from .faces import array, axes_from_end, delivered, known
from .indexing import TakeAlong, to_index
from .reducing import in_lanes, reduced, shares
from .shaping import astype, broadcast_to, moveaxis, reshape
from .sorting import Sort
from .statistics import weights_like
from .stopping import stop_gradient

FEW = 8  # ranks that are found faster one by one than by sorting


@primitive
class Ranks(Primitive):
    """The elements at the places `kth` of the sorted last axis; NaN where the lane has a NaN.

    Equal elements share the derivative equally; where the result is NaN, so is the derivative.
    """

    kth: tuple[int, ...] = (0,)
    samples = (
        sample("f64[5]", kth=(2,), kind="distinct"),
        sample("f64[3,6]", kth=(2, 3), kind="distinct"),
        sample("c128[4]", kth=(0, 1), kind="distinct"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval((*avals[0].shape[:-1], len(self.kth)), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        x = np.partition(x, (*self.kth, x.shape[-1] - 1), axis=-1)
        found = x[..., self.kth]
        last = x[..., -1:]
        return np.where(last == last, found, last) if is_inexact(x.dtype) else found

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        parts = []
        for chosen, share in self.chosen(out, xs[0]):
            parts.append(np.sum(np.where(chosen, dx, 0.0), axis=-1, keepdims=True) * share)
        return np.concatenate(parts, axis=-1)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for few elements."""
        if product is not operator.mul:
            return super().pull(ct, out, xs, parents, product)
        terms = [
            np.where(chosen, ct[..., k : k + 1] * share, 0.0)
            for k, (chosen, share) in enumerate(self.chosen(out, xs[0]))
        ]
        return (add_all(terms),)

    def chosen(self, out: Value, x: Value) -> Iterator[tuple[Value, Value]]:
        """For each rank, the elements equal to it, and the share of each of them."""
        for k in range(len(self.kth)):
            found = out[..., k : k + 1]
            equal = (x == found) | (found != found)
            yield equal, shares(equal, found, (-1,), True)


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


Reader = Callable[[Value], Value]  # from ranks, along the last axis, to the elements there


def reader(ordered: Value) -> Reader:
    """Reads lanes that are sorted."""
    return lambda k: TakeAlong()(ordered, k)


def by_rank(lanes: Value) -> Reader:
    """Reads lanes that are not sorted; NaN where the lane has one."""

    def read(k: Value) -> Value:
        if not isinstance(k, Tracer) and 0 < k.size <= FEW and lanes.shape[-1]:
            wanted, inverse = np.unique(k, return_inverse=True)
            return Ranks(tuple(wanted.tolist()))(lanes)[..., inverse.reshape(-1)]
        ordered = Sort()(lanes)
        last = ordered[..., -1:]
        return np.where(last == last, TakeAlong()(ordered, k), last)

    return read


def read_between(read: Reader, at: Value, top: Value, kind: Any) -> Value:
    """Sorted lanes read at places that may lie between the elements, 0 to `top`.

    What lies between is weighed in the dtype `kind`.  Where a place that carries a derivative meets
    an element, its slope is the mean of both sides.
    """
    if at.dtype.kind in "iu":
        return read(at)
    at = np.where(at < 0, 0.0, np.where(at > top, top, at))
    floor = np.floor(at)
    if isinstance(at, Tracer):  # at the upper end the slope is that of the last gap
        floor = np.minimum(floor, np.maximum(top - 1, 0).astype(at.dtype))
    ends = np.concatenate([floor, np.minimum(floor + 1, top)], axis=-1)
    both = read(to_index(ends))
    count = np.shape(at)[-1]
    low, high = both[..., :count], both[..., count:]
    part, rest = at - floor, 1 - (at - floor)
    part, rest = part.astype(kind), rest.astype(kind)
    gap = high - low
    rise = gap
    if isinstance(at, Tracer):
        meets = (part == 0) & (floor > 0) & (floor < top)
        below = read(to_index(np.maximum(floor - 1, 0)))
        rise = np.where(meets, 0.5 * (high - below), gap)
    return np.where(part >= 0.5, high - gap * rest, low + rise * part)


def quantile_of(name: str, scale: float, skip_nan: bool) -> Callable[..., Value]:
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
        part = array(q) if scale == 1 else np.true_divide(array(q), scale)
        plain = known(part)
        if plain is not None and not np.all((plain >= 0) & (plain <= 1)):
            raise ValueError(f"{name}: q={q} must lie between 0 and {scale:g}")
        axes = axes_from_end(axis, x.ndim, name, strict=True)
        if weights is not None:
            found = weighted(name, x, part, array(weights), axis, axes, method, skip_nan)
            return delivered(name, arranged(found, part, x, axes, keepdims), out)
        lanes = in_lanes(x, axes)
        row = reshape(part, (*(1,) * (lanes.ndim - 1), -1))
        kind = row.dtype if is_inexact(row.dtype) else np.dtype(np.float64)
        if type(q) in (int, float) and is_inexact(x.dtype):
            kind = x.dtype  # a Python number leaves the dtype of the values as it is
        if skip_nan and is_inexact(x.dtype):
            ordered = Sort()(lanes)
            count = np.sum(ordered == ordered, axis=-1, keepdims=True)
            top = np.maximum(count - 1, 0)
            n = count.astype(row.dtype) if is_inexact(row.dtype) else count
            found = read_between(reader(ordered), place(method, n, row), top, kind)
            found = np.where(count == 0, np.full((), np.nan, found.dtype), found)
        else:
            n = lanes.shape[-1]
            at = place(method, n, row)
            found = read_between(by_rank(lanes), at, n - 1, kind)
        return delivered(name, arranged(found, part, x, axes, keepdims), out)

    quantile.__name__ = name
    quantile.__doc__ = f"`np.{name}`; the derivative with respect to q too, where it has one."
    return quantile


def weighted(
    name: str, x: Value, q: Value, w: Value, axis: Any, axes: tuple[int, ...], method: str,
    skip_nan: bool,
) -> Value:  # fmt: skip
    """The first element, in order, at which the share of the weights so far comes to q.

    Which element that is does not change with the weights but in jumps, so no derivative passes
    them.
    """
    if method != "inverted_cdf":
        raise ValueError(
            f"{name}: weights= with method={method!r}; with weights use method='inverted_cdf'"
        )
    seen = examples(w)
    if seen is not None and np.any(seen < 0):
        raise ValueError(f"{name}: weights must not be negative")
    w = weights_like(stop_gradient(w), x, axis, axes, name)
    shares = in_lanes(broadcast_to(w, tuple(x.shape)), axes)
    lanes = in_lanes(x, axes)
    values = stop_gradient(lanes)
    order = np.argsort(values, axis=-1)
    last = lanes.shape[-1] - 1
    shares = np.take_along_axis(shares, order, -1).astype(np.float64)
    nothing = np.isnan(np.take_along_axis(values, order, -1)) if is_inexact(x.dtype) else None
    if nothing is not None and skip_nan:
        shares = np.where(nothing, 0.0, shares)
    reached = np.cumsum(shares, axis=-1)
    reached = reached / reached[..., -1:]
    seen = examples(reached)
    if seen is not None and np.any(np.isnan(seen[..., -1])):
        raise ValueError(f"{name}: the weights of a lane are all zero, or not finite")
    part = stop_gradient(q)
    reached = reached.astype(part.dtype) if part.dtype.kind == "f" else reached
    reached = np.where(reached == 0, -1.0, reached)
    places = np.sum(reached[..., None, :] < reshape(part, (-1, 1)), axis=-1)
    found = TakeAlong()(lanes, np.take_along_axis(order, np.minimum(places, last), -1))
    if nothing is None or skip_nan:
        return found
    return np.where(nothing[..., -1:], np.full((), np.nan, x.dtype), found)


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
    axes = axes_from_end(axis, x.ndim, "median", strict=True)
    lanes = in_lanes(x, axes)
    n = lanes.shape[-1]
    middle = Ranks(tuple(range((n - 1) // 2, n // 2 + 1)))(lanes) if n else lanes
    found = np.mean(middle, axis=-1)
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
    axes = axes_from_end(axis, x.ndim, "nanmedian", strict=True)
    ordered = Sort()(in_lanes(x, axes))
    count = np.sum(ordered == ordered, axis=-1, keepdims=True)
    low = np.floor_divide(np.maximum(count - 1, 0), 2)
    high = np.minimum(np.floor_divide(count, 2), np.maximum(count - 1, 0))
    below, above = TakeAlong()(ordered, low), TakeAlong()(ordered, high)
    found = np.where(low == high, below, (below + above) / 2)
    found = np.where(count == 0, np.full((), np.nan, x.dtype), found)
    found = reshape(found, reduced(tuple(x.shape), axes, bool(keepdims)))
    return delivered("nanmedian", astype(found, x.dtype), out)
