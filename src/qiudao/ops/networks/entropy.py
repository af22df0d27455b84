"""The rectifier and the cross entropy of labels: one operation each, for a training step's sake."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import Tracer
from ...core.element import Element, Scalar
from ...core.families import Smooth
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.sweep import Masked, has_nan
from ..reducing import LogSumExp, Share


@primitive
class Relu(Smooth):
    """max(x, 0), NaN where x is.  d = dx where x > 0; the slope at 0 is 0, unlike np.maximum's."""

    is_tame = True
    is_selection = True
    reads = "out"
    samples = (sample("f64[3,4]"), sample("f64[]"))

    def evaluate(self, *xs: Value) -> Value:
        return np.maximum(xs[0], xs[0].dtype.type(0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if not isinstance(out, Tracer):
            return nan_or_step(out) if has_nan(out) else (out > 0).astype(out.dtype)
        return nan_or_step(out)

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.call("maximum", xs[0], e.constant(0, xs[0]))


def nan_or_step(out: Value) -> Value:
    """1 where a rectified value is above 0, 0 elsewhere, NaN where it is NaN."""
    one = out.dtype.type(1)
    return np.where(out != out, np.nan * one, np.where(out > 0, one, one - one))


@primitive
class CrossEntropy(Primitive):
    """log sum e^x - sum q x over the last axis, from logits x and a label for each row.

    q is 1 - smoothing at the label, and smoothing / classes is added everywhere.  With
    s = e^x / sum e^x, d = sum (s - q) dx.  The largest logit is taken out, and the sum of the other
    powers goes through log1p, so that a small loss keeps its digits.
    """

    smoothing: float = 0.0

    keeps_out = False
    samples = (
        sample("f64[3,4]", "i64[3]", kind="index"),
        sample("f64[2,2,3]", "i64[2,2]", kind="index"),
        sample("f64[3,4]", "i64[3]", smoothing=0.2, kind="index"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[1].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        x, labels = rows(*xs)
        top = largest(x)
        at_top = x == top
        with np.errstate(invalid="ignore", over="ignore"):
            e = x - top
            np.exp(e, out=e)
            np.copyto(e, 0.0, where=at_top)
            others = e.sum(-1)
            if np.count_nonzero(at_top) != len(x) or has_nan(top):  # there may be ties
                others += at_top.sum(-1) - 1
            left, top = np.log1p(others), top[:, 0]
            out = left + (top - x[np.arange(len(x)), labels])
            if self.smoothing:
                out *= 1.0 - self.smoothing
                out += self.smoothing * (left + (top - x.mean(-1)))
        return out.reshape(xs[1].shape)[()]

    def expand(self, *xs: Value) -> Any:
        x, labels = xs
        chosen = np.sum(np.where(one_hot(labels, x), x, 0.0), axis=-1)
        if self.smoothing:
            mean = np.mean(x, axis=-1)
            chosen = (1.0 - self.smoothing) * chosen + self.smoothing * mean
        return LogSumExp((-1,))(x) - chosen

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return np.sum(self.gradient(*xs) * dx, axis=-1)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if isinstance(product, Masked):  # whose mask is that of the rows
            return super().pull(ct, out, xs, parents, product)
        return (product(np.expand_dims(ct, -1), self.gradient(*xs)), None)

    def gradient(self, x: Value, labels: Value) -> Value:
        """S - q: by which each logit moves its row's loss."""
        low, high = self.smoothing / max(x.shape[-1], 1), 1.0 - self.smoothing
        if isinstance(x, Tracer) or isinstance(labels, Tracer):
            wanted = one_hot(labels, x).astype(x.dtype)
            return Share((-1,))(x) - (high * wanted + low if low else wanted)
        flat, chosen = rows(x, labels)
        with np.errstate(invalid="ignore", over="ignore"):
            e = flat - largest(flat)
            np.exp(e, out=e)
            e /= e.sum(-1, keepdims=True)
        if low:
            e -= low
        e[np.arange(len(e)), chosen] -= high
        return e.reshape(x.shape)


def rows(x: Value, labels: Value) -> tuple[Value, Value]:
    """Logits and labels with the leading axes as one."""
    return x.reshape(-1, x.shape[-1]), labels.reshape(-1)


def largest(x: Value) -> Value:
    """The largest of each row, (n, 1): for short rows in half the time of `max` along the axis."""
    if not x.size:
        return x.max(-1, keepdims=True)
    return np.maximum.reduceat(x.ravel(), np.arange(0, x.size, x.shape[-1]))[:, None]


def one_hot(labels: Value, x: Value) -> Value:
    """Where the logits of the labels are."""
    return np.expand_dims(labels, -1) == np.arange(x.shape[-1])
