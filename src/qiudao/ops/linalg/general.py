"""Eigenvalues and eigenvectors of any square matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Dtype, Value
from ...core.dispatch import implements
from ...core.families import Opaque
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ..faces import array, known
from .degenerate import Pool, Quotient, Vanish, off_diagonal
from .matrices import (
    EigResult,
    columns,
    diagonal,
    diagonal_matrix,
    result_dtype,
    square,
)
from .refusals import Direction, Turn, apart, pairs_used
from .solving import Inverse

share, quotient = Pool(), Quotient()

DEFECTIVE = (
    "eig: the matrix is defective: it has fewer eigenvectors than rows, and its eigenvalues have "
    "no derivative; use np.trace for their sum, np.linalg.det for their product"
)


def complex_dtype(*avals: Aval) -> Dtype:
    """The complex dtype that holds eigenvalues."""
    return np.result_type(result_dtype(*avals), np.complex64)


@primitive
class Pivot(Opaque):
    """1 at the component of each column that LAPACK made real: its largest, 0 elsewhere."""

    samples = (sample("c128[3,3]"),)

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        (v,) = xs
        size = np.abs(v)
        turned = v.imag == 0
        row = np.argmax(np.where(turned, size, -1.0), axis=-2)
        return (np.arange(v.shape[-2])[:, None] == row[..., None, :]).astype(v.dtype)


@primitive
class Eig(Primitive):
    """Eigenvalues w and eigenvectors V of each matrix, complex: a V = V diag(w).

    With M = V^-1 da V: dw = diag(M), dV = V C less what would change the length of a column or turn
    its largest component from the real axis, where C = M / (w_j - w_i) off the diagonal (Giles
    2008, 3.1).  So the derivative is that of the vectors that LAPACK gives, of length 1 with the
    largest component real.
    """

    samples = (
        sample("f64[3,3]", kind="regular", order=2),
        sample("c128[3,3]", order=2),
        sample("f64[2,2,2]", order=2),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        square("eig", avals[0])
        dtype = complex_dtype(*avals)
        return Aval(avals[0].shape[:-1], dtype), Aval(avals[0].shape, dtype)

    def evaluate(self, *xs: Value) -> Value:
        w, v = np.linalg.eig(xs[0])
        dtype = np.result_type(w, np.complex64)
        return w.astype(dtype), v.astype(dtype)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        w, v = out
        m = Direction("eig")(w, Inverse(DEFECTIVE)(v) @ dx @ v)
        turned = v @ Turn()(w, quotient(w, off_diagonal(m)))
        pivot = Pivot()(v)
        longer = np.real(np.sum(np.conj(v) * turned, axis=-2))
        phase = np.imag(np.sum(pivot * turned, axis=-2)) / np.real(np.sum(pivot * v, axis=-2))
        return share(w, diagonal(m)), turned - columns(v, longer + 1j * phase)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        (back,) = super().pull(ct, out, xs, parents, product)
        if ct[0] is None or ct[1] is None or back is None:
            return (back,)
        return (apart("eig", out[0], back, pairs_used(product)),)


@primitive
class EigVals(Primitive):
    """Eigenvalues of each matrix, complex.  d = diag(V^-1 da V).

    Where eigenvalues coincide each gets the mean of their derivatives, so symmetric functions of
    them are exact.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", kind="regular", order=2),
        sample("c128[3,3]", order=2),
        sample("f64[2,2,2]", order=2),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("eigvals", avals[0])
        return Aval(avals[0].shape[:-1], complex_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        w = np.linalg.eigvals(xs[0])
        return w.astype(np.result_type(w, np.complex64))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        w, v = Eig()(xs[0])
        return share(w, diagonal(Inverse(DEFECTIVE)(v) @ dxs[0] @ v))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (Similar()(xs[0], ct).mT,)


@primitive
class Similar(Primitive):
    """V diag(g) V^-1: the eigenvectors of a with other eigenvalues g, complex.

    As `WithEigenvalues`, with V^-1 for V^H.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", "c128[3]", kind="regular", order=2),
        sample("c128[2,2]", "c128[2]", order=2),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, complex_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        w, v = Eig()(xs[0])
        return columns(v, share(w, xs[1])) @ Inverse(DEFECTIVE)(v)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, g), (da, dg) = xs, dxs
        if da is None:
            return None if dg is None else self(a, dg)
        w, v = Eig()(a)
        inverse = Inverse(DEFECTIVE)(v)
        m = inverse @ da @ v
        if dg is None:
            return v @ self.quotients(w, g, m) @ inverse
        m = Direction("eig", True)(w, m)
        return v @ (self.quotients(w, g, m) + diagonal_matrix(share(w, dg))) @ inverse

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        a, g = xs
        w, v = Eig()(a)
        inverse = Inverse(DEFECTIVE)(v)
        m = inverse @ ct.mT @ v
        back = share(w, diagonal(m))
        if parents[0] is None:
            return (None, back)
        if parents[1] is not None:
            m = Direction("eig", True)(w, m)
        return ((v @ self.quotients(w, g, m) @ inverse).mT, back)

    def quotients(self, w: Value, g: Value, m: Value) -> Value:
        """M (g_j - g_i) / (w_j - w_i)."""
        steps = g[..., None, :] - g[..., :, None]
        return quotient(w, Vanish()(w, steps * off_diagonal(m), g, m))


# NumPy before 2.5 gives eigenvalues of real matrices a real type where all are real
GIVES_REAL = np.linalg.eigvals(np.eye(1)).dtype.kind == "f"


@implements(np.linalg.eig)
def eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors, real where NumPy's are."""
    x = array(a)
    w, v = Eig()(x)
    if GIVES_REAL and are_real(x, w):
        w, v = np.real(w), np.real(v)
    return EigResult(w, v)


@implements(np.linalg.eigvals)
def eigvals(a: Any) -> Value:
    """Eigenvalues, real where NumPy's are."""
    x = array(a)
    w = EigVals()(x)
    return np.real(w) if GIVES_REAL and are_real(x, w) else w


def are_real(x: Value, w: Value) -> bool:
    """Whether `x` is real, and all of these eigenvalues of it are known to be.

    Under `vmap` the examples may differ, and the answer is no.
    """
    value = None if x.dtype.kind == "c" else known(w)
    return value is not None and not np.any(value.imag)
