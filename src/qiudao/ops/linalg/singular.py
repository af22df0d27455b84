"""Singular values and vectors, the polar factor and the nuclear norm.

With P = U^H da V, the Hermitian part of P moves the singular values apart (quotients by s_j - s_i)
and its skew part turns U against V (quotients by s_i + s_j).  Repeated values are explained in
`degenerate.py`; a singular value that is 0 has a kink, as |x| has, and its derivative there is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import implements
from ...core.errors import ShapeError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...core.slot import Slot
from ..faces import array
from .degenerate import AlongBranches, Branches, Pool, Present, Quotient, off_diagonal
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
from .refusals import Basis, Direction, Null, apart, used
from .selfadjoint import eigh, eigvalsh

share, present = Pool(True), Present()
gap, total, by_column = Quotient("gap"), Quotient("total"), Quotient("column")


def types(a: Aval) -> tuple[int, int, int, np.dtype[Any], np.dtype[Any]]:
    """Rows, columns and singular values of matrices, their dtype and that of the values."""
    if a.ndim < 2:
        raise ShapeError(f"svd: {a} is no matrix; give an array of two axes or more")
    m, n = a.shape[-2:]
    dtype = result_dtype(a)
    return m, n, min(m, n), dtype, real_dtype(dtype)


def split(p: Value) -> tuple[Value, Value]:
    """P + P^H and P - P^H."""
    q = adjoint(p)
    return p + q, p - q


def outer(mode: str, s: Value, x: Value, like: Value) -> Value:
    """The columns of x over s; refused where one that is not zero would be divided by zero."""
    return by_column(s, Null("columns", mode)(s, x, like))


@primitive
class SVD(Primitive):
    """Singular values s, descending, with vectors U and V^H: a = U diag(s) V^H.

    With P = U^H da V, S = P + P^H and A = P - P^H: ds = Re diag(P), dU = U (S / (s_j - s_i) +
    A / (s_i + s_j)) / 2 + (1 - U U^H) da V / s, and dV alike with -A (Giles 2008, 3.2; complex:
    Wan and Zhang 2019).  With `full`, the vectors that complete a basis turn no more than they
    must, and a cotangent that depends on their choice is refused.
    """

    full: bool = False
    samples = (
        sample("f64[3,3]"),
        sample("f64[3,2]"),
        sample("f64[2,3]"),
        sample("f64[2,2,2]", full=True),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, ...]:
        m, n, k, dtype, of_values = types(avals[0])
        lead = avals[0].shape[:-2]
        left, right = (m, n) if self.full else (k, k)
        return (
            Aval((*lead, m, left), dtype),
            Aval((*lead, k), of_values),
            Aval((*lead, right, n), dtype),
        )

    def evaluate(self, *xs: Value) -> Value:
        return tuple(np.linalg.svd(xs[0], full_matrices=self.full))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (u, s, vh), (da,) = out, dxs
        m, n, k, *_ = types(aval_of(xs[0]))
        v = adjoint(vh)
        u1, v1 = u[..., :k], v[..., :k]
        dav = da @ v1
        p = Null()(s, adjoint(u1) @ dav)
        both, against = split(p)
        gaps = gap(s, off_diagonal(Direction("svd")(s, both)))
        totals = total(s, against)
        du, dv = u1 @ (0.5 * (gaps + totals)), v1 @ (0.5 * (gaps - totals))
        if m > k:
            du = self.completed(du, outer("forward", s, dav - u1 @ p, dav), u, k)
        if n > k:
            dau = adjoint(da) @ u1
            dv = self.completed(dv, outer("forward", s, dau - v1 @ adjoint(p), dau), v, k)
        return du, share(s, real(diagonal(p))), adjoint(dv)

    def completed(self, du: Value, rest: Value, u: Value, k: int) -> Value:
        """The whole change of the vectors u, of which `rest` leaves the span of the first k.

        With `full`, the other vectors stay orthogonal to them.
        """
        if not self.full:
            return du + rest
        return np.concatenate([du + rest, -(u[..., :k] @ (adjoint(rest) @ u[..., k:]))], axis=-1)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        (u, s, vh), (gu, gs, gvh) = out, ct
        k = s.shape[-1]
        v = adjoint(vh)
        u1, v1 = u[..., :k], v[..., :k]
        inner = np.zeros((*s.shape, k), s.dtype) if gs is None else diagonal_matrix(share(s, gs))
        if gu is None and gvh is None:
            return (conj(columns(u1, share(s, gs)) @ adjoint(v1)),)
        x, left = self.within(s, u, None if gu is None else conj(gu))
        y, right = self.within(s, v, None if gvh is None else gvh.mT)
        both, _ = split(gap(s, off_diagonal(Basis("svd")(s, x + y))))
        _, against = split(total(s, Null("skew", "reverse")(s, x - y, x, y)))
        inner = inner + 0.5 * (both + against)
        if gs is not None:
            inner = apart("svd", s, inner, self.lanes(product, k))
        g = u1 @ inner @ adjoint(v1)
        if left is not None:
            g = g + left @ adjoint(v1)
        if right is not None:
            g = g + u1 @ adjoint(right)
        return (conj(g),)

    def within(self, s: Value, u: Value, g: Value | None) -> tuple[Value, Value | None]:
        """Two parts of the cotangent g of the vectors u, of which the first k belong to s.

        One turns them among themselves, the other, over s, moves them out of their span.
        """
        k = s.shape[-1]
        if g is None:
            return np.zeros((*s.shape, k), u.dtype), None
        u1, g1 = u[..., :k], g[..., :k]
        x = adjoint(u1) @ g1
        if u.shape[-2] == k:
            return x, None
        rest = g1 - u1 @ x
        if self.full:
            others, g2 = u[..., k:], g[..., k:]
            alike = np.zeros(g2.shape[:-2] + g2.shape[-1:], s.dtype)
            Basis("svd")(alike, adjoint(others) @ g2)  # which may refuse
            rest = rest - others @ (adjoint(g2) @ u1)
        return x, outer("reverse", s, rest, g)

    def lanes(self, product: Product, k: int) -> Any:
        """Which singular values, and which of their vectors, a sweep with masks uses."""
        uses = used(product)
        if uses is None:
            return None
        u, s, vh = uses
        left = None if u is None else np.any(u, axis=-2)[..., :k]
        right = None if vh is None else np.any(vh, axis=-1)[..., :k]
        return s, right if left is None else left if right is None else left | right


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
        _, _, k, _, of_values = types(avals[0])
        return Aval((*avals[0].shape[:-2], k), of_values)

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.svd(xs[0], compute_uv=False)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        u, s, vh = SVD()(xs[0])
        p = adjoint(u) @ dxs[0] @ adjoint(vh)
        if isinstance(p, Slot):
            return share(s, real(diagonal(p)))
        return present(s) * AlongBranches(True)(s, split(p)[0], p)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (conj(WithSingularValues()(xs[0], ct)),)


@primitive
class WithSingularValues(Primitive):
    """U diag(g) V^H: the singular vectors of a with other singular values g.

    Values that coincide get the mean of their g, those that are zero get 0.  With S and A as for
    `SVD`, d = U (S (g_j - g_i) / (s_j - s_i) + A (g_i + g_j) / (s_i + s_j)) V^H / 2
    + U diag(dg) V^H + the parts of da outside the span of U or V times g / s.  Where values
    coincide the first quotient is a limit, as for `WithEigenvalues`.
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
        change = self.turned(u, s, vh, g, da)
        if dg is None:
            return change
        both = self.settled(u, s, vh, da)
        if isinstance(both, Slot) or isinstance(dg, Slot):
            Direction("svd")(s, both)  # which may refuse
            inner = diagonal_matrix(share(s, dg))
        else:
            inner = Branches(True)(s, both, present(s) * dg)
        return change + u @ inner @ vh

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        a, g = xs
        u, s, vh = SVD()(a)
        c = conj(ct)
        back = share(s, real(diagonal(adjoint(u) @ c @ adjoint(vh))))
        if parents[0] is None:
            return (None, back)
        if parents[1] is not None:
            Direction("svd", True)(s, self.settled(u, s, vh, c))  # which may refuse
        return (conj(self.turned(u, s, vh, g, c)), back)

    def settled(self, u: Value, s: Value, vh: Value, m: Value) -> Value:
        """S of a direction m, which must not move singular values that are zero."""
        mv = m @ adjoint(vh)
        p = Null("block", "higher")(s, adjoint(u) @ mv)
        if u.shape[-2] > u.shape[-1]:
            Null("columns", "higher")(s, mv - u @ p, mv)
        if vh.shape[-1] > vh.shape[-2]:
            mu = adjoint(m) @ u
            Null("columns", "higher")(s, mu - adjoint(vh) @ adjoint(p), mu)
        return split(p)[0]

    def turned(self, u: Value, s: Value, vh: Value, g: Value, m: Value) -> Value:
        """The change of the result by that of the vectors; its own adjoint as a map of m."""
        v = adjoint(vh)
        g = g * present(s)
        mv, mu = m @ v, adjoint(m) @ u
        p = adjoint(u) @ mv
        both, against = split(p)
        steps, sums = g[..., None, :] - g[..., :, None], g[..., None, :] + g[..., :, None]
        gaps = gap(s, off_diagonal(Basis("svd")(s, steps * both, g, both)))
        change = u @ (0.5 * (gaps + total(s, sums * against))) @ vh
        if u.shape[-2] > u.shape[-1]:
            change = change + by_column(s, columns(mv - u @ p, g)) @ vh
        if v.shape[-2] > v.shape[-1]:
            change = change + u @ adjoint(by_column(s, columns(mu - v @ adjoint(p), g)))
        return change


