"""Which values there are, and how many or how much of each: unique, bincount, histogram, sets.

What is found is constant between jumps; the values themselves, the weights and the edges of the
bins carry derivatives.  A repeated value gets its derivative at its first occurrence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value, is_inexact
from ..core.dispatch import concrete, implements
from ..core.errors import ShapeError
from .faces import array, from_end, known
from .indexing import ScatterAdd
from .shaping import astype, concatenate, ravel, reshape
from .sorting import searchsorted
from .taking import picked


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The different elements (or slices along `axis`), ascending, and what else is asked for."""
    x = array(ar)
    _, first, inverse, counts = np.unique(
        concrete(x), True, True, True, axis=axis, equal_nan=equal_nan
    )
    lane = ravel(x) if axis is None else x
    values = picked(lane, first, -1 if axis is None else from_end(axis, x.ndim, "unique"))
    asked = zip((first, inverse, counts), (return_index, return_inverse, return_counts),
                strict=True)  # fmt: skip
    more = [found for found, wanted in asked if wanted]
    return (values, *more) if more else values


@implements(np.unique_values)
def unique_values(x: Any) -> Value:
    """The different elements, in the order in which NumPy finds them."""
    values = unique(x, equal_nan=False)
    plain, found = concrete(values), np.unique_values(concrete(array(x)))
    places = np.empty(found.size, np.intp)
    places[np.argsort(found, kind="stable")] = np.argsort(plain, kind="stable")
    return values[places]


@implements(np.unique_counts)
def unique_counts(x: Any) -> Any:
    """The different elements and how often each occurs."""
    values, counts = unique(x, return_counts=True, equal_nan=False)
    return np.unique_counts(())._replace(values=values, counts=counts)


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    """The different elements and where each element of `x` is among them."""
    values, inverse = unique(x, return_inverse=True, equal_nan=False)
    return np.unique_inverse(())._replace(values=values, inverse_indices=inverse)


@implements(np.unique_all)
def unique_all(x: Any) -> Any:
    """The different elements, their first places, where each element is among them, counts."""
    values, first, inverse, counts = unique(x, True, True, True, equal_nan=False)
    return np.unique_all(())._replace(
        values=values, indices=first, inverse_indices=inverse, counts=counts
    )


# Sets


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Value:
    """Whether each element is among `test_elements`."""
    x, tests = array(element), ravel(test_elements)
    plain, others = known(x), known(tests)
    if plain is not None and others is not None:
        return np.isin(plain, others, assume_unique, invert, kind=kind)
    found = np.any(np.equal(reshape(x, (*x.shape, 1)), tests), axis=-1)
    return ~found if invert else found


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Value:
    """The different elements of both."""
    return unique(concatenate([ravel(ar1), ravel(ar2)]))


@implements(np.intersect1d)
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """The different elements that are in both; their derivative is that of the first array's."""
    x = ravel(ar1)
    _, first, second = np.intersect1d(
        concrete(x), concrete(array(ar2)), assume_unique, return_indices=True
    )
    values = astype(picked(x, first, -1), np.result_type(x, array(ar2)))
    return (values, first, second) if return_indices else values


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Value:
    """The different elements of the first that are not in the second."""
    x = ravel(ar1) if assume_unique else unique(ar1)
    return x[np.flatnonzero(isin(x, ar2, invert=True))]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Value:
    """The different elements that are in one only."""
    sides = [ravel(a) if assume_unique else unique(a) for a in (ar1, ar2)]
    values, counts = unique(concatenate(sides), return_counts=True)
    return values[np.flatnonzero(counts == 1)]


