"""Singular values and vectors, the polar factor and the nuclear norm.

With P = U^H da V, s = S + its adjoint parts: the Hermitian part of P moves the singular values
apart (quotients by s_j - s_i), its skew part turns U against V (quotients by s_i + s_j).  Repeated
values are explained in `degenerate.py`; a singular value that is 0 has a kink, as |x| has at 0,
and its derivative is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.slot import Slot
from ..faces import array
from .degenerate import (
    AlongBranches,
    Basis,
    Branches,
    Direction,
    Null,
    Present,
    Quotient,
    Share,
    apart,
    off_diagonal,
    used,
)
from .matrices import (
    SVDResult,
    adjoint,
    columns,
    conj,
    diagonal,
    diagonal_matrix,
    real,
    real_dtype,
    result_dtype,
)
from .selfadjoint import eigh, eigvalsh, from_triangle

share = Share(True)
gap, total, by_column = Quotient("gap"), Quotient("total"), Quotient("column")
present = Present()


def types(a: Aval) -> tuple[int, int, int, np.dtype[Any], np.dtype[Any]]:
    """Rows, columns and singular values of matrices, their dtype and that of the values."""
    if a.ndim < 2:
        raise np.linalg.LinAlgError(f"svd: {a} is no matrix; give an array of at least two axes")
    m, n = a.shape[-2:]
    dtype = result_dtype(a)
    return m, n, min(m, n), dtype, real_dtype(dtype)


def split(p: Value) -> tuple[Value, Value]:
    """P + P^H and P - P^H."""
    q = adjoint(p)
    return p + q, p - q


@primitive
class SVD(Primitive):
    """Singular values s, descending, with vectors U and V^H: a = U diag(s) V^H.

    With P = U^H da V, S = P + P^H and A = P - P^H: ds = Re diag(P), dU = U (S / (s_j - s_i) +
    A / (s_i + s_j)) / 2 + (1 - U U^H) da V / s, and dV alike with -A (Giles 2008, 3.2; complex:
    Wan and Zhang 2019).  With `full`, the vectors that complete a basis turn no more than they
    must.
    """

    full: bool = False
    samples = (
        sample("f64[3,3]", order=2),
        sample("f64[3,2]", order=2),
        sample("f64[2,3]", order=2),
        sample("f64[2,2,2]", order=2, full=True),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, ...]:
        m, n, k, dtype, real_ = types(avals[0])
        lead = avals[0].shape[:-2]
        rows, cols = (m, n) if self.full else (k, k)
        return Aval((*lead, m, rows), dtype), Aval((*lead, k), real_), Aval((*lead, cols, n), dtype)

    def evaluate(self, *xs: Value) -> Value:
        return tuple(np.linalg.svd(xs[0], full_matrices=self.full))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (u, s, vh), (da,) = out, dxs
        m, n, k, *_ = types(aval_of(xs[0]))
        u1, v = u[..., :k], adjoint(vh)
        v1 = v[..., :k]
        dav = da @ v1
        p = Null("svd")(s, adjoint(u1) @ dav)
        apart_, against = split(p)
        gaps = gap(s, off_diagonal(Direction("svd")(s, apart_)))
        totals = total(s, against)
        du = u1 @ (0.5 * (gaps + totals))
        dv = v1 @ (0.5 * (gaps - totals))
        if m > k:
            rest = outer(s, dav - u1 @ p)
            du = self.completed(du + rest, u[..., k:], u1, rest)
        if n > k:
            rest = outer(s, adjoint(da) @ u1 - v1 @ adjoint(p))
            dv = self.completed(dv + rest, v[..., k:], v1, rest)
        return du, share(s, real(diagonal(p))), adjoint(dv)

    def completed(self, du: Value, others: Value, u1: Value, rest: Value) -> Value:
        """With `full`, the change of the other vectors too: they stay orthogonal to the first."""
        if not self.full:
            return du
        return np.concatenate([du, -(u1 @ (adjoint(rest) @ others))], axis=-1)

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        (u, s, vh), (gu, gs, gvh) = out, ct
        k = s.shape[-1]
        v = adjoint(vh)
        u1, v1 = u[..., :k], v[..., :k]
        inner = 0.0 if gs is None else diagonal_matrix(share(s, gs))
        if gu is None and gvh is None:
            return (conj(u1 @ inner @ adjoint(v1)),)
        x, left = self.pulled(s, u, None if gu is None else conj(gu))
        y, right = self.pulled(s, v, None if gvh is None else gvh.mT)
        both, _ = split(gap(s, off_diagonal(Basis("svd")(s, x + y))))
        _, between = split(total(s, Null("svd", True)(s, x - y)))
        inner = inner + 0.5 * (both + between)
        if gs is not None:
            inner = apart("svd", s, inner, lanes(product, k))
        g = u1 @ inner @ adjoint(v1)
        if left is not None:
            g = g + left @ adjoint(v1)
        if right is not None:
            g = g + u1 @ adjoint(right)
        return (conj(g),)

    def pulled(self, s: Value, u: Value, g: Value | None) -> tuple[Value, Value | None]:
        """From the cotangent of the vectors u: its part that turns them among themselves, and
        the part by which they leave their span, over s."""
        k = s.shape[-1]
        if g is None:
            return np.zeros((*u.shape[:-2], k, k), u.dtype), None
        u1, g1 = u[..., :k], g[..., :k]
        x = adjoint(u1) @ g1
        if u.shape[-2] == k:
            return x, None
        rest = g1 - u1 @ x
        if self.full:
            others, g2 = u[..., k:], g[..., k:]
            free = np.zeros(g2.shape[:-2] + g2.shape[-1:], real_dtype(u.dtype))
            g2 = g2 + 0.0 * others @ Basis("svd")(free, adjoint(others) @ g2)
            rest = rest - others @ (adjoint(g2) @ u1)
        return x, outer(s, rest)


def outer(s: Value, x: Value) -> Value:
    """The columns of x over s; refused where a column that is not zero would be divided by 0."""
    return by_column(s, Null("svd", columns=True)(s, x))


def lanes(product: Product, k: int) -> Any:
    """Which singular values, and which of their vectors, a sweep with masks uses."""
    uses = used(product)
    if uses is None:
        return None
    u, s, vh = uses
    found = None if u is None else np.any(u, axis=-2)[..., :k]
    if vh is not None:
        other = np.any(vh, axis=-1)[..., :k]
        found = other if found is None else found | other
    return s, found


@primitive
class SingularValues(Primitive):
    """Singular values, descending.  d = Re diag(U^H da V), and 0 at a value that is 0.

    Where values coincide each gets the mean of their derivatives, so symmetric functions of them
    are exact; in forward mode they follow the analytic path, descending.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", order=2),
        sample("f64[3,2]"),
        sample("c128[2,3]", order=2),
        sample("f64[2,2,2]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        _, _, k, _, real_ = types(avals[0])
        return Aval((*avals[0].shape[:-2], k), real_)

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.svd(xs[0], compute_uv=False)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        u, s, vh = SVD()(xs[0])
        p = adjoint(u) @ dxs[0] @ adjoint(vh)
        if isinstance(p, Slot):
            return share(s, real(diagonal(p)))
        m, _ = split(p)
        return present(s) * AlongBranches(True)(s, m, p)

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        return (conj(WithSingularValues()(xs[0], ct)),)


@primitive
class WithSingularValues(Primitive):
    """U diag(g) V^H: the singular vectors of a with other singular values g.

    Values that coincide get the mean of their g, those that are zero get 0.  With S and A as for
    `SVD`, d = U ((g_j - g_i) S / (s_j - s_i) + (g_j + g_i) A / (s_i + s_j)) / 2 V^H + U diag(dg) V^H
    + the parts of da outside the span of U or V, times g / s.  Where values coincide the first
    quotient is a limit, as for `WithEigenvalues`.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]", "f64[3]", order=2),
        sample("f64[3,2]", "f64[2]", order=2),
        sample("c128[2,3]", "f64[2]", order=2),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, types(avals[0])[3])

    def evaluate(self, *xs: Value) -> Value:
        a, g = xs
        u, s, vh = SVD()(a)
        return columns(u, share(s, g)) @ vh

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, g), (da, dg) = xs, dxs
        if da is None:
            return None if dg is None else self(a, dg)
        u, s, vh = SVD()(a)
        if dg is None:
            return self.turned(u, s, vh, g, da)
        p = Null("svd")(s, adjoint(u) @ da @ adjoint(vh))
        m, _ = split(p)
        if isinstance(p, Slot) or isinstance(dg, Slot):
            change = diagonal_matrix(share(s, dg))
            da = da + 0.0 * u @ Direction("svd")(s, m) @ vh
        else:
            change = Branches(True)(s, m, present(s) * dg)
        return self.turned(u, s, vh, g, self.inside(u, s, vh, da)) + u @ change @ vh

    def pull(
        self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product
    ) -> Terms:
        a, g = xs
        u, s, vh = SVD()(a)
        c = conj(ct)
        p = adjoint(u) @ c @ adjoint(vh)
        gg = share(s, real(diagonal(p)))
        if parents[0] is None:
            return (None, gg)
        if parents[1] is not None:
            ...
        return (conj(self.turned(u, s, vh, g, c)), gg)

    def turned(self, u: Value, s: Value, vh: Value, g: Value, da: Value) -> Value:
        """The change of the result by that of the vectors; its own adjoint as a map of da."""
        v = adjoint(vh)
        g = g * present(s)
        dav = da @ v
        p = adjoint(u) @ dav
        both, against = split(p)
        steps, sums = g[..., None, :] - g[..., :, None], g[..., None, :] + g[..., :, None]
        gaps = gap(s, off_diagonal(Basis("svd")(s, steps * both)))
        inner = 0.5 * (gaps + total(s, sums * against))
        change = u @ inner
        if u.shape[-2] > u.shape[-1]:
            change = change + by_column(s, columns(dav - u @ p, g))
        change = change @ vh
        if v.shape[-2] > v.shape[-1]:
            change = change + u @ adjoint(by_column(s, columns(adjoint(da) @ u - v @ adjoint(p), g)))
        return change
