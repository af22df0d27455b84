"""Eigenvalues and eigenvectors of Hermitian (real: symmetric) matrices.

NumPy reads one triangle.  Where the operand is Hermitian its gradient is the Hermitian one, the
textbook's and torch's; where it is not (one triangle holds all there is to know) the gradient is
that of the triangle.  Repeated eigenvalues are explained in `degenerate.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.families import Opaque
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.slot import Slot
from ..faces import array
from .degenerate import AlongBranches, Branches, Pool, Quotient, off_diagonal
from .matrices import (
    EighResult,
    adjoint,
    columns,
    conj,
    diagonal,
    diagonal_matrix,
    hermitian,
    real,
    real_dtype,
    result_dtype,
    square,
)
from .refusals import Basis, Direction, apart, pairs_used

share, quotient = Pool(), Quotient()


@primitive
class TriangleWeights(Opaque):
    """Weights that turn `a` into a matrix whose Hermitian part NumPy would read from a triangle.

    They are 1 for a Hermitian matrix (within rounding); for another 2 in the triangle, 1 on the
    diagonal and 0 in the other triangle.
    """

    upper: bool = False
    samples = (sample("f64[3,3]"), sample("c128[2,3,3]", kind="symmetric", upper=True))

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, real_dtype(result_dtype(*avals)))

    def evaluate(self, *xs: Value) -> Value:
        (a,) = xs
        n = a.shape[-1]
        dtype = real_dtype(result_dtype(aval_of(a)))
        skew = np.abs(a - adjoint(a))
        if not skew.any():
            return np.ones(a.shape, dtype)
        bound = 4 * n * np.finfo(dtype).eps * np.max(np.abs(a), axis=(-2, -1), keepdims=True)
        triangle = 2 * np.tri(n, n, -1, dtype=dtype) + np.eye(n, dtype=dtype)
        near = np.max(skew, axis=(-2, -1), keepdims=True) <= bound
        return np.where(near, np.ones((), dtype), triangle.T if self.upper else triangle)


def from_triangle(name: str, a: Value, upper: bool) -> Value:
    """A matrix whose Hermitian part is what NumPy makes of one triangle of `a`."""
    square(name, aval_of(a))
    return a * TriangleWeights(upper)(a)


@primitive
class Eigh(Primitive):
    """Eigenvalues w, ascending, and eigenvectors V of the Hermitian part of each matrix.

    With M = V^H da V: dw = diag(M), dV = V (M / (w_j - w_i) off the diagonal) (Giles 2008, 3.1;
    complex: Boeddeker et al. 2017).  The phase of complex eigenvectors is free: the tangent turns
    none, and a cotangent that depends on it is refused.  The signs are those that LAPACK gives
    for the triangle `UPLO`.
    """

    UPLO: Any = "L"
    samples = (
        sample("f64[3,3]", kind="symmetric", order=2),
        sample("f64[2,2,2]", kind="symmetric"),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        square("eigh", avals[0])
        dtype = result_dtype(*avals)
        return Aval(avals[0].shape[:-1], real_dtype(dtype)), Aval(avals[0].shape, dtype)

    def evaluate(self, *xs: Value) -> Value:
        return tuple(np.linalg.eigh(hermitian(xs[0]), self.UPLO))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        w, v = out
        m = Direction("eigh")(w, in_basis(v, dxs[0]))
        return share(w, real(diagonal(m))), v @ quotient(w, off_diagonal(m))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        (w, v), (gw, gv) = out, ct
        inner = 0.0 if gw is None else diagonal_matrix(share(w, gw))
        if gv is not None:
            x = Basis("eigh")(w, adjoint(v) @ conj(gv))
            inner = inner + hermitian(quotient(w, off_diagonal(x)))
            if gw is not None:
                inner = apart("eigh", w, inner, pairs_used(product))
        return (conj(v @ inner @ adjoint(v)),)


def in_basis(v: Value, m: Value) -> Value:
    """The Hermitian part of a matrix in the basis of the columns of v."""
    return hermitian(adjoint(v) @ m @ v)


@primitive
class EigValsh(Primitive):
    """Eigenvalues, ascending, of the Hermitian part of each matrix.  d = diag(V^H da V).

    Where eigenvalues coincide each gets the mean of their derivatives, so symmetric functions of
    them are exact; in forward mode they follow the analytic path, ascending.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", kind="symmetric", order=2),
        sample("c128[2,2]", kind="symmetric"),
        sample("f64[2,2,2]", kind="symmetric"),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("eigvalsh", avals[0])
        return Aval(avals[0].shape[:-1], real_dtype(result_dtype(*avals)))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.eigvalsh(hermitian(xs[0]))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        w, v = Eigh()(xs[0])
        m = in_basis(v, dxs[0])
        if isinstance(m, Slot):
            return share(w, real(diagonal(m)))
        return AlongBranches()(w, m, m)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (conj(WithEigenvalues()(xs[0], ct)),)


@primitive
class WithEigenvalues(Primitive):
    """V diag(g) V^H: the eigenvectors of the Hermitian matrix a with other eigenvalues g.

    Eigenvalues that coincide get the mean of their g.  With M = V^H da V,
    d = V (M (g_j - g_i) / (w_j - w_i) + diag(dg)) V^H (Daleckii and Krein 1965).  Where
    eigenvalues coincide the quotient is a limit, known to be 0 when g does not depend on them;
    where it does, forward mode finds it by following the branches, and reverse mode refuses.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", "f64[3]", kind="symmetric", order=2),
        sample("c128[2,2]", "f64[2]", kind="symmetric", order=2),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        square("eigh", avals[0])
        return Aval(avals[0].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        w, v = Eigh()(xs[0])
        return columns(v, share(w, xs[1])) @ adjoint(v)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, g), (da, dg) = xs, dxs
        if da is None and dg is not None:
            return self(a, dg)
        w, v = Eigh()(a)
        m = in_basis(v, da)
        if dg is None:
            inner = self.quotients(w, g, m)
        elif isinstance(m, Slot) or isinstance(dg, Slot):
            m = Direction("eigh")(w, m)
            inner = self.quotients(w, g, m) + diagonal_matrix(share(w, dg))
        else:
            inner = self.quotients(w, g, m) + Branches()(w, m, dg)
        return v @ inner @ adjoint(v)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        a, g = xs
        w, v = Eigh()(a)
        x = in_basis(v, conj(ct))
        if parents[0] is None:
            return (None, share(w, real(diagonal(x))))
        if parents[1] is not None:
            x = Direction("eigh", True)(w, x)
        back = v @ self.quotients(w, g, x) @ adjoint(v)
        return (conj(back), share(w, real(diagonal(x))))

    def quotients(self, w: Value, g: Value, m: Value) -> Value:
        """M (g_j - g_i) / (w_j - w_i)."""
        steps = g[..., None, :] - g[..., :, None]
        return quotient(w, Basis("eigh")(w, steps * m, g, m))


@implements(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of each Hermitian matrix, read from one triangle."""
    triangle = named("eigh", UPLO)
    return EighResult(*Eigh(triangle)(from_triangle("eigh", array(a), triangle == "U")))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Value:
    """Eigenvalues of each Hermitian matrix, read from one triangle."""
    triangle = named("eigvalsh", UPLO)
    return EigValsh()(from_triangle("eigvalsh", array(a), triangle == "U"))


def named(name: str, triangle: str) -> Any:
    """The triangle that `UPLO` names: "L" or "U"."""
    if triangle.upper() not in ("L", "U"):
        raise ValueError(f"{name}: UPLO={triangle!r} is no triangle; use 'L' or 'U'")
    return triangle.upper()
