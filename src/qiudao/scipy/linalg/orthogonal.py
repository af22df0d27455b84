"""Orthogonal factors: QR, polar, Hessenberg, and bases of range and null space."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.avals import Aval, Value
from ...core.dispatch import overrides
from ...core.errors import GradientError
from ...core.primitive import Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...ops.linalg.coincidence import vanishing
from ...ops.linalg.reflecting import reflection
from ...ops.linalg.singular import polar as polar_factor
from ...transforms.foreign import run_foreign
from ..operands import depends, plain
from .refusing import Refusing, rounding
from .solving import turned, workspace


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """`scipy.linalg.qr`: (Q, R), or (R,) with mode "r", for matrices of any shape; with `pivoting`
    also the order of columns, which is constant.

    Derivatives are those of LAPACK's Q and R, the columns that complete a basis among them: Walter,
    Lehmann and Lamour, On evaluating higher-order derivatives of the QR decomposition, 2012.

    >>> from qiudao.scipy import linalg
    >>> a = np.array([[2.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    >>> qd.grad(lambda s: linalg.qr(s * a, mode="economic")[1][0, 1])(3.0).round(9)
    np.float64(1.0)
    """
    if not depends(a):
        given = {"mode": mode, "pivoting": pivoting, "check_finite": check_finite}
        return theirs.qr(a, overwrite_a, **workspace(lwork), **given)
    names = {"full": "complete", "economic": "reduced", "r": "complete", "raw": "raw"}
    if mode not in names:
        raise ValueError(f"qr: mode={mode!r}; choose 'full', 'economic', 'r' or 'raw'")
    order = None
    if pivoting:
        if np.ndim(a) != 2:
            raise GradientError(
                "qr: derivatives with pivoting=True are known for one matrix; use qd.vmap for more"
            )
        like = [Aval(np.shape(a)[1:], np.dtype(np.int32))]
        order = run_foreign("qr", lambda a: theirs.qr(a, mode="r", pivoting=True)[1], like, a)
        a = np.take_along_axis(a, order[np.newaxis], axis=1)
    last = () if order is None else (order,)
    decompose = overrides[np.linalg.qr]
    if mode == "r":
        upper = decompose(a, "r")
        m, k = np.shape(a)[-2], np.shape(upper)[-2]
        if m > k:
            zeros = np.zeros((*np.shape(upper)[:-2], m - k, np.shape(upper)[-1]), upper.dtype)
            upper = np.concatenate([upper, zeros], axis=-2)
        return (upper, *last)
    if mode == "raw":
        packed, taus = decompose(a, "raw")
        k = min(np.shape(a)[-2:])
        packed = np.swapaxes(packed, -1, -2)
        return ((packed, taus), np.triu(packed[..., :k, :]), *last)
    return (*decompose(a, names[mode]), *last)


@primitive
class OfFullRank(Primitive):
    """A matrix as it is, of which no derivative passes where a singular value is zero."""

    label = "polar"
    keeps_out = False
    samples = (sample("f64[2,3]"), sample("c128[2,2]"))

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        return xs[0]

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return Beside()(xs[0], dxs[0])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Any, product: Product) -> Terms:
        return (Beside()(xs[0], ct),)


@primitive
class Beside(Refusing):
    """A change, or a cotangent, of a matrix; refused where that has a singular value of zero."""

    label = "polar"
    samples = (sample("f64[2,3]", "f64[2,3]"), sample("c128[2,2]", "c128[2,2]"))

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        if not np.any(vanishing(np.linalg.svd(of, compute_uv=False))):
            return None
        return (
            "polar: the matrix has linearly dependent rows or columns, where the factors have no "
            "derivative, as |x| has none at 0; add a small multiple of the identity"
        )


def polar(a: Any, side: str = "right") -> tuple[Any, Any]:
    """`scipy.linalg.polar`: (u, p) with a = u p, or a = p u for `side` "left".

    Here u has orthonormal columns or rows, and p = (a^H a)^(1/2) or (a a^H)^(1/2).  Singular values
    may coincide: with p x + x p = u^H da - da^H u, du = u x within the range of u (Kenney and Laub,
    Polar decomposition and matrix sign function condition estimates, 1991).

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda s: linalg.polar(s * np.eye(2))[1].sum())(3.0).round(9)
    np.float64(2.0)
    """
    if not depends(a):
        found: tuple[Any, Any] = theirs.polar(a, side)
        return found
    if side not in ("right", "left"):
        raise ValueError(f"polar: side={side!r}; choose 'right' or 'left'")
    a = OfFullRank()(a * 1.0)
    u = polar_factor(a)
    p = turned(u, 2) @ a if side == "right" else a @ turned(u, 2)
    return u, 0.5 * (p + turned(p, 2))


def hessenberg(a: Any, calc_q: bool = False, **options: Any) -> Any:
    """`scipy.linalg.hessenberg`: H of a = Q H Q^H, zero below the first subdiagonal; (H, Q) with
    `calc_q`.

    By LAPACK's reflections, written in differentiable operations (Golub and Van Loan, Matrix
    computations, 7.4.2).

    >>> from qiudao.scipy import linalg
    >>> a = np.array([[1.0, 2.0, 2.0], [3.0, 4.0, 5.0], [4.0, 5.0, 6.0]])
    >>> qd.grad(lambda s: linalg.hessenberg(s * a)[1, 0])(2.0).round(9)
    np.float64(-5.0)
    """
    if not depends(a):
        return theirs.hessenberg(a, calc_q, **options)
    H = a * 1.0
    n = np.shape(H)[-1]
    Q = np.eye(n, dtype=H.dtype)
    for k in range(n - 1):  # the last makes a complex number real
        _, tau, rest = reflection(H[..., k + 1, k], H[..., k + 2 :, k])
        start = np.zeros((*np.shape(rest)[:-1], k + 2), rest.dtype)
        start[..., -1] = 1.0
        v = np.concatenate([start, rest], axis=-1)[..., np.newaxis]
        along, scale = turned(v, 2), tau[..., np.newaxis, np.newaxis]
        H = H - np.conj(scale) * (v @ (along @ H))
        H = H - (H @ v) * scale @ along
        Q = Q - (Q @ v) * scale @ along
    H = np.triu(H, -1)
    return (H, Q) if calc_q else H


def orth(A: Any, rcond: float | None = None) -> Any:
    """`scipy.linalg.orth`: an orthonormal basis of the range, the left singular vectors of the
    singular values that are not zero.

    Where singular values coincide the vectors are free, and only what does not depend on their
    choice is differentiated: the projector Q @ Q.conj().T.

    >>> from qiudao.scipy import linalg
    >>> f = lambda s: (linalg.orth(np.stack([s, np.ones(2)])[:, :1])[0] ** 2).sum()
    >>> qd.grad(f)(np.ones(2)).round(9)
    array([0.5, 0. ])
    """
    if not depends(A):
        return theirs.orth(A, rcond)
    u, s, _ = overrides[np.linalg.svd](A, full_matrices=False)
    return u[..., : rank_of(s, np.shape(A), rcond)]


def rank_of(s: Any, shape: Any, rcond: float | None) -> int:
    """How many singular values SciPy takes for more than zero."""
    values = plain(s)
    if rcond is None:
        rcond = float(np.finfo(values.dtype).eps) * max(shape)
    return int(np.count_nonzero(values > np.max(values, initial=0.0) * rcond))


@primitive
class NullSpace(Primitive):
    """The last right singular vectors of a, a basis of its null space.

    At constant rank d = -a^+ da N, which turns the basis no more than it must (Golub and Pereyra,
    The differentiation of pseudo-inverses, 1973).  The basis is free, so a cotangent must not
    depend on it; and a direction must not change the rank.
    """

    label = "null_space"
    rank: int = 0
    samples = (sample("f64[2,3]", rank=2), sample("f64[1,2]", rank=1))

    def shape(self, *avals: Aval) -> Aval:
        *rows, _, n = avals[0].shape
        return Aval((*rows, n, n - self.rank), avals[0].dtype)

    def evaluate(self, *xs: Value) -> Value:
        vh = np.linalg.svd(xs[0])[2]
        return np.ascontiguousarray(turned(vh[..., self.rank :, :], 2))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        a, change = xs[0], dxs[0] @ out
        inverse = np.linalg.pinv(a)
        SameRank(self.rank)(a, change - a @ (inverse @ change), dxs[0])  # which may refuse
        return -(inverse @ change)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Any, product: Product) -> Terms:
        g = np.conj(ct)
        Unbiased()(xs[0], turned(out, 2) @ g, g)  # which may refuse
        back = turned(np.linalg.pinv(xs[0]), 2) @ g
        return (np.conj(-(back @ turned(out, 2))),)


@primitive
class SameRank(Refusing):
    """What a direction moves out of the range of the matrix, refused unless it is rounding."""

    label = "null_space"
    rank: int = 0
    samples = (sample("f64[2,3]", "f64[2,1]", "f64[2,3]", rank=2),)

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        if self.rank == of.shape[-2] or not np.any(np.abs(x) > rounding(max(of.shape), *sizes)):
            return None
        return (
            "null_space: the direction changes the rank of the matrix, where the null space jumps; "
            "the derivative exists along directions that keep the rank"
        )


@primitive
class Unbiased(Refusing):
    """N^H (cotangent of N), refused where it would turn the basis N."""

    label = "null_space"
    samples = (sample("f64[2,3]", "f64[1,1]", "f64[3,1]"),)

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        if not np.any(np.abs(x - turned(x, 2)) > rounding(max(of.shape), *sizes)):
            return None
        return (
            "null_space: the result depends on the choice of the basis, which the matrix leaves "
            "free; use what does not, as the projector N @ N.conj().T"
        )


def null_space(A: Any, rcond: float | None = None, **options: Any) -> Any:
    """`scipy.linalg.null_space`: an orthonormal basis N of the vectors that A takes to zero.

    The basis is free, so only what does not depend on its choice has a derivative, as the projector
    N @ N.conj().T has; the rest raises.  The rank is taken to stay: of a matrix whose rows are
    linearly dependent the derivative is that along matrices of the same rank.

    >>> from qiudao.scipy import linalg
    >>> def onto(t):
    ...     N = linalg.null_space(np.stack([np.cos(t), np.sin(t)])[np.newaxis])
    ...     return N @ N.T
    >>> qd.jacobian(onto)(0.0).round(9) + 0.0
    array([[ 0., -1.],
           [-1.,  0.]])
    """
    if not depends(A):
        return theirs.null_space(A, rcond, **options)
    if np.ndim(A) != 2:
        raise GradientError(
            "null_space: derivatives are known for one matrix; use a Python loop over more"
        )
    rank = rank_of(theirs.svdvals(plain(A)), np.shape(A), rcond)
    return NullSpace(rank)(A * 1.0)
