"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import implements
from ..core.errors import ShapeError
from ..core.families import Linear
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, delivered, from_end, whole
from .indexing import Place
from .shaping import astype, made_anew, moveaxis, ravel


@primitive
class Diagonal(Linear):
    """The elements `offset` right of the main diagonal of the last two axes, as the last axis.

    Transpose: the cotangent on that diagonal, zeros elsewhere.
    """

    offset: int = 0
    is_view = True
    is_read_only = True
    samples = (
        sample("f64[3,3]"),
        sample("f64[2,3,4]", offset=1),
        sample("c128[4,2]", offset=-2),
        sample("f64[2,2]", offset=5),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval((*x.shape[:-2], length(x.shape[-2], x.shape[-1], self.offset)), x.dtype)

    def evaluate(self, *xs: Value) -> Value:
        return np.diagonal(xs[0], self.offset, -2, -1)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return OnDiagonal(self.offset, tuple(xs[0].shape[-2:]))(ct)


@primitive
class OnDiagonal(Linear):
    """The last axis put on the diagonal of a matrix of shape `sizes`, zeros elsewhere."""

    offset: int = 0
    sizes: tuple[int, int] = (0, 0)
    samples = (
        sample("f64[3]", sizes=(3, 3)),
        sample("f64[2,3]", offset=1, sizes=(3, 4)),
        sample("c128[2]", offset=-2, sizes=(4, 2)),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval((*avals[0].shape[:-1], *self.sizes), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        out = np.zeros((*x.shape[:-1], *self.sizes), x.dtype)
        k = np.arange(x.shape[-1])
        out[..., k + max(-self.offset, 0), k + max(self.offset, 0)] = x
        return out

    def expand(self, *xs: Value) -> Any:
        (x,) = xs
        rows, columns = self.sizes
        start = max(-self.offset, 0) * columns + max(self.offset, 0)
        stop = start + x.shape[-1] * (columns + 1)
        flat = Place((Ellipsis, slice(start, stop, columns + 1)), (*x.shape[:-1], rows * columns))
        return np.reshape(flat(x), (*x.shape[:-1], rows, columns))

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return Diagonal(self.offset)(ct)


def length(rows: int, columns: int, offset: int) -> int:
    """How many elements a diagonal has."""
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


@implements(np.diagonal)
def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Value:
    """A diagonal of the matrices in two axes, as the last axis of the result."""
    x = array(a)
    if x.ndim < 2:
        raise ShapeError(f"diagonal: an array of {x.ndim} axes has no diagonal; give two or more")
    rows, columns = (from_end(k, x.ndim, "diagonal") for k in (axis1, axis2))
    if rows == columns:
        raise ShapeError(f"diagonal: axis1={axis1} and axis2={axis2} are the same axis")
    if (rows, columns) != (-2, -1):
        x = moveaxis(x, (rows, columns), (-2, -1))
    return Diagonal(whole(offset))(x)


@implements(np.linalg.diagonal)
def matrix_diagonal(x: Any, /, *, offset: Any = 0) -> Value:
    """A diagonal of the matrices in the last two axes."""
    return diagonal(x, offset, -2, -1)


@implements(np.trace)
def trace(
    a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None
) -> Value:
    """The sum along a diagonal."""
    total = np.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)
    return delivered("trace", total, out)


@implements(np.linalg.trace)
def matrix_trace(x: Any, /, *, offset: Any = 0, dtype: Any = None) -> Value:
    """The sum along a diagonal of the matrices in the last two axes."""
    return trace(x, offset, -2, -1, dtype)


@implements(np.diag)
def diag(v: Any, k: Any = 0) -> Value:
    """The matrix with a vector on a diagonal, or the diagonal of a matrix."""
    x = array(v)
    if x.ndim == 1:
        return diagflat(x, k)
    if x.ndim != 2:
        raise ShapeError(f"diag: an array of {x.ndim} axes; give a vector or a matrix")
    return Diagonal(whole(k))(x)


@implements(np.diagflat)
def diagflat(v: Any, k: Any = 0) -> Value:
    """The square matrix with all elements on a diagonal."""
    x, offset = ravel(v), whole(k)
    n = x.size + abs(offset)
    return OnDiagonal(offset, (n, n))(x)


def triangle(m: Any, k: Any, upper: bool) -> Value:
    """The elements of matrices on one side of a diagonal, zeros on the other."""
    x = array(m)
    if x.ndim == 1:  # as NumPy: the rows of a square matrix
        x = np.broadcast_to(x, (x.size, x.size))
    zero = np.zeros((), x.dtype)
    mask = np.tri(x.shape[-2], x.shape[-1], whole(k) - upper, dtype=bool)
    return np.where(mask, zero, x) if upper else np.where(mask, x, zero)


@implements(np.triu)
def triu(m: Any, k: Any = 0) -> Value:
    """The upper triangle, from the diagonal `k` on; zeros below."""
    return triangle(m, k, upper=True)


@implements(np.tril)
def tril(m: Any, k: Any = 0) -> Value:
    """The lower triangle, up to the diagonal `k`; zeros above."""
    return triangle(m, k, upper=False)


def matrix_sizes(arr: Any, name: str) -> tuple[int, int]:
    """The shape of a matrix."""
    shape: tuple[int, ...] = np.shape(arr)
    if len(shape) != 2:
        raise ShapeError(f"{name}: an array of {len(shape)} axes; give a matrix")
    return shape[0], shape[1]


@implements(np.triu_indices_from)
def triu_indices_from(arr: Any, k: Any = 0) -> Any:
    """The indices of the upper triangle of a matrix."""
    rows, columns = matrix_sizes(arr, "triu_indices_from")
    return np.triu_indices(rows, k, columns)


@implements(np.tril_indices_from)
def tril_indices_from(arr: Any, k: Any = 0) -> Any:
    """The indices of the lower triangle of a matrix."""
    rows, columns = matrix_sizes(arr, "tril_indices_from")
    return np.tril_indices(rows, k, columns)


@implements(np.diag_indices_from)
def diag_indices_from(arr: Any) -> Any:
    """The indices of the main diagonal of an array whose axes are equally long."""
    shape = np.shape(arr)
    if len(shape) < 2 or len(set(shape)) > 1:
        raise ShapeError(f"diag_indices_from: shape {shape}; all axes must be equally long")
    return np.diag_indices(shape[0], len(shape))


@implements(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Value:
    """The matrix whose columns are the powers of a vector, the highest first."""
    v = array(x)
    if v.ndim != 1:
        raise ShapeError(f"vander: an array of {v.ndim} axes; give a vector")
    n = v.size if N is None else whole(N)
    v = astype(v, np.promote_types(v.dtype, int))
    first = np.ones((v.size, min(n, 1)), v.dtype)
    rest = np.broadcast_to(v[:, None], (v.size, max(n - 1, 0)))
    powers = np.cumprod(np.concatenate([astype(first, v.dtype), rest], axis=1), axis=1)
    return powers if increasing else made_anew(powers[:, ::-1])
