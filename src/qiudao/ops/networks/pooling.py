"""Pooling: the largest element, or the sum, of each window over the last axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Shape, Value, aval_of
from ...core.errors import ShapeError
from ...core.families import Linear
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.sweep import Masked
from ..faces import array
from ..reducing import lowest
from ..stopping import stop_gradient
from .windows import Index, Padding, Windows, check_counts, each_axis, padding_of


class Pooling(Primitive):
    """What pools have in common: how their windows move."""

    length: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    @property
    def windows(self) -> Windows:
        """How windows move."""
        return Windows(self.length, self.stride, self.padding, self.dilation)

    def settings(self) -> tuple[Shape, Shape, Padding, Shape]:
        """The fields that all pools have."""
        return self.length, self.stride, self.padding, self.dilation

    def pooled(self, shape: Shape) -> Shape:
        """The shape of the result for an operand of `shape`."""
        n = len(self.length)
        return (*shape[:-n], *self.windows.counts(shape[-n:]))


@primitive
class MaxPool(Pooling):
    """The largest element of each window over the last axes.  Ties share the derivative equally.

    Padding counts as less than anything.  Where the maximum is NaN the derivative is NaN: which
    element it depends on is unknown.
    """

    is_selection = True
    is_tame = True
    length: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    samples = (
        sample("f64[2,6]", length=(2,), stride=(2,), kind="distinct"),
        sample("f64[5,4]", length=(3, 2), stride=(2, 1), padding=((1, 1), (0, 1)),
               dilation=(1, 2), kind="distinct"),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.pooled(avals[0].shape), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        n = len(self.length)
        out = np.full_like(x, lowest(x.dtype, 1), shape=self.pooled(x.shape))
        for at, read in self.windows.taps(x.shape[-n:], out.shape[-n:]):
            target = out[at]
            np.maximum(target, x[read], out=target)
        return out

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        chosen = stop_gradient(xs[0]), stop_gradient(out)
        return MeanOfLargest(*self.settings())(*chosen, dx)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived; a NaN at the top of a window that is dropped spreads nothing."""
        top = stop_gradient(out)
        if isinstance(product, Masked):
            top = np.where(product.mask, top, np.zeros((), top.dtype))
        return (SpreadToLargest(*self.settings())(stop_gradient(xs[0]), top, ct),)


