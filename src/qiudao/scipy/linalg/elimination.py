"""Gaussian elimination: LU factors, and solutions from them."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.avals import Aval, Value
from ...core.errors import GradientError
from ...core.primitive import Primitive, primitive
from ...core.samples import sample
from ...ops.linalg.matrices import real_dtype
from ...ops.linalg.solving import Inverse
from ...transforms.foreign import run_foreign
from ..operands import depends
from .solving import system, triangle, turned

SINGULAR = (
    "lu: the matrix, or its part that is eliminated, is singular, where the factors have no "
    "derivative; add a small multiple of the identity, or use what does not need them"
)


@primitive
class Eliminated(Primitive):
    """L below and U on and above the diagonal, packed, for square matrices with a = L U.

    With X the part of L^-1 da U^-1 below the diagonal, dL = L X and dU = L^-1 da - X U
    (de Hoog, Anderssen and Lukas, Differentiation of matrix functionals using triangular
    factorization, 2011).
    The last column of U^-1 is not needed, so that the last pivot may be zero.
    """

    label = "lu"
    samples = (
        sample("f64[3,3]", kind="regular"),
        sample("f64[2,2,2]", kind="regular"),
        sample("c128[2,2]", kind="regular"),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        packed = np.array(xs[0])
        for k in range(packed.shape[-1] - 1):
            column = packed[..., k + 1 :, k]
            pivot = packed[..., k, k, None]
            still = (column == 0) & (pivot == 0)  # nothing to eliminate, as LAPACK sees it
            column /= np.where(still, np.ones((), packed.dtype), pivot)
            packed[..., k + 1 :, k + 1 :] -= column[..., None] * packed[..., k, None, k + 1 :]
        return packed

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        lower, upper = halves(out)
        step = Inverse()(lower) @ dx
        before = step[..., :-1] @ Inverse(SINGULAR)(upper[..., :-1, :-1])
        last = np.zeros_like(out[..., :1])
        X = np.tril(np.concatenate([before, last], axis=-1), -1)
        return lower @ X + np.triu(step - X @ upper)


def halves(packed: Value) -> tuple[Value, Value]:
    """L, with its unit diagonal, and U of a packed square matrix."""
    return triangle(packed, True, True), np.triu(packed)


def order_of_rows(a: Any) -> Any:
    """Which row comes first, second and so on when SciPy eliminates: constant numbers."""
    like = Aval(np.shape(a)[:-1], np.dtype(np.intp))
    return run_foreign("lu", lambda a: permuted(theirs.lu_factor(a)[1], a.shape), [like], a)


def order_of(name: str, exchanges: Any, shape: Any) -> Any:
    """The order of rows that LAPACK's exchanges come to: constant numbers."""
    like = Aval(shape[:-1], np.dtype(np.intp))
    return run_foreign(name, lambda exchanges: permuted(exchanges, shape), [like], exchanges)


def permuted(exchanges: Any, shape: Any) -> Any:
    """LAPACK's exchanges of rows, one after another, as an order of rows."""
    rows = np.empty(shape[:-1], np.intp)
    for lane in np.ndindex(rows.shape[:-1]):
        order = np.arange(shape[-2])
        for k, other in enumerate(exchanges[lane]):
            order[[k, other]] = order[[other, k]]
        rows[lane] = order
    return rows


def in_order(x: Any, order: Any) -> Any:
    """The rows of matrices, or the elements of one vector, in another order."""
    if np.ndim(x) == 1:
        return np.take_along_axis(x, order, axis=0)
    return np.take_along_axis(x, order[..., np.newaxis], axis=-2)


def eliminated(a: Any, order: Any) -> Any:
    """The packed factors of the matrices with their rows in this order."""
    a = in_order(a, order)
    m, n = np.shape(a)[-2:]
    k = min(m, n)
    packed = Eliminated()(a[..., :k, :k])
    lower, upper = halves(packed)
    if n > k:
        packed = np.concatenate([packed, Inverse()(lower) @ a[..., k:]], axis=-1)
    if m > k:
        below = a[..., k:, :] @ Inverse(SINGULAR)(upper)
        packed = np.concatenate([packed, below], axis=-2)
    return packed


def lu(a: Any, permute_l: bool = False, **options: Any) -> Any:
    """`scipy.linalg.lu`: (P, L, U), or (P L, U) with `permute_l`, for matrices of any shape.

    With `p_indices`, P is the order of rows.  SciPy chooses that order, which is constant.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda s: linalg.lu(np.eye(2) * s)[2].sum())(2.0).round(9)
    np.float64(2.0)
    """
    if not depends(a):
        return theirs.lu(a, permute_l, **options)
    a = a * 1.0
    order = order_of_rows(a)
    packed = eliminated(a, order)
    m, n = np.shape(a)[-2:]
    k = min(m, n)
    upper = np.triu(packed[..., :k, :])
    unit = np.eye(m, dtype=real_dtype(packed.dtype))
    lower = np.tril(packed[..., :, :k], -1) + unit[:, :k]
    back = np.argsort(order, axis=-1)
    if permute_l:
        return in_order(lower, back), upper
    if options.get("p_indices"):
        return back.astype(np.int32), lower, upper
    rows = back[..., np.newaxis] == np.arange(m)
    return rows.astype(unit.dtype), lower, upper


def lu_factor(a: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
    """`scipy.linalg.lu_factor`: (packed factors, exchanges of rows) for `lu_solve`; any shape.

    >>> from qiudao.scipy import linalg
    >>> f = lambda s: linalg.lu_solve(linalg.lu_factor(np.eye(2) * s), np.ones(2)).sum()
    >>> qd.grad(f)(2.0).round(9)
    np.float64(-0.5)
    """
    if not depends(a):
        found: tuple[Any, Any] = theirs.lu_factor(a, *args, **options)
        return found
    a = a * 1.0
    like = Aval((*np.shape(a)[:-2], min(np.shape(a)[-2:])), np.dtype(np.int32))
    exchanges = run_foreign("lu_factor", lambda a: theirs.lu_factor(a)[1], [like], a)
    return eliminated(a, order_of("lu_factor", exchanges, np.shape(a))), exchanges


def lu_solve(lu_and_piv: tuple[Any, Any], b: Any, trans: Any = 0, **options: Any) -> Any:
    """`scipy.linalg.lu_solve`: the solution of a x = b from the factors of a.

    `trans` 1 solves with the transpose of a, and 2 with its adjoint.
    """
    packed, exchanges = lu_and_piv
    if not depends(packed, b):
        return theirs.lu_solve(lu_and_piv, b, trans, **options)
    if np.ndim(packed) != 2:
        raise GradientError(
            "lu_solve: derivatives are known for the factors of one matrix; use qd.vmap for more"
        )
    order = order_of("lu_solve", exchanges, np.shape(packed))
    lower, upper = halves(packed)
    if trans in (0, "N"):
        return system(upper, system(lower, in_order(b, order)))
    found = system(turned(lower, trans), system(turned(upper, trans), b))
    return in_order(found, np.argsort(order))