@primitive
class Lyapunov(Primitive):
    """The solution x of h x + x h = c, for h Hermitian and positive; 0 where h has no inverse.

    d x = the solution for dc - dh x - x dh, so it has derivatives of every order.
    """

    samples = (
        sample("f64[3,3]", "f64[3,3]", kind="definite"),
        sample("c128[2,2,2]", "c128[2,2,2]", kind="definite", order=2),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[1].shape, result_dtype(*avals))

    def evaluate(self, *xs: Value) -> Value:
        h, c = xs
        w, v = np.linalg.eigh(0.5 * h + 0.5 * adjoint(h))
        return v @ total(np.abs(w), adjoint(v) @ c @ v) @ adjoint(v)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (h, _), (dh, dc) = xs, dxs
        if dh is None:
            return None if dc is None else self(h, dc)
        dh = 0.5 * (dh + adjoint(dh))
        turned = dh @ out + out @ dh
        return self(h, -turned if dc is None else dc - turned)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        h, _ = xs
        back = self(conj(h), ct)
        if parents[0] is None:
            return (None, back)
        g = -(back @ out.mT + out.mT @ back)
        return (0.5 * (g + adjoint(g)), back)


@primitive
class Polar(Primitive):
    """U V^H of a = U diag(s) V^H: the nearest matrix with orthonormal columns (rows >= columns).

    With h = (a^H a)^(1/2) = out^H a, d = out x + (1 - out out^H) da h^-1 where x solves
    h x + x h = out^H da - da^H out (Kenney and Laub 1991).  It needs no singular vectors, so
    repeated singular values do no harm.  Vectors of singular values that are zero are left out.
    """

    samples = (
        sample("f64[3,3]"),
        sample("f64[3,2]"),
        sample("c128[3,2]", order=2),
        sample("f64[2,2,1]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape, types(avals[0])[3])

    def evaluate(self, *xs: Value) -> Value:
        u, s, vh = SVD()(xs[0])
        return columns(u, present(s)) @ vh

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        back = adjoint(out)
        h = back @ xs[0]
        p = back @ dx
        change = out @ Lyapunov()(h, p - adjoint(p))
        if out.shape[-2] > out.shape[-1]:
            change = change + (dx - out @ p) @ np.linalg.pinv(h)
        return change


@primitive
class NuclearNorm(Primitive):
    """The sum of the singular values.  d = Re trace(polar(a)^H da), of every order at full rank.

    Where singular values are zero it has a kink, and they add nothing to the derivative.
    """

    keeps_out = False
    samples = (
        sample("f64[3,3]"),
        sample("f64[2,3]"),
        sample("c128[3,2]", order=2),
        sample("f64[2,2,2]"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return Aval(avals[0].shape[:-2], types(avals[0])[4])

    def evaluate(self, *xs: Value) -> Value:
        return np.sum(np.linalg.svd(xs[0], compute_uv=False), axis=-1)

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return real(np.sum(conj(polar(xs[0])) * dx, axis=(-2, -1)))

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        """As derived, in half the time for small matrices."""
        return (ct[..., None, None] * conj(polar(xs[0])),)


def polar(a: Value) -> Value:
    """The polar factor of matrices of any shape."""
    return Polar()(a) if a.shape[-2] >= a.shape[-1] else adjoint(Polar()(adjoint(a)))


@implements(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular values with vectors (U, S, Vh), or alone.

    With `hermitian`, from the eigenvalues of the matrix that the lower triangle gives.
    """
    x = array(a)
    if not compute_uv:
        return singular_values(x, hermitian)
    if not hermitian:
        return SVDResult(*SVD(bool(full_matrices))(x))
    w, v = eigh(x)
    order = np.argsort(-np.abs(w), axis=-1)
    w = np.take_along_axis(w, order, axis=-1)
    v = np.take_along_axis(v, order[..., None, :], axis=-1)
    return SVDResult(v, np.abs(w), adjoint(columns(v, np.sign(w))))


def singular_values(x: Value, hermitian: bool = False) -> Value:
    """Singular values, descending."""
    if not hermitian:
        return SingularValues()(x)
    s = np.abs(eigvalsh(x))
    return np.take_along_axis(s, np.argsort(-s, axis=-1), axis=-1)


@implements(np.linalg.svdvals)
def svdvals(x: Any, /) -> Value:
    """Singular values, descending."""
    return SingularValues()(array(x))
