"""Reductions over axes: sums, products, extremes, means and norms of elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import implements, implements_method
from ..core.families import Linear, Opaque
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, axes_from_end
from .shaping import astype


def reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape after a reduction over axes counted from the end."""
    ndim = len(shape)
    return tuple(
        1 if k in axes else n
        for k, n in zip(range(-ndim, 0), shape, strict=True)
        if keepdims or k not in axes
    )


@primitive
class Sum(Linear):
    """The sum over `axes`.  Transpose: the cotangent repeated along them."""

    axes: tuple[int, ...] = ()
    keepdims: bool = False
    samples = (
        sample("f64[3,4]", axes=(-2, -1)),
        sample("f64[3,4]", axes=(-2,), keepdims=True),
        sample("c128[2,3]", axes=(-1,)),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(reduced(x.shape, self.axes, self.keepdims), x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.add.reduce(xs[0], axis=self.axes, keepdims=self.keepdims)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        shape = tuple(xs[0].shape)
        if not self.keepdims:
            ct = np.reshape(ct, reduced(shape, self.axes, True))
        return np.broadcast_to(ct, shape)


@implements(np.sum)
def sum(  # noqa: A001  (NumPy's name)
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Value:
    """The sum over `axis` (None: all) of the elements that `where` keeps, plus `initial`."""
    x = array(a)
    if dtype is not None:
        x = astype(x, dtype)
    if where is not True:
        x = np.where(where, x, np.zeros((), x.dtype))
    total = Sum(axes_from_end(axis, x.ndim, "sum"), bool(keepdims))(x)
    return total if isinstance(initial, int) and initial == 0 else total + initial


implements_method(np.add, "reduce")(lambda a, axis=0, **kw: sum(a, axis, **kw))


@implements(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Value:
    """The mean over `axis` of the elements that `where` keeps."""
    x = array(a)
    axes = axes_from_end(axis, x.ndim, "mean")
    if where is True:
        count: Any = math.prod(x.shape[k] for k in axes)
    else:
        count = np.add.reduce(np.broadcast_to(where, x.shape), axis=axes, keepdims=bool(keepdims))
    return sum(x, axis, dtype, keepdims=keepdims, where=where) / count




@implements(np.any)
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Value:
    """Whether any element holds."""
    return AnyOf(axes_from_end(axis, array(a).ndim, "any"), bool(keepdims))(array(a))


@primitive
class AnyOf(Opaque):
    """Whether any element along `axes` holds."""

    axes: tuple[int, ...] = ()
    keepdims: bool = False
    samples = (sample("bool[3,4]", axes=(-1,)),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(reduced(avals[0].shape, self.axes, self.keepdims), np.dtype(bool))

    def evaluate(self, *xs: Value) -> Value:
        return np.any(xs[0], axis=self.axes, keepdims=self.keepdims)
