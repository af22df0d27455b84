"""The equation of the Schur form below its diagonal, T X - X T = R, diagonal after diagonal."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.avals import Aval, Value
from ...core.errors import NotDifferentiableError
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...ops.linalg.coincidence import offending, tied
from .solving import turned
from .undetermined import REPEATED, real_if


def blocks_of(T: Any) -> Any:
    """True below the diagonal, outside of 2 by 2 blocks, of a real or complex Schur form."""
    n = T.shape[-1]
    free = np.broadcast_to(np.tri(n, n, -1, dtype=bool), T.shape).copy()
    for k in range(n - 1):
        free[..., k + 1, k] &= T[..., k + 1, k] == 0
    return free


@primitive
class Below(Primitive):
    """The X below the blocks of T with (T X - X T) below = R, linear in R; 0 elsewhere.

    With `turned`, T^H takes the place of T: the adjoint.  d X is the solution for dR - dT X + X dT.
    Where eigenvalues coincide X is 0 if no term asks for it, and else refused, even where the terms
    cancel: of 0 / 0 a limit would be wanted.  The third operand has the sizes of the terms that R
    is the sum of (R itself, if it is left out).  Further derivatives (`strict`) know no terms.
    """

    label = "schur"
    turned: bool = False
    strict: bool = False
    samples = (
        sample("f64[3,3]", "f64[3,3]", kind="schur"),
        sample("f64[2,2,2]", "f64[2,2,2]", kind="schur", turned=True),
        sample("c128[3,3]", "c128[3,3]", "f64[3,3]", kind="schur", order=2),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {1}

    def shape(self, *avals: Aval) -> Aval:
        T, R = avals[:2]
        return Aval(np.broadcast_shapes(T.shape, R.shape), np.result_type(T.dtype, R.dtype))

    def evaluate(self, *xs: Value) -> Value:
        T, R, *_ = whole = np.broadcast_arrays(*xs)
        kind = np.result_type(T, R)
        if T.ndim > 2:
            rows = [self.evaluate(*row) for row in zip(*whole, strict=True)]
            return np.stack(rows) if rows else np.zeros(T.shape, kind)
        n = len(T)
        S, Z = (T, np.eye(n)) if T.dtype.kind == "c" else theirs.rsf2csf(T, np.eye(n))
        there, here = Z, Z.conj().T
        terms = np.abs(here) @ np.abs(whole[-1]) @ np.abs(there)
        if self.strict and np.any(R):
            terms = terms + np.max(terms)
        X = there @ solved(S, here @ R @ there, terms, blocks_of(T), self.turned) @ here
        return (X if kind.kind == "c" else X.real).astype(kind, copy=False) * blocks_of(T)

    def moved(self, T: Value, X: Value) -> Value:
        """T X - X T, with the T that this solves for."""
        T = turned(T, 2) if self.turned else T
        return T @ X - X @ T

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        T, dT, dR = xs[0], dxs[0], dxs[1]
        rest = None if dT is None else -self.moved(dT, out)
        if dR is not None:
            rest = dR if rest is None else dR + rest
        return None if rest is None else Below(self.turned, True)(T, rest)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        back = Below(not self.turned, True)(xs[0], np.conj(ct))
        last = (None,) * (len(xs) - 2)
        if parents[0] is None:
            return (None, np.conj(back), *last)
        g = back @ turned(out, 2) - turned(out, 2) @ back
        return (np.conj(-(turned(g, 2) if self.turned else g)), np.conj(back), *last)


def solved(S: Any, R: Any, terms: Any, free: Any, adjoint: bool) -> Any:
    """`Below` for a complex triangle S: diagonal after diagonal, from what they depend on."""
    n = len(S)
    w = np.diagonal(S)
    rest, gaps, together = np.triu(S, 1), w[:, None] - w, tied(w)
    if adjoint:
        rest, gaps = rest.conj().T, gaps.conj()
    X = np.zeros((n, n), np.result_type(R, np.complex64))
    for d in range(1, n) if adjoint else range(n - 1, 0, -1):
        j = np.arange(n - d)
        i = j + d
        wanted = np.where(free[i, j], R[i, j] - before(rest, X, i, j), 0.0)
        dead = together[i, j] & free[i, j]
        if np.any(dead):
            asked = np.zeros((n, n))
            asked[i, j] = dead * (terms[i, j] + total(np.abs(rest), np.abs(X), i, j))
            size = np.max(terms) + np.max(np.abs(rest)) * np.max(np.abs(X))
            if (found := offending(real_if(w), asked, size)) is not None:
                raise NotDifferentiableError(REPEATED.format(found=found))
        X[i, j] = np.where(dead, 0.0, wanted) / np.where(dead | ~free[i, j], 1.0, gaps[i, j])
    return X


def before(rest: Any, X: Any, i: Any, j: Any) -> Any:
    """The elements of rest X - X rest at (i, j)."""
    return elements(rest, X, i, j) - elements(X, rest, i, j)


def total(rest: Any, X: Any, i: Any, j: Any) -> Any:
    """The elements of rest X + X rest at (i, j)."""
    return elements(rest, X, i, j) + elements(X, rest, i, j)


def elements(A: Any, B: Any, i: Any, j: Any) -> Any:
    """The elements of A B at (i, j)."""
    return np.einsum("ik,ki->i", A[i], B[:, j])
