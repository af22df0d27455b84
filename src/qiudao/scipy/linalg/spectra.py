"""Eigenvalues, singular values and orthogonal factors."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.dispatch import overrides
from ...core.errors import GradientError
from ..operands import depends
from .solving import cholesky, mirrored, solve_triangular, turned


def eigh(a: Any, b: Any = None, **options: Any) -> Any:
    """`scipy.linalg.eigh`: eigenvalues and eigenvectors of a x = w x, or a x = w b x, through the
    Cholesky factor of `b`.

    >>> from qiudao.scipy import linalg
    >>> a = np.diag([1.0, 4.0])
    >>> qd.grad(lambda s: linalg.eigh(a, np.eye(2) * s)[0].sum())(2.0).round(9)
    np.float64(-1.25)
    """
    if not depends(a, b):
        return theirs.eigh(a, b, **options)
    chosen = [k for k in ("subset_by_index", "subset_by_value") if options.get(k) is not None]
    if chosen or options.get("type", 1) != 1:
        raise GradientError(
            f"eigh: {chosen[0] if chosen else 'type'}= has no derivative here; take all "
            "eigenvalues of a x = w b x, and choose from them"
        )
    lower = options.get("lower", True)
    if b is None:
        values, vectors = np.linalg.eigh(a, "L" if lower else "U")
        return values if options.get("eigvals_only") else (values, vectors)
    factor = cholesky(mirrored(b * 1.0, lower), lower=True)
    left = solve_triangular(factor, mirrored(a * 1.0, lower), lower=True)
    reduced = turned(solve_triangular(factor, turned(left, 2), lower=True), 2)
    values, inner = np.linalg.eigh(reduced)
    if options.get("eigvals_only"):
        return values
    return values, solve_triangular(factor, inner, 2, lower=True)


def eigvalsh(a: Any, b: Any = None, **options: Any) -> Any:
    """`scipy.linalg.eigvalsh`."""
    if not depends(a, b):
        return theirs.eigvalsh(a, b, **options)
    return eigh(a, b, eigvals_only=True, **options)


def eigvals(a: Any, b: Any = None, *args: Any, **options: Any) -> Any:
    """`scipy.linalg.eigvals`: the complex eigenvalues of a x = w x, or of a x = w b x.

    >>> from qiudao.scipy import linalg
    >>> f = lambda a: np.real(linalg.eigvals(a)).prod()
    >>> qd.grad(f)(np.array([[2.0, 1.0], [0.0, 3.0]])).round(9) + 0.0
    array([[ 3.,  0.],
           [-1.,  2.]])
    """
    if not depends(a, b):
        return theirs.eigvals(a, b, *args, **options)
    if options.get("homogeneous_eigvals") or len(args) > 2:
        raise GradientError(
            "eigvals: homogeneous_eigvals has no derivative here; take the quotients, which "
            "eigvals gives without it"
        )
    w = np.linalg.eigvals(a if b is None else np.linalg.solve(b, a))
    return w.astype(np.result_type(w.dtype, np.complex64))


def eig(a: Any, b: Any = None, left: bool = False, right: bool = True, **options: Any) -> Any:
    """`scipy.linalg.eig`: complex eigenvalues w and right eigenvectors of a x = w x, of length 1
    and with their largest component real.

    (Magnus, On differentiating eigenvalues and eigenvectors, 1985; Giles, Collected matrix
    derivative results, 2008.)

    >>> from qiudao.scipy import linalg
    >>> f = lambda a: np.real(linalg.eig(a)[0]).sum()
    >>> qd.grad(f)(np.array([[2.0, 1.0], [0.0, 3.0]])).round(9) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    if not depends(a, b):
        return theirs.eig(a, b, left, right, **options)
    if not left and not right:
        return eigvals(a, b, **options)
    if left or b is not None or options.get("homogeneous_eigvals"):
        raise GradientError(
            "eig: derivatives are known of the right eigenvectors of one matrix; for left ones "
            "take np.linalg.inv of the right ones, for two matrices eig(solve(b, a))"
        )
    w, v = np.linalg.eig(a)
    kind = np.result_type(w.dtype, np.complex64)
    return w.astype(kind), v


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, **options: Any) -> Any:
    """`scipy.linalg.svd`."""
    if not depends(a):
        return theirs.svd(a, full_matrices, compute_uv, **options)
    return overrides[np.linalg.svd](a, full_matrices, compute_uv)


def svdvals(a: Any, **options: Any) -> Any:
    """`scipy.linalg.svdvals`."""
    return np.linalg.svdvals(a) if depends(a) else theirs.svdvals(a, **options)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    """`scipy.linalg.norm`."""
    if not depends(a):
        return theirs.norm(a, ord, axis, keepdims, **options)
    return np.linalg.norm(a, ord, axis, keepdims)
