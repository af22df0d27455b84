"""Any analytic function of a matrix, by its Schur form and Taylor series.

Davies and Higham, A Schur-Parlett algorithm for computing matrix functions, 2003: eigenvalues that
are close go into one block of the triangle, on which f is its Taylor series about their mean; the
blocks above the diagonal follow from F T = T F.  The Taylor coefficients are exact, by `qd.jet`, so
that eigenvalues may coincide, and the matrix need not have a basis of eigenvectors.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import lapack

import qiudao as qd
from scipy import linalg as theirs

from ...core.errors import GradientError, NotDifferentiableError
from ..operands import depends

APART = 0.1  # eigenvalues that are closer share a block
CLOSEST = 1e-6  # blocks of eigenvalues that are closer are not parted in search of convergence
TERMS = (8, 16, 32, 64)  # of Taylor series, tried one after another


def function_of(A: Any, f: Callable[..., Any]) -> Any:
    """f(A) for one plain square matrix; real where A is and the imaginary part is rounding."""
    apart = APART
    T, Z = theirs.schur(A, "complex")
    F = None
    while F is None and apart > CLOSEST:
        with np.errstate(all="ignore"):  # what is not finite is refused below
            F = of_triangle(T, Z, f, apart)
        apart /= 4
    if F is None or not np.all(np.isfinite(F)):
        raise NotDifferentiableError(
            "funm: the function is singular at an eigenvalue, or so near that its Taylor series "
            "does not converge, and has to be analytic there; shift the matrix away from it"
        )
    if np.isrealobj(A):
        noise = 1e3 * np.finfo(F.dtype).eps * max(np.max(np.abs(F), initial=0.0), 1.0)
        if np.max(np.abs(F.imag), initial=0.0) <= noise:
            return np.ascontiguousarray(F.real)
    return F


def of_triangle(T: Any, Z: Any, f: Callable[..., Any], apart: float) -> Any:
    """f(Z T Z^H), T upper triangular; None where a Taylor series does not converge."""
    groups = clustered(np.diagonal(T), apart)
    T, Z, ends = gathered(T, Z, groups)
    blocks = [slice(a, b) for a, b in zip((0, *ends[:-1]), ends, strict=True)]
    diagonal = series(T, blocks, f)
    if diagonal is None:
        return None
    F = np.zeros_like(T)
    for block, of_block in zip(blocks, diagonal, strict=True):
        F[block, block] = of_block
    for j, right in enumerate(blocks):
        for i in range(j - 1, -1, -1):
            left = blocks[i]
            rest = F[left, left] @ T[left, right] - T[left, right] @ F[right, right]
            between = slice(left.stop, right.start)
            rest += F[left, between] @ T[between, right] - T[left, between] @ F[between, right]
            F[left, right] = commuting(T[left, left], T[right, right], rest)
    return Z @ F @ Z.conj().T


def commuting(left: Any, right: Any, rest: Any) -> Any:
    """The X of left X - X right = rest, both triangular."""
    solve = lapack.ctrsyl if left.dtype == np.complex64 else lapack.ztrsyl
    found, scale, _ = solve(left, right, rest, isgn=-1)
    return found * scale


def clustered(w: Any, apart: float) -> Any:
    """The number of the group of each eigenvalue; what is close to a third is of its group."""
    groups = np.arange(len(w))
    for i in range(len(w)):
        for j in np.flatnonzero(np.abs(w - w[i]) <= apart):
            groups[groups == groups[j]] = groups[i]
    return groups


def gathered(T: Any, Z: Any, groups: Any) -> tuple[Any, Any, list[int]]:
    """The Schur form with the groups one after another, and where each of them ends."""
    move = lapack.ctrexc if T.dtype == np.complex64 else lapack.ztrexc
    groups = list(groups)
    order = sorted(set(groups), key=groups.index)
    ends, place = [], 0
    for group in order:
        for _ in range(groups.count(group)):
            at = groups.index(group, place)
            if at != place:
                T, Z, _ = move(T, Z, at + 1, place + 1)
                groups.insert(place, groups.pop(at))
            place += 1
        ends.append(place)
    return T, Z, ends


def series(T: Any, blocks: list[slice], f: Callable[..., Any]) -> list[Any] | None:
    """F of each diagonal block, by its Taylor series; None where one does not converge."""
    means = np.array([np.mean(np.diagonal(T)[b]) for b in blocks], T.dtype)
    alone = all(b.stop - b.start == 1 for b in blocks)
    eps = np.finfo(T.dtype).eps
    for count in (0,) if alone else TERMS:
        terms = coefficients(f, means, count)
        found = [summed(T[b, b], z, terms[:, k], eps) for k, (b, z) in
                 enumerate(zip(blocks, means, strict=True))]  # fmt: skip
        if all(one is not None for one in found):
            return found
    return None


def coefficients(f: Callable[..., Any], means: Any, count: int) -> Any:
    """Taylor coefficients 0 to `count` of f about each mean, one row an order."""
    if not count:
        found = [f(means)]
    else:
        line = [np.ones_like(means), *(np.zeros_like(means) for _ in range(count - 1))]
        first, rest = qd.jet(f, (means,), (line,))
        found = [first, *rest]
    if depends(found):
        raise GradientError(
            "funm: the function reads a value that carries a derivative, which is not known; take "
            "V f(w) V^-1 with w, V = np.linalg.eig(A)"
        )
    return np.stack([np.broadcast_to(c, means.shape) for c in found])


def summed(block: Any, mean: Any, terms: Any, eps: float) -> Any:
    """A Taylor series of a block; None where the last terms are not small."""
    n = len(block)
    step = block - mean * np.eye(n)
    power, total = np.eye(n, dtype=block.dtype), np.zeros_like(block)
    last = np.inf
    for k, c in enumerate(terms):
        term = c * power
        total = total + term
        size, last = last, np.max(np.abs(term))
        if n == 1 and k == 0:
            return total
        if k >= n and max(size, last) <= eps * np.max(np.abs(total)):
            return total
        power = power @ step
    return total if not np.any(power) else None