@primitive
class MeanOfLargest(Linear, Pooling):
    """The mean of `dx` over the elements of each window where `x` is `top`, its largest there.

    NaN where `top` is NaN.
    """

    linear = (2,)
    keeps_operands = True
    length: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    samples = (
        sample("i64[2,6]", "i64[2,3]", "f64[2,6]", length=(2,), stride=(2,), within=(0.0, 1.0)),
        sample("i64[5,4]", "i64[3,3]", "c128[5,4]", length=(3, 2), stride=(2, 1),
               padding=((1, 1), (0, 1)), dilation=(1, 2), within=(0.0, 1.0)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[1].shape, avals[2].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, top, dx = xs
        n = len(self.length)
        total = np.zeros_like(top, dx.dtype)
        taps = list(self.windows.taps(x.shape[-n:], top.shape[-n:]))
        masks = [x[read] == top[at] for at, read in taps]
        for (at, read), mask in zip(taps, masks, strict=True):
            total[at] += np.where(mask, dx[read], 0)
        return shared(taps, masks, top, total)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return SpreadToLargest(*self.settings())(xs[0], xs[1], ct)


@primitive
class SpreadToLargest(Linear, Pooling):
    """The transpose of `MeanOfLargest`: each of `ct` in equal shares to those that it was of."""

    linear = (2,)
    keeps_operands = True
    length: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    samples = (
        sample("i64[2,6]", "i64[2,3]", "f64[2,3]", length=(2,), stride=(2,), within=(0.0, 1.0)),
        sample("i64[5,4]", "i64[3,3]", "c128[3,3]", length=(3, 2), stride=(2, 1),
               padding=((1, 1), (0, 1)), dilation=(1, 2), within=(0.0, 1.0)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[2].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, top, ct = xs
        n = len(self.length)
        out = np.zeros_like(x, ct.dtype)
        taps = list(self.windows.taps(x.shape[-n:], top.shape[-n:]))
        masks = [x[read] == top[at] for at, read in taps]
        given = shared(taps, masks, top, ct)
        unknown = top != top
        is_finite, apart = np.isfinite(given).all(), self.windows.are_apart
        for (at, read), mask in zip(taps, masks, strict=True):
            if is_finite and apart:
                np.multiply(given[at], mask, out=out[read])
            elif is_finite:
                out[read] += given[at] * mask  # quicker than a choice, which infinities need
            else:
                out[read] += np.where(mask | unknown[at], given[at], 0)
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return MeanOfLargest(*self.settings())(xs[0], xs[1], ct)


@primitive
class WindowSum(Linear, Pooling):
    """The sum of each window over the last axes; padding counts as 0."""

    length: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    samples = (
        sample("f64[2,6]", length=(2,), stride=(2,)),
        sample("c128[5,4]", length=(3, 2), stride=(2, 1), padding=((1, 1), (0, 1)),
               dilation=(1, 2)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        return Aval(self.pooled(avals[0].shape), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        n = len(self.length)
        out = np.zeros_like(x, shape=self.pooled(x.shape))
        for at, read in self.windows.taps(x.shape[-n:], out.shape[-n:]):
            out[at] += x[read]
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return WindowSpread(*self.settings(), tuple(xs[0].shape[-len(self.length) :]))(ct)


@primitive
class WindowSpread(Linear, Pooling):
    """The transpose of `WindowSum`: each element added to all places of its window."""

    length: tuple[int, ...] = (1,)
    stride: tuple[int, ...] = (1,)
    padding: tuple[tuple[int, int], ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    sizes: tuple[int, ...] = (1,)
    samples = (
        sample("f64[2,3]", length=(2,), stride=(2,), sizes=(6,)),
        sample("c128[3,3]", length=(3, 2), stride=(2, 1), padding=((1, 1), (0, 1)),
               dilation=(1, 2), sizes=(5, 4)),
    )  # fmt: skip

    def shape(self, *avals: Aval) -> Aval:
        return Aval((*avals[0].shape[: -len(self.length)], *self.sizes), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        n = len(self.length)
        out = np.zeros_like(x, shape=(*x.shape[:-n], *self.sizes))
        for at, read in self.windows.taps(self.sizes, x.shape[-n:]):
            out[read] += x[at]
        return out

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return WindowSum(*self.settings())(ct)


def shared(
    taps: Sequence[tuple[Index, Index]], masks: Sequence[Value], top: Value, totals: Value
) -> Value:
    """Totals of windows over how many elements are its largest; NaN where that is NaN."""
    counts: Value = np.zeros_like(top, np.uint8 if len(taps) < 256 else np.int64)
    for (at, _), mask in zip(taps, masks, strict=True):
        counts[at] += mask
    if counts.size and not counts.min():
        totals = np.where(top == top, totals, np.array(np.nan, totals.dtype))
        counts = np.maximum(counts, 1)
    shares = np.zeros_like(top, totals.dtype)
    return np.divide(totals, counts.astype(np.finfo(totals.dtype).dtype), out=shares)


# For users


def max_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Value:
    """The largest element of each window of `x` (batch, channels, *space).

    `size`, `stride` (None: the size) and `dilation` are one number, or one for each axis of space;
    `padding` is as in `convolution`, of -inf.  Equal largest elements share the derivative.
    Raises `ShapeError` where a window does not fit, or where padding could fill one.

    >>> qd.max_pool(np.array([[[1.0, 3.0, 2.0, 5.0]]]), 2)
    array([[[3., 5.]]])
    """
    x = array(x)
    settings = pooling_of("max_pool", x, size, stride, padding, dilation)
    return MaxPool(*settings)(x)


def avg_pool(
    x: Any, size: Any, *, stride: Any = None, padding: Any = 0, counts_padding: bool = True
) -> Value:
    """The mean of each window of `x` (batch, channels, *space).

    `size` and `stride` (None: the size) are one number, or one for each axis of space; `padding` is
    as in `convolution`.  Its zeros count as elements, or with `counts_padding=False` do not.
    Raises `ShapeError` where a window does not fit, or where padding could fill one.

    >>> qd.avg_pool(np.array([[[1.0, 3.0, 2.0, 5.0]]]), 2)
    array([[[2. , 3.5]]])
    """
    x = array(x)
    settings = pooling_of("avg_pool", x, size, stride, padding, 1)
    pool = WindowSum(*settings)
    total = pool(x)
    if counts_padding or not any(map(any, pool.padding)):
        return total * (1.0 / math.prod(pool.length))
    counts = pool(np.ones(x.shape[-len(pool.length) :]))
    kind = np.finfo(x.dtype).dtype if x.dtype.kind in "fc" else np.float64
    return total * (1.0 / counts).astype(kind)


def pooling_of(
    name: str, x: Value, size: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[Shape, Shape, Padding, Shape]:
    """The settings of a pool of (batch, channels, *space), from what a caller gives."""
    if x.ndim < 3:
        raise ShapeError(
            f"{name}: x is {aval_of(x)}; it needs two axes, batch and channels, and then one of "
            "space at least"
        )
    sizes = tuple(x.shape[2:])
    length = each_axis(name, "size", size, len(sizes), 1)
    strides = length if stride is None else each_axis(name, "stride", stride, len(sizes), 1)
    dilations = each_axis(name, "dilation", dilation, len(sizes), 1)
    paddings = padding_of(name, padding, sizes, length, strides, dilations)
    windows = Windows(length, strides, paddings, dilations)
    check_counts(name, sizes, windows)
    for k, pair, d in zip(length, paddings, dilations, strict=True):
        if max(pair) > (k - 1) * d // 2 + (k - 1) * d % 2:
            raise ShapeError(
                f"{name}: padding={padding!r} could fill a window of {k} elements at dilation {d}; "
                "pad by at most half of it"
            )
    return length, strides, paddings, dilations
