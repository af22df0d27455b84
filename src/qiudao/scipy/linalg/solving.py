"""Linear systems with structure."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ...core.errors import GradientError
from ...ops.linalg.matrices import eye
from ..operands import depends, plain


def triangle(a: Any, lower: bool, unit_diagonal: bool = False) -> Any:
    """The triangle of a matrix that a function reads."""
    part = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        unit = eye(a)
        part = part * (1 - unit) + unit
    return part


def turned(a: Any, trans: Any) -> Any:
    """A matrix, its transpose (1, "T") or its adjoint (2, "C")."""
    if trans in (0, "N"):
        return a
    return np.swapaxes(a, -1, -2) if trans in (1, "T") else np.conj(np.swapaxes(a, -1, -2))


def workspace(lwork: Any) -> dict[str, Any]:
    """`lwork` by name where it is given: SciPy no longer reads it, and from 1.18 on warns of it."""
    return {} if lwork is None else {"lwork": lwork}


def system(a: Any, b: Any) -> Any:
    """The solution of a x = b for a vector or a matrix b."""
    if np.ndim(b) == 1:
        return np.linalg.solve(a, b[..., np.newaxis])[..., 0]
    return np.linalg.solve(a, b)


def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    **options: Any,
) -> Any:
    """`scipy.linalg.solve_triangular`, with derivatives in the triangle that is read and in `b`.

    >>> from qiudao.scipy import linalg
    >>> f = lambda d: linalg.solve_triangular(np.eye(2) * d, np.ones(2)).sum()
    >>> qd.grad(f)(2.0).round(9)
    np.float64(-0.5)
    """
    if not depends(a, b):
        return theirs.solve_triangular(a, b, trans, lower, unit_diagonal, **options)
    return system(turned(triangle(a, lower, unit_diagonal), trans), b)


def mirrored(a: Any, lower: bool, conjugate: bool = True) -> Any:
    """The Hermitian (or symmetric) matrix of which one triangle is read."""
    part = triangle(a, lower)
    unit = eye(a)
    if not conjugate:
        return part + turned(part, "T") * (1 - unit)
    aside = part * (1 - unit)
    return aside + turned(aside, "C") + np.real(part) * unit


def as_assumed(name: str, a: Any, kind: str | None, lower: bool) -> Any:
    """The matrix that SciPy's function of this name reads out of `a`."""
    if kind in (None, "gen", "general"):
        return a
    if kind in ("sym", "symmetric"):
        return mirrored(a, lower, conjugate=False)
    if kind in ("her", "hermitian", "pos", "positive definite"):
        return mirrored(a, lower)
    if kind in ("lower triangular", "upper triangular"):
        return triangle(a, kind == "lower triangular")
    if kind == "diagonal":
        return a * eye(a)
    raise GradientError(
        f"{name}: assume_a={kind!r} has no derivative here; leave it out, which solves the same "
        "system as a general one"
    )


def solve(a: Any, b: Any, **options: Any) -> Any:
    """`scipy.linalg.solve`, with derivatives in `b` and in what `assume_a` lets it read of `a`."""
    if not depends(a, b):
        return theirs.solve(a, b, **options)
    matrix = as_assumed("solve", a, options.get("assume_a"), options.get("lower", False))
    return system(turned(matrix, 1) if options.get("transposed") else matrix, b)


def cholesky(a: Any, lower: bool = False, **options: Any) -> Any:
    """`scipy.linalg.cholesky`: the upper factor unless `lower`."""
    if not depends(a):
        return theirs.cholesky(a, lower, **options)
    factor = np.linalg.cholesky(a if lower else turned(a, 2))
    return factor if lower else turned(factor, 2)


