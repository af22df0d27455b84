"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.errors import ShapeError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.roots import remember, squared_size
from ...core.samples import sample
from ..arithmetic import scale
from ..faces import array, axes_from_end, from_end
from ..reducing import reduced
from ..shaping import astype
from .matrices import conj, real, real_dtype, result_dtype, square
from .singular import NuclearNorm, SingularValues
from .solving import Inverse

INFINITY = float("inf")


@primitive
class VectorNorm(Primitive):
    """(sum of |x|^p over `axes`)^(1/p).  d = sum of (|x| / out)^(p-1) d|x|; 0 where the norm is 0.

    For even p the slope is (x / out) (|x| / out)^(p-2), a polynomial in x, exact at zeros of x to
    every order.  For other p an element that is 0 adds nothing to derivatives, of any order.
    """

    p: float = 2.0
    axes: tuple[int, ...] = ()
    keepdims: bool = False
    samples = (
        sample("f64[3,4]", axes=(-2, -1)),
        sample("f64[3,4]", axes=(-2,), keepdims=True),
        sample("c128[2,3]", axes=(-1,)),
        sample("f64[2,3]", p=3.0, axes=(-1,)),
        sample("c128[3]", p=4.0, axes=(-1,), order=2),
        sample("f64[3]", p=0.5, axes=(-1,), within=(0.5, 2.0)),
        sample("c128[3]", p=-1.5, axes=(-1,), within=(0.5, 2.0), order=2),
    )

    def shape(self, *avals: Aval) -> Aval:
        (x,) = avals
        return Aval(reduced(x.shape, self.axes, self.keepdims), real_dtype(result_dtype(x)))

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        if self.p == 2:
            squares = (x.conj() * x).real
            return np.sqrt(np.sum(squares, axis=self.axes, keepdims=self.keepdims))
        with np.errstate(divide="ignore"):
            powers = np.abs(x) ** self.p
            total = np.sum(powers, axis=self.axes, keepdims=self.keepdims)
            return total ** np.reciprocal(self.p, dtype=total.dtype)

    def expand(self, *xs: Value) -> Any:
        if self.p != 2:
            return NotImplemented
        return np.sqrt(np.sum(squared_size(xs[0]), axis=self.axes, keepdims=self.keepdims))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        change = real(scale(dx, self.slope(out, xs[0])))
        return np.sum(change, axis=self.axes, keepdims=self.keepdims)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small arrays."""
        kept = reduced(tuple(xs[0].shape), self.axes, True)
        return (np.reshape(ct, kept) * self.slope(out, xs[0]),)

    def slope(self, out: Value, x: Value) -> Value:
        """The derivative of the norm by each element."""
        norm = np.reshape(out, reduced(tuple(x.shape), self.axes, True))
        nothing = norm == 0
        ratio = np.where(nothing, 0.0, x / np.where(nothing, 1.0, norm))
        return conj(ratio) * self.weight(ratio)

    def weight(self, ratio: Value) -> Value:
        """|ratio|^(p-2)."""
        if self.p == 2:
            return 1.0
        square = real(ratio * conj(ratio))
        half = self.p / 2 - 1
        if half == int(half) and half > 0:
            return square ** int(half)
        nothing = square == 0
        return np.where(nothing, 0.0, np.where(nothing, 1.0, square) ** half)


def inexact(x: Any) -> Value:
    """An operand, which for integers is in double precision: they have no norms of their own."""
    a = array(x)
    return astype(a, result_dtype(aval_of(a)))


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Value:
    """The norm of order `ord` over `axis` (None: all axes) as of one vector."""
    a = inexact(x)
    return over_axes(a, axes_from_end(axis, a.ndim, "vector_norm"), ord, bool(keepdims))


def euclidean(x: Value, axes: tuple[int, ...], keepdims: bool) -> Value:
    """The 2-norm over `axes`, which remembers that its square is a sum of squares."""

    def square(source: Value) -> Value:
        return np.sum(squared_size(source), axis=axes, keepdims=keepdims)

    return remember(VectorNorm(2.0, axes, keepdims)(x), x, square)


def over_axes(x: Value, axes: tuple[int, ...], ord: Any, keepdims: bool) -> Value:
    """The norm of the elements over `axes` as of one vector."""
    if isinstance(ord, str):
        raise ValueError(
            f"norm: ord={ord!r} is no norm of a vector; use a number, np.inf or -np.inf"
        )
    if ord is None or ord == 2:
        return euclidean(x, axes, keepdims)
    if ord == 0:
        count: Value = np.sum((x != 0).astype(real_dtype(x.dtype)), axis=axes, keepdims=keepdims)
        return count
    size = np.abs(x)
    if ord == 1:
        return np.sum(size, axis=axes, keepdims=keepdims)
    if ord == INFINITY:
        return np.max(size, axis=axes, keepdims=keepdims, initial=0)
    if ord == -INFINITY:
        return np.min(size, axis=axes, keepdims=keepdims)
    return VectorNorm(float(ord), axes, keepdims)(x)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Value:
    """The norm of each matrix in the last two axes."""
    return of_matrices(inexact(x), (-2, -1), ord, bool(keepdims))


def of_matrices(x: Value, axes: tuple[int, int], ord: Any, keepdims: bool) -> Value:
    """The norm of the matrices whose rows and columns are along `axes`."""
    row, col = axes
    if row == col:
        raise ShapeError(f"norm: axis={axes} names an axis twice; a matrix has two")
    if ord is None or ord in ("fro", "f"):
        return euclidean(x, tuple(sorted(axes)), keepdims)
    if ord in (1, -1, INFINITY, -INFINITY):
        summed, left = (row, col) if ord in (1, -1) else (col, row)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        if ord > 0:
            extreme = np.max(sums, axis=left, keepdims=True, initial=0)
        else:
            extreme = np.min(sums, axis=left, keepdims=True)
        return np.reshape(extreme, reduced(x.shape, axes, keepdims))
    if ord not in (2, -2, "nuc"):
        raise ValueError(
            f"norm: ord={ord!r} is no norm of a matrix; use 'fro', 'nuc', 1, -1, 2, -2, np.inf or "
            "-np.inf"
        )
    matrices = np.moveaxis(x, axes, (-2, -1))
    if ord == "nuc":
        found = NuclearNorm()(matrices)
    elif ord == 2:
        found = np.max(SingularValues()(matrices), axis=-1, initial=0)
    else:
        found = np.min(SingularValues()(matrices), axis=-1)
    return np.reshape(found, reduced(x.shape, axes, True)) if keepdims else found


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    """The norm of vectors (one axis) or matrices (two axes) of order `ord`.

    With neither `ord` nor `axis`, of all elements as one vector.
    """
    a = inexact(x)
    if axis is None and ord is None:
        return euclidean(a, axes_from_end(None, a.ndim, "norm"), bool(keepdims))
    if axis is None:
        axis = tuple(range(a.ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(from_end(k, a.ndim, "norm") for k in given)
    if len(axes) == 1:
        return over_axes(a, axes, ord, bool(keepdims))
    if len(axes) == 2:
        return of_matrices(a, (axes[0], axes[1]), ord, bool(keepdims))
    raise ShapeError(
        f"norm: {len(axes)} axes; a vector has one and a matrix two: name them with axis=, or use "
        "np.linalg.vector_norm"
    )


@implements(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Value:
    """The condition number: the norm `p` of each matrix times that of its inverse.

    Infinite for a singular matrix; for p None, 2 and -2 it comes from the singular values.
    """
    a = array(x)
    if a.ndim < 2 or 0 in a.shape[-2:]:
        raise np.linalg.LinAlgError(
            f"cond: an array of shape {tuple(a.shape)} holds no matrix; give one with elements"
        )
    by_values = p is None or p in (2, -2)
    if not by_values:
        square("cond", aval_of(a))
    with np.errstate(all="ignore"):
        if by_values:
            s = SingularValues()(a)
            lowest, highest = s[..., -1], s[..., 0]
            r = lowest / highest if p == -2 else highest / lowest
        else:
            r = norm(a, p, (-2, -1)) * norm(Inverse(fill=True)(a), p, (-2, -1))
    lost = np.isnan(r) & ~np.any(np.isnan(a), axis=(-2, -1))
    return np.where(lost, np.array(np.inf, r.dtype), r)
