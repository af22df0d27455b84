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
from ...core.primitive import Parents, Primitive, Product, Terms, Values, primitive
from ...core.samples import sample
from ...ops.linalg.refusals import apart
from ...transforms.foreign import run_foreign
from ..operands import depends
from .below import Below, blocks_of
from .solving import turned, workspace
from .undetermined import Angular, Phaseless, Symmetric, corners, eigenvalues, free_to_turn, in_use


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
        """The cotangent of M; all cotangents conjugated."""
        G = Symmetric()(self.T, gT * (1.0 - self.below))
        H = turned(self.Z, 2) @ gZ + self.adjoint_commutator(G)
        if self.real:
            turn = corners(H)[1] - corners(H)[0]
            d = self.angles(turn, gZ, gT, self.T)
            D = placed(d, 0, 0) - placed(d, 1, 1)
            G, H = G + D, H + self.adjoint_commutator(D)
        else:
            H = Phaseless()(self.T, H, gZ, gT)
        terms = qd.stop_gradient(self.terms(G, gZ))
        back = Below(True)(self.T, (H - turned(H, 2)) * self.below, terms)
        return G - back

    def terms(self, G: Value, gZ: Value) -> Value:
        """The sizes of the terms of H - H^H."""
        inside = turned(self.Z, 2) @ gZ
        left, right = np.abs(turned(self.T, 2)), np.abs(G)
        found = left @ right + right @ left
        return np.abs(inside - turned(inside, 2)) + found + np.swapaxes(found, -1, -2)


def weights(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A mask as numbers."""
    return lambda T: np.where(of(T), 1.0, 0.0)


def placed(x: Value, row: int, column: int) -> Value:
    """The matrix with x[k] at (k + row, k + column)."""
    n = np.shape(x)[-1] + 1
    left, right = (np.eye(n, n - 1, -k, dtype=x.dtype) for k in (row, column))
    return (left * x[..., np.newaxis, :]) @ right.T


@primitive
class Schur(Primitive):
    """T and Z of the Schur form a = Z T Z^H, real or complex as `a` is, in SciPy's order."""

    sort: Any = None
    samples = (
        sample("f64[3,3]", kind="regular"),  # with a pair of complex eigenvalues
        sample("f64[2,2]", kind="regular", sort="lhp"),
    )

    def shape(self, *avals: Aval) -> tuple[Aval, Aval]:
        return avals[0], avals[0]

    def evaluate(self, *xs: Value) -> Value:
        if not xs[0].size:  # which SciPy refuses
            return xs[0], xs[0]
        kind = "complex" if xs[0].dtype.kind == "c" else "real"
        return tuple(theirs.schur(xs[0], kind, sort=self.sort)[:2])

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return Form(*out).push(dxs[0])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        T, Z = out
        zeros = np.zeros_like(T)
        inner = Form(T, Z).pull(*(zeros if c is None else np.conj(c) for c in ct))
        if ct[0] is not None and ct[1] is not None:
            like = Aval(np.shape(T)[:-1], np.result_type(T.dtype, np.complex64))
            w = run_foreign("schur", eigenvalues, [like], T)
            inner = apart("eig", w, inner, in_use(product))
        return (np.conj(Z @ inner @ turned(Z, 2)),)


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
        given = {"overwrite_a": overwrite_a, "sort": sort, "check_finite": check_finite}
        return theirs.schur(a, output, **workspace(lwork), **given)
    if output not in ("real", "complex", "r", "c"):
        raise ValueError(f"schur: output={output!r}; choose 'real' or 'complex'")
    a = a * 1.0
    if output in ("complex", "c") and a.dtype.kind != "c":
        a = a.astype(np.result_type(a.dtype, np.complex64))
    T, Z = Schur(sort)(a)
    if sort is None:
        return T, Z
    count = Aval(np.shape(a)[:-2], np.dtype(np.intp))
    return T, Z, run_foreign("schur", lambda a: theirs.schur(a, sort=sort)[2], [count], a)
