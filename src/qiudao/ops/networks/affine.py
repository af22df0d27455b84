"""A linear layer as one operation: on the tape a third of what its parts would be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...core.avals import Aval, Value, promote
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive, stretch
from ...core.samples import sample
from ...core.sweep import Masked
from ..warming import warm


@primitive
class Affine(Primitive):
    """x Wᵀ + b over the last axis of x, from x (..., n), W (m, n) and b (m).

    d = dx Wᵀ + x dWᵀ + db.
    """

    is_tame = True
    keeps_out = False
    samples = (
        sample("f64[3,4]", "f64[2,4]", "f64[2]"),
        sample("f64[2,3,2]", "f64[4,2]", "f64[4]"),
        sample("f64[3]", "f64[2,3]", "f64[2]"),
        sample("c128[2,2]", "f64[3,2]", "f64[3]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        x, w, _ = avals
        return Aval((*x.shape[:-1], w.shape[0]), promote(*avals))

    def evaluate(self, *xs: Value) -> Value:
        warm()
        x, w, b = xs
        y = rows(x) @ w.T
        y = np.add(y, b, out=y if b.dtype == y.dtype else None)
        return y.reshape(*x.shape[:-1], len(w))

    def expand(self, *xs: Value) -> Value:
        x, w, b = xs
        return x @ w.T + b

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        x, w, _ = xs
        if i == 0:
            return dx @ w.T
        if i == 1:
            return x @ dx.T
        return np.broadcast_to(dx, (*x.shape[:-1], w.shape[0]))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        if isinstance(product, Masked):
            return super().pull(ct, out, xs, parents, product)
        x, w, _ = xs
        of_x, of_w, of_b = parents
        lanes = rows(ct)
        back: list[Value | None] = [None, None, None]
        if of_x is not None:
            back[0] = np.reshape(lanes @ w, x.shape)
        if of_w is not None:
            back[1] = lanes.T @ rows(x)
        if of_b is not None:
            back[2] = np.sum(lanes, axis=0)
        return back

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        (x, w, b), (of_x, of_w, of_b) = values, parents
        kept_x = x if of_x is None or of_w is not None else of_x
        kept_w = w if of_w is None or of_x is not None else of_w
        return kept_x, kept_w, b if of_b is None else of_b

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        if not any(mapped[1:]):
            return self(*xs)
        x, w, b = (v if m else stretch(v, size) for v, m in zip(xs, mapped, strict=True))
        lead = x.shape[1:-1]
        y = np.reshape(x, (size, math.prod(lead), x.shape[-1])) @ np.swapaxes(w, -1, -2)
        return np.reshape(y + np.expand_dims(b, 1), (size, *lead, w.shape[1]))


def rows(x: Value) -> Value:
    """An operand as rows, its leading axes as one: products of two axes are the quickest."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
