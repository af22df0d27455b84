"""Cholesky and QR factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.errors import ShapeError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ..faces import array
from .matrices import QRResult, adjoint, conj, eye, hermitian, real_dtype, result_dtype, square
from .reflecting import reflections
from .selfadjoint import from_triangle
from .solving import Inverse


def below(x: Value, diagonal: float) -> Any:
    """Weights that keep what is below the diagonal of a square matrix, and `diagonal` times it."""
    n = x.shape[-1]
    return np.tri(n, n, -1, dtype=real_dtype(x.dtype)) + diagonal * eye(x)


@primitive
class Cholesky(Primitive):
    """The lower triangular L with L L^H = the Hermitian part of a, which is positive definite.

    With S = L^-1 da L^-H, d = L (S below the diagonal + half of it on the diagonal) (Smith 1995;
    Murray 2016).
    """

    samples = (
        sample("f64[3,3]", kind="definite"),
        sample("c128[2,2]", kind="definite"),
        sample("f64[2,2,2]", kind="definite"),
    )

    def shape(self, *avals: Aval) -> Aval:
        square("cholesky", avals[0])
        return Aval(avals[0].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.cholesky(hermitian(xs[0]))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        inverse = Inverse()(out)
        s = hermitian(inverse @ dx @ adjoint(inverse))
        return out @ (s * below(out, 0.5))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in a third of the time for small matrices."""
        inverse = Inverse()(out)
        s = hermitian((adjoint(out) @ conj(ct)) * below(out, 0.5))
        return (conj(adjoint(inverse) @ s @ inverse),)


SINGULAR = (
    "qr: the matrix, or its first columns as many as it has rows, has linearly dependent columns, "
    "where Q jumps and has no derivative; add a small multiple of the identity, or use what does "
    "not need Q, np.linalg.lstsq or np.linalg.pinv"
)


@primitive
class QR(Primitive):
    """Q with orthonormal columns and R upper triangular with a real diagonal: a = Q R.

    For the first columns, as many as Q has, let Y = da R^-1 and X = Q^H Y; the skew matrix W that
    equals X below the diagonal gives dQ = Y - Q (X - W) and dR = Q^H da - W R (Walter, Lehmann and
    Lamour 2012; wide matrices: Roberts and Roberts 2020).
    """

    samples = (
        sample("f64[3,3]", kind="regular"),
        sample("f64[3,2]"),
        sample("f64[2,3]"),
        sample("c128[3,2]", order=2),
        sample("c128[2,2]", kind="regular", order=2),
        sample("f64[2,2,2]", kind="regular"),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        (a,) = avals
        if a.ndim < 2:
            raise ShapeError(f"qr: {a} is no matrix; give an array of two axes or more")
        m, n = a.shape[-2:]
        k, lead, dtype = min(m, n), a.shape[:-2], result_dtype(a)
        return Aval((*lead, m, k), dtype), Aval((*lead, k, n), dtype)

    def evaluate(self, *xs: Value) -> Value:
        return tuple(np.linalg.qr(xs[0]))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        q, r = out
        k = q.shape[-1]
        y = dx[..., :k] @ Inverse(SINGULAR)(r[..., :k])
        x = adjoint(q) @ y
        lower = x * below(x, 0.5)
        w = lower - adjoint(lower)  # skew: half of the diagonal, twice, leaves its imaginary part
        dr = adjoint(q) @ dx - w @ r
        dq = q @ w if q.shape[-2] == k else y - q @ (x - w)
        return dq, dr * above(r)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in a third of the time for small matrices."""
        (q, r), (gq, gr) = out, ct
        k = q.shape[-1]
        inside = 0.0 if gq is None else adjoint(q) @ conj(gq)
        g = None
        turn = inside
        if gr is not None:
            upper = conj(gr) * above(r)
            g = q @ upper
            turn = turn - upper @ adjoint(r)
        x = (turn - adjoint(turn)) * below(turn, 0.5)
        y = q @ x
        if gq is not None and q.shape[-2] > k:
            y = y + conj(gq) - q @ inside
        first = y @ adjoint(Inverse(SINGULAR)(r[..., :k]))
        if r.shape[-1] > k:
            rest = np.zeros((*first.shape[:-1], r.shape[-1] - k), first.dtype)
            first = np.concatenate([first, rest], axis=-1)
        return (conj(first if g is None else g + first),)


def above(r: Value) -> Any:
    """Weights that keep the upper triangle."""
    return np.triu(np.ones(r.shape[-2:], real_dtype(r.dtype)))


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Value:
    """L with L L^H = a, read from the lower triangle; with `upper`, U with U^H U = a."""
    factor = Cholesky()(from_triangle("cholesky", array(a), bool(upper)))
    return adjoint(factor) if upper else factor


@implements(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Q and R ("reduced", "complete"), R alone ("r"), or the reflections that make Q ("raw")."""
    x = array(a)
    if mode == "r":
        return QR()(x)[1]
    if mode == "reduced":
        return QRResult(*QR()(x))
    if mode == "complete":
        return QRResult(*completed(*QR()(x)))
    if mode == "raw":
        if x.ndim < 2:
            raise np.linalg.LinAlgError(f"qr: an array of {x.ndim} axes is no matrix; give 2")
        return reflections(x.astype(result_dtype(aval_of(x))))
    raise ValueError(f"qr: mode={mode!r}; choose 'reduced', 'complete', 'r' or 'raw'")


def completed(q: Value, r: Value) -> tuple[Value, Value]:
    """Q as a whole basis, and R with rows of zeros, as LAPACK makes them.

    LAPACK's Q is a product of reflections, 1 - V T V^H, so that its first columns, less those of
    the identity, are -V T V1^H where V1 is the top of V; with those, [A; B], known, the other
    columns are those of the identity plus [A; B] (B A^-1)^H (after Ballard et al. 2014).
    """
    m, k = q.shape[-2:]
    if m == k:
        return q, r
    first = q - np.eye(m, k, dtype=real_dtype(q.dtype))
    turn = adjoint(first[..., k:, :] @ Inverse(SINGULAR)(first[..., :k, :]))
    others = first @ turn + np.eye(m, dtype=real_dtype(q.dtype))[:, k:]
    zeros = np.zeros((*r.shape[:-2], m - k, r.shape[-1]), r.dtype)
    return np.concatenate([q, others], axis=-1), np.concatenate([r, zeros], axis=-2)