def cho_factor(a: Any, lower: bool = False, **options: Any) -> tuple[Any, bool]:
    """`scipy.linalg.cho_factor`: (factor, lower) for `cho_solve`."""
    if not depends(a):
        found: tuple[Any, bool] = theirs.cho_factor(a, lower, **options)
        return found
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, **options: Any) -> Any:
    """`scipy.linalg.cho_solve`: the solution of a x = b from the factor of a.

    >>> from qiudao.scipy import linalg
    >>> f = lambda s: linalg.cho_solve(linalg.cho_factor(np.eye(2) * s), np.ones(2)).sum()
    >>> qd.grad(f)(2.0).round(9)
    np.float64(-0.5)
    """
    factor, lower = c_and_lower
    if not depends(factor, b):
        return theirs.cho_solve(c_and_lower, b, **options)
    part = triangle(factor, lower)
    first, last = (part, turned(part, 2)) if lower else (turned(part, 2), part)
    return system(last, system(first, b))


def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """`scipy.linalg.solve_sylvester`: x with a x + x b = q.

    Where a derivative is wanted, as one linear system for all elements of x.
    """
    if not depends(a, b, q):
        return theirs.solve_sylvester(a, b, q)
    n, m = np.shape(q)
    whole = np.kron(a, np.eye(m)) + np.kron(np.eye(n), np.swapaxes(b, -1, -2))
    return np.reshape(system(whole, np.reshape(q, -1)), (n, m))


def inv(
    a: Any,
    overwrite_a: bool = False,
    check_finite: bool = True,
    *,
    assume_a: str | None = None,
    lower: bool = False,
) -> Any:
    """`scipy.linalg.inv`, with derivatives in what `assume_a` lets it read of `a`."""
    if not depends(a):
        return theirs.inv(a, overwrite_a, check_finite, assume_a=assume_a, lower=lower)
    return np.linalg.inv(as_assumed("inv", a, assume_a, lower))


def det(a: Any, **options: Any) -> Any:
    """`scipy.linalg.det`."""
    return np.linalg.det(a) if depends(a) else theirs.det(a, **options)


def pseudo(a: Any, atol: Any, rtol: Any, return_rank: bool) -> Any:
    """The pseudo-inverse, at constant rank; the matrix is read for `atol` and for the rank."""
    rtol = max(np.shape(a)[-2:]) * np.finfo(a.dtype).eps if rtol is None else rtol
    if atol is None and not return_rank:
        return np.linalg.pinv(a, rtol=rtol)
    sizes = np.linalg.svdvals(plain(a))
    highest = np.max(sizes, initial=0.0)
    cutoff = (0.0 if atol is None else atol) + highest * rtol
    found = np.linalg.pinv(a, rtol=cutoff / highest if highest else rtol)
    return (found, int(np.count_nonzero(sizes > cutoff))) if return_rank else found


def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """`scipy.linalg.pinv`; the derivative is that along matrices of the same rank."""
    if not depends(a):
        return theirs.pinv(
            a, atol=atol, rtol=rtol, return_rank=return_rank, check_finite=check_finite
        )
    return pseudo(a * 1.0, atol, rtol, return_rank)


def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """`scipy.linalg.pinvh`: the pseudo-inverse of a Hermitian matrix, of which a triangle is read.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda s: linalg.pinvh(s * np.ones((2, 2))).sum())(2.0).round(9)
    np.float64(-0.25)
    """
    if not depends(a):
        return theirs.pinvh(a, atol, rtol, lower, return_rank, check_finite)
    return pseudo(mirrored(a * 1.0, lower), atol, rtol, return_rank)


def lstsq(a: Any, b: Any, cond: float | None = None, *args: Any, **options: Any) -> Any:
    """`scipy.linalg.lstsq`: (x, residues, rank, singular values), at constant rank.

    Residues are real numbers, for which SciPy 1.18 has a complex type where the system is complex.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda b: linalg.lstsq(np.ones((2, 1)), b)[0][0])(np.ones(2)).round(9)
    array([0.5, 0.5])
    """
    if not depends(a, b):
        return theirs.lstsq(a, b, cond, *args, **options)
    dtype = np.result_type(a.dtype, b.dtype, np.float32)
    return np.linalg.lstsq(a, b, rcond=np.finfo(dtype).eps if cond is None else cond)
