"""The Schur form, and what changes when the matrix does.

From A = Z T Z^H, with M = Z^H dA Z and the skew W = Z^H dZ,

    dT = M + T W - W T,    dZ = Z W,

where W below the (block) diagonal is the X for which dT vanishes there: (T X - X T) below = -M
below, solved from the corner on.  Nothing moves on the diagonal, as a phase, of which a complex
Schur form is free; a real one has 2 by 2 blocks that LAPACK turns until their diagonal is constant,
which fixes an angle for each (Stewart, Error and perturbation bounds for subspaces associated with
certain eigenvalue problems, 1973; the standard form of blocks: Bai and Demmel, On swapping diagonal
blocks in real Schur form, 1993).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import linalg as theirs

from ...core.avals import Aval, Value
from ...core.errors import NotDifferentiableError
from ...core.primitive import Parents, Primitive, Product, Terms, Values
from ...ops.linalg.coincidence import offending, tied
from ...transforms.foreign import run_foreign
from ..operands import depends
from .refusing import Refusing, rounding
from .solving import turned

REPEATED = (
    "schur: {found}, and the result depends on how the Schur form takes it apart, which has no "
    "derivative there; use what does not: np.trace, np.linalg.eigvals, the projector onto all "
    "columns of that value, or a matrix function (funm, expm, sqrtm)"
)
PHASE = (
    "schur: the result depends on the phase of complex Schur vectors, which the matrix leaves "
    "free; make it independent of the phase: take np.abs, or a product of a vector with its "
    "conjugate"
)
TWO = "two eigenvalues coincide"
TURNED = (
    "schur: a pair of complex eigenvalues has a block [[a, b], [-b, a]], whose vectors the matrix "
    "leaves free to turn, and the result depends on them; use output='complex', the projector onto "
    "both, or a function of the eigenvalues"
)


def blocks_of(T: Any) -> Any:
    """True below the diagonal, outside of 2 by 2 blocks, of a real or complex Schur form."""
    n = T.shape[-1]
    free = np.broadcast_to(np.tri(n, n, -1, dtype=bool), T.shape).copy()
    for k in range(n - 1):
        free[..., k + 1, k] &= T[..., k + 1, k] == 0
    return free


class Below(Primitive):
    """The X below the blocks of T with (T X - X T) below = R, linear in R; 0 elsewhere.

    With `turned`, T^H takes the place of T: the adjoint.  d X is the solution for dR - dT X + X dT.
    Where eigenvalues coincide X is 0 if no term asks for it, and else refused, even where the terms
    cancel: of 0 / 0 a limit would be wanted.  The third operand has the sizes of the terms that R
    is the sum of (R itself, if it is left out).  Further derivatives (`strict`) know no terms.
    """

    name = "schur"

    def __init__(self, turned: bool = False, strict: bool = False) -> None:
        self.turned = turned
        self.strict = strict

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

    def moved(self, T: Value, X: Value, sign: float = 1.0) -> Value:
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
            if (found := offending(w if np.any(w.imag) else w.real, asked, size)) is not None:
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


class Phaseless(Refusing):
    """A cotangent of W, refused if it has a phase."""

    name = "schur"

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        phases = np.abs(np.diagonal(x, axis1=-2, axis2=-1).imag)
        return PHASE if np.any(phases > rounding(of.shape[-1], of, *sizes)) else None


class Angular(Refusing):
    """What turns blocks, one number for each place below the diagonal, refused at free ones."""

    name = "schur"

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        moved = free_to_turn(of) & (np.abs(x) > rounding(of.shape[-1], *sizes))
        if not np.any(moved):
            return None
        right, _ = corners(of)
        apart = np.abs(right) > rounding(of.shape[-1], of)
        return TURNED if np.any(moved & apart) else REPEATED.format(found=TWO)


def corners(T: Value) -> tuple[Value, Value]:
    """The elements above and below the diagonal, each beside it."""
    return np.diagonal(T, 1, -2, -1), np.diagonal(T, -1, -2, -1)


def free_to_turn(T: Any) -> Any:
    """Which blocks are [[a, b], [-b, a]], by the place of their lower corner."""
    right, left = corners(T)
    found: Any = (left != 0) & (np.abs(right + left) <= rounding(T.shape[-1], T))
    return found


class Form:
    """A Schur form, and how it moves."""

    def __init__(self, T: Value, Z: Value) -> None:
        self.T, self.Z = T, Z
        self.real = T.dtype.kind != "c"
        shape = np.shape(T)
        like = np.dtype(np.zeros((), T.dtype).real.dtype)
        self.below = run_foreign("schur", weights(blocks_of), [Aval(shape, like)], T)
        if self.real:
            ends = Aval((*shape[:-2], max(shape[-1] - 1, 0)), like)
            pairs = run_foreign("schur", weights(lambda T: corners(T)[1] != 0), [ends], T)
            self.turning = pairs - run_foreign("schur", weights(free_to_turn), [ends], T)
            self.pairs = pairs

    def angles(self, x: Value, *sizes: Value) -> Value:
        """X over twice the sum of the corners of each block, negative; 0 where there is none."""
        right, left = corners(self.T)
        x = self.pairs * Angular()(self.T, x, *sizes)
        return -(self.turning * x) / (2.0 * (right + left) + 1.0 - self.turning)

    def commutator(self, W: Value) -> Value:
        """T W - W T."""
        return self.T @ W - W @ self.T

    def adjoint_commutator(self, G: Value) -> Value:
        """T^H G - G T^H."""
        return turned(self.T, 2) @ G - G @ turned(self.T, 2)

    def push(self, dA: Value) -> tuple[Value, Value]:
        """The changes of T and Z."""
        M = turned(self.Z, 2) @ dA @ self.Z
        X = Below()(self.T, -(M * self.below))
        W = X - turned(X, 2)
        if self.real:
            d = np.diagonal(M + self.commutator(W), 0, -2, -1)
            angle = self.angles(d[..., :-1] - d[..., 1:], M)
            W = W + placed(angle, 1, 0) - placed(angle, 0, 1)
        return (M + self.commutator(W)) * (1.0 - self.below), self.Z @ W

    def pull(self, gT: Value, gZ: Value) -> Value:
        """The cotangent of A; all cotangents conjugated."""
        G = gT * (1.0 - self.below)
        H = turned(self.Z, 2) @ gZ + self.adjoint_commutator(G)
        if self.real:
            turn = corners(H)[1] - corners(H)[0]
            d = self.angles(turn, gZ, gT, self.T)
            D = placed(d, 0, 0) - placed(d, 1, 1)
            G, H = G + D, H + self.adjoint_commutator(D)
        else:
            H = Phaseless()(self.T, H, gZ, gT)
        sizes = [np.abs(turned(self.Z, 2)) @ np.abs(gZ), np.abs(turned(self.T, 2)), np.abs(G)]
        terms = sizes[0] + sizes[1] @ sizes[2] + sizes[2] @ sizes[1]
        terms = qd.stop_gradient(terms + np.swapaxes(terms, -1, -2))
        back = Below(True)(self.T, (H - turned(H, 2)) * self.below, terms)
        return self.Z @ (G - back) @ turned(self.Z, 2)


def weights(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A mask as numbers."""
    return lambda T: np.where(of(T), 1.0, 0.0)


