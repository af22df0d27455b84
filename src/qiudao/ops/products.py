"""Products of arrays: matrix products, contractions, outer products, convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, promote
from ..core.dispatch import implements
from ..core.errors import ShapeError
from ..core.families import Bilinear
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array


@primitive
class MatMul(Bilinear):
    """Matrix product over the last two axes; leading axes broadcast."""

    samples = (
        sample("f64[3,4]", "f64[4,2]"),
        sample("f64[5,3,4]", "f64[4,2]"),
        sample("c128[2,3]", "f64[3,2]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
            raise ShapeError(
                f"matmul: {a} and {b} do not fit: the last axis of the first must equal the "
                "second-to-last of the second"
            )
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return Aval((*lead, a.shape[-2], b.shape[-1]), promote(a, b))

    def evaluate(self, *xs: Value) -> Value:
        return np.matmul(*xs)

    def transpose(self, i: int, ct: Value, a: Value, b: Value) -> Value:
        return np.matmul(ct, np.swapaxes(b, -1, -2)) if i == 0 else np.matmul(
            np.swapaxes(a, -1, -2), ct
        )

    def batch(self, size: int, mapped: Any, xs: Any) -> Value:
        a, b = xs
        if mapped == (True, False) and b.ndim == 2:
            return self(a, b)  # NumPy folds the batch into leading axes by itself
        ndim = max(x.ndim - m for x, m in zip(xs, mapped, strict=True))
        wide = [
            np.reshape(x, (size, *(1,) * (ndim + 1 - x.ndim), *x.shape[1:]))
            if m and x.ndim < ndim + 1
            else x
            for x, m in zip(xs, mapped, strict=True)
        ]
        return self(*wide)


matmul_ = MatMul()


def matmul(x1: Any, x2: Any, /, **options: Any) -> Value:
    """`x1 @ x2`, vectors included."""
    a, b = array(x1), array(x2)
    if not a.ndim or not b.ndim:
        raise ShapeError(
            f"matmul: {aval_of(a)} and {aval_of(b)}: a 0-d operand has no axis to contract; use *"
        )
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        raise ShapeError(
            f"matmul: {aval_of(a)} and {aval_of(b)} do not fit: the last axis of the first must "
            "equal the second-to-last of the second"
        )
    if a.ndim > 1 and b.ndim > 1:
        return matmul_(a, b)
    wide = matmul_(a if a.ndim > 1 else a[None, :], b if b.ndim > 1 else b[:, None])
    if a.ndim == 1:
        wide = wide[..., 0, :]
    return wide[..., 0] if b.ndim == 1 else wide


implements(np.matmul)(matmul)
