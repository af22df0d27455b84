"""Pseudo-inverses, least squares and rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import concrete, implements
from ...core.errors import ShapeError
from ...core.families import Opaque, align, stretch
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ..faces import array, known
from ..stopping import stop_gradient
from .matrices import adjoint, conj, real, real_dtype, result_dtype
from .selfadjoint import from_triangle
from .singular import SingularValues, singular_values

GIVEN: Any = object()  # stands for an argument left out


@primitive
class PseudoInverse(Primitive):
    """Moore-Penrose inverse of each matrix; singular values below `cutoff` of the largest are 0.

    At constant rank, d = -out da out + out out^H da^H (1 - a out) + (1 - out a) da^H out^H out
    (Golub and Pereyra 1973).  The cutoff, where it is given, is the second operand.
    """

    samples = (
        sample("f64[3,3]", kind="regular"),
        sample("f64[3,2]"),
        sample("f64[2,3]"),
        sample("c128[3,2]"),
        sample("f64[2,2,2]", "f64[2]", kind="regular", within=(0.01, 0.1)),
    )

    def shape(self, *avals: Aval) -> Aval:
        a = avals[0]
        if a.ndim < 2:
            raise ShapeError(f"pinv: {a} is no matrix; give an array of two axes or more")
        return Aval((*a.shape[:-2], a.shape[-1], a.shape[-2]), result_dtype(a))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.pinv(*xs)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        if i == 1:  # the rank, and so the result, does not change with a small change of the cutoff
            return np.zeros(np.shape(out), out.dtype)
        a, p, dh = xs[0], out, adjoint(dx)
        left, right = dh @ adjoint(p), adjoint(p) @ dh
        left, right = left @ p, p @ right
        return -(p @ dx @ p) + (right - right @ a @ p) + (left - p @ (a @ left))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small matrices."""
        a, p, ph, gh = xs[0], out, adjoint(out), ct.mT
        left, right = gh @ p @ ph, ph @ p @ gh
        g = (left - a @ (p @ left)) + (right - right @ p @ a) - ph @ adjoint(gh) @ ph
        return (conj(g), *(None,) * (len(xs) - 1))

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        a = xs[0] if mapped[0] else stretch(xs[0], size)
        if len(xs) == 1:
            return self(a)
        return self(a, align(xs[1], a.ndim - 3) if mapped[1] else xs[1])


@primitive
class LeastSquares(Primitive):
    """The solution x of least |b - a x|, and among those of least |x|, for matrices b.

    With p = pinv(a) and r = b - a x, at constant rank,
    d = p (db - da x) + p p^H da^H r + (1 - p a) da^H p^H x (Golub and Pereyra 1973).
    """

    cutoff: float | None = None
    samples = (
        sample("f64[3,2]", "f64[3,2]"),
        sample("f64[2,3]", "f64[2,1]"),
        sample("c128[3,2]", "c128[3,1]", order=2),
    )

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        return Aval((*a.shape[:-2], a.shape[-1], b.shape[-1]), result_dtype(a, b))

    def evaluate(self, *xs: Value) -> Value:
        a, b = xs
        if a.ndim == b.ndim == 2:
            return np.linalg.lstsq(a, b, self.cutoff)[0]
        return np.linalg.pinv(a, relative_cutoff(a, self.cutoff)) @ b

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        a, b = xs
        p = PseudoInverse()(a, np.asarray(relative_cutoff(a, self.cutoff)))
        if i == 1:
            return p @ dx
        dh = adjoint(dx)
        free = dh @ (adjoint(p) @ out)
        return p @ (adjoint(p) @ (dh @ (b - a @ out)) - dx @ out) + (free - p @ (a @ free))


def relative_cutoff(a: Value, rcond: float | None) -> float:
    """What `np.linalg.lstsq` takes for zero, relative to the largest singular value."""
    eps = float(np.finfo(result_dtype(aval_of(a))).eps)
    if rcond is None:
        return float(eps * max(a.shape[-2:]))
    return float(rcond) if rcond >= 0 else eps


@primitive
class Rank(Opaque):
    """The number of singular values above a tolerance, `relative` to the largest or not."""

    relative: bool = False
    samples = (sample("f64[2,3]", "f64[2]"), sample("f64[3]", "f64[]", relative=True))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape[:-1], np.dtype(np.intp))

    def evaluate(self, *xs: Value) -> Value:
        s, *rest = xs
        highest = np.max(s, axis=-1, keepdims=True, initial=0)
        tolerance = np.asarray(rest[0])[..., None]
        return np.count_nonzero(s > (highest * tolerance if self.relative else tolerance), axis=-1)


@implements(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = GIVEN) -> Value:
    """Moore-Penrose inverse; singular values below `rcond` (or `rtol`) of the largest are 0."""
    x = array(a)
    if rcond is not None and rtol is not GIVEN:
        raise ValueError("pinv: rcond and rtol mean the same; give one of them")
    if hermitian:
        x = from_triangle("pinv", x, upper=False)
        x = 0.5 * x + 0.5 * adjoint(x)
    if rcond is None and rtol is GIVEN:
        return PseudoInverse()(x)
    if rcond is None:
        rcond = relative_cutoff(x, None) if rtol is None else rtol
    return PseudoInverse()(x, np.asarray(concrete(rcond)))


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Value, Value, Any, Value]:
    """Least-squares solution, sums of squared residuals, rank and singular values of `a`.

    The residuals are empty where the rank is below the number of columns, and where there are no
    more rows than columns, as in NumPy.
    """
    a, b = array(a), array(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ShapeError(
            f"lstsq: {aval_of(a)} and {aval_of(b)} do not fit: give a matrix, and a vector or a "
            "matrix of as many rows"
        )
    cutoff = None if rcond is None else float(rcond)
    common = result_dtype(aval_of(a), aval_of(b))
    a, b = a.astype(common), b.astype(common)
    wide = b[:, None] if b.ndim == 1 else b
    x = LeastSquares(cutoff)(a, wide)
    s = SingularValues()(a)
    rank = Rank(True)(s, np.asarray(relative_cutoff(a, cutoff), s.dtype))
    m, n = a.shape
    if m <= n or known(rank) not in (None, n):
        residuals = np.zeros(0, real_dtype(x.dtype))
    else:
        rest = wide - a @ x
        residuals = np.sum(real(rest * np.conj(rest)), axis=0)
    found = known(rank)
    rank = rank if found is None else np.int32(found)
    return (x[:, 0] if b.ndim == 1 else x), residuals, rank, s


@implements(np.linalg.matrix_rank)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values above `tol`, or above `rtol` times the largest."""
    a = stop_gradient(array(A))  # or a push would ask for derivatives of the singular values
    if tol is not None and rtol is not None:
        raise ValueError("matrix_rank: tol and rtol exclude each other; give one of them")
    if a.ndim < 2:
        return int(np.any(a != 0))
    s = singular_values(a, hermitian)
    if tol is not None:
        return Rank()(s, np.asarray(concrete(tol)))
    if rtol is None:
        rtol = max(a.shape[-2:]) * np.finfo(s.dtype).eps
    return Rank(True)(s, np.asarray(concrete(rtol)))