# Bins


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Value:
    """How often each of 0, 1, 2... occurs, or the sum of its weights."""
    numbers = concrete(array(x))
    if weights is None:
        return np.bincount(numbers, minlength=minlength)
    w = array(weights)
    count = np.bincount(numbers, minlength=minlength).size
    if w.shape != numbers.shape:
        raise ShapeError(
            f"bincount: weights of shape {w.shape} do not fit numbers of shape {numbers.shape}"
        )
    return ScatterAdd(sizes=(count,))(astype(w, np.float64), numbers)


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Value:
    """The edges of the bins of `histogram`, which move with the extremes of `a`."""
    x = ravel(a)
    edges = array(1 if isinstance(bins, str) else bins)
    if edges.ndim == 1:
        plain = known(edges)
        if plain is not None and np.any(plain[:-1] > plain[1:]):
            raise ValueError("histogram: the edges of bins must not fall")
        return edges
    if isinstance(bins, str) or range is not None or not x.size:
        weighed = None if weights is None else np.ones(x.shape)
        found = np.histogram_bin_edges(concrete(x), concrete(bins), range, weighed)
        if range is not None or not x.size:
            return found  # fixed by the range
        bins = found.size - 1  # the rule finds how many; they span the data
    return even_edges(x, int(bins))


def even_edges(x: Value, count: int) -> Value:
    """The edges of `count` equal bins between the extremes, half a unit beyond if these meet."""
    if count < 1:
        raise ValueError(f"histogram: {count} bins; give a positive number")
    low, high = np.min(x), np.max(x)
    found = known(high - low)
    if found is not None and not np.isfinite(found):
        raise ValueError("histogram: the extremes of the data are not finite; give range=")
    spare = np.where(low == high, 0.5, 0.0).astype(x.dtype)
    low, high = low - spare, high + spare
    inner = low + np.arange(count) * ((high - low) / count)
    kind = x.dtype if is_inexact(x.dtype) else inner.dtype
    return concatenate([inner, reshape(high, (1,))]).astype(kind)


def places_in(x: Value, edges: Value) -> tuple[Value, Value]:
    """The bin of each element (the last includes its end), and whether it has one."""
    count = edges.size - 1
    place = searchsorted(edges, x, "right") - 1
    place = np.where(np.equal(x, edges[-1]), count - 1, place)
    inside = (place >= 0) & (place < count)
    return np.where(inside, place, 0), inside


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Value, Value]:
    """How many elements, or how much weight, falls into each bin, and the edges of the bins."""
    x = ravel(a)
    edges = histogram_bin_edges(x, bins, range, weights)
    place, inside = places_in(x, edges)
    terms = np.ones(x.shape, np.intp) if weights is None else ravel(weights)
    if terms.shape != x.shape:
        raise ShapeError(
            f"histogram: weights of shape {terms.shape} do not fit {x.size} elements; "
            "give one for each"
        )
    kept = np.where(inside, terms, np.zeros((), terms.dtype))
    found = ScatterAdd(sizes=(edges.size - 1,))(kept, place)
    if density:
        widths = astype(edges[1:] - edges[:-1], np.float64)
        found = found / widths / np.sum(found)
    return found, edges


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Value, list[Value]]:
    """How many points, or how much weight, falls into each cell, and the edges along each axis."""
    if isinstance(sample, list | tuple):
        columns = [ravel(column) for column in sample]
    else:
        points = array(sample)
        columns = list(np.moveaxis(points, -1, 0)) if points.ndim > 1 else [points]
    n = len(columns)
    each = list(bins) if hasattr(bins, "__len__") else [bins] * n
    spans = [None] * n if range is None else list(range)
    if len(each) != n or len(spans) != n:
        raise ValueError(f"histogramdd: bins and range must have one entry for each of {n} axes")
    edges = [histogram_bin_edges(x, b, r) for x, b, r in zip(columns, each, spans, strict=True)]
    found = [places_in(x, e) for x, e in zip(columns, edges, strict=True)]
    inside = np.all(np.stack([mask for _, mask in found]), axis=0)
    terms = astype(np.ones(columns[0].shape) if weights is None else ravel(weights), np.float64)
    cells = ScatterAdd((0,) * n, tuple(np.arange(n).tolist()), tuple(e.size - 1 for e in edges))
    counts = cells(np.where(inside, terms, 0.0), *(place for place, _ in found))
    if density:
        counts = counts / np.sum(counts)
        for k, e in enumerate(edges):
            shape = [1] * n
            shape[k] = -1
            counts = counts / reshape(e[1:] - e[:-1], tuple(shape))
    return counts, edges


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Value, Value, Value]:
    """How many points (x, y), or how much weight, falls into each cell, and the edges."""
    if hasattr(bins, "__len__") and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, (first, second) = histogramdd([x, y], bins, range, density, weights)
    return counts, first, second