def placed(x: Value, row: int, column: int) -> Value:
    """The matrix with x[k] at (k + row, k + column)."""
    n = np.shape(x)[-1] + 1
    left, right = (np.eye(n, n - 1, -k, dtype=x.dtype) for k in (row, column))
    return (left * x[..., np.newaxis, :]) @ right.T


class Schur(Primitive):
    """T and Z of the Schur form a = Z T Z^H, real or complex as `a` is, in SciPy's order."""

    name = "schur"

    def __init__(self, sort: Any) -> None:
        self.sort = sort

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        return avals[0], avals[0]

    def evaluate(self, *xs: Value) -> Value:
        kind = "complex" if xs[0].dtype.kind == "c" else "real"
        return tuple(theirs.schur(xs[0], kind, sort=self.sort)[:2])

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return Form(*out).push(dxs[0])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        whole = [
            np.zeros_like(y) if c is None else np.conj(c) for c, y in zip(ct, out, strict=True)
        ]
        return (np.conj(Form(*out).pull(*whole)),)


def schur(
    a: Any,
    output: str = "real",
    lwork: Any = None,
    overwrite_a: bool = False,
    sort: Any = None,
    check_finite: bool = True,
) -> Any:
    """`scipy.linalg.schur`: (T, Z) with a = Z T Z^H, Z unitary, and T an upper triangle, or in a
    real form with 2 by 2 blocks; with `sort` also how many eigenvalues were asked to come first.

    A complex form leaves the phases of Z free, so that what depends on them has no derivative.  The
    same holds for the form of eigenvalues that coincide; what does not depend on how it takes them
    apart is right: traces, and projectors onto all columns of a value.

    >>> from qiudao.scipy import linalg
    >>> a = np.array([[1.0, 2.0], [0.0, 3.0]])
    >>> qd.grad(lambda a: linalg.schur(a)[0][0, 0])(a).round(9) + 0.0
    array([[ 1.,  0.],
           [-1.,  0.]])
    """
    if not depends(a):
        return theirs.schur(a, output, lwork, overwrite_a, sort, check_finite)
    if output not in ("real", "complex", "r", "c"):
        raise ValueError(f"schur: output={output!r}; choose 'real' or 'complex'")
    a = a * 1.0
    if output in ("complex", "c") and a.dtype.kind != "c":
        a = a.astype(np.complex128)
    T, Z = Schur(sort)(a)
    if sort is None:
        return T, Z
    count = Aval(np.shape(a)[:-2], np.dtype(np.intp))
    return T, Z, run_foreign("schur", lambda a: theirs.schur(a, sort=sort)[2], [count], a)
