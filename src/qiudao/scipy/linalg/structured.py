"""Systems of banded, Toeplitz and Lyapunov matrices.

Where a derivative is wanted the matrix is written out in full, of whose elements the rules know.
"""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ..operands import depends
from .building import toeplitz
from .solving import cholesky, mirrored, solve_sylvester, system, turned


def bands(n: int, below: int, above: int) -> tuple[Any, Any, Any]:
    """For each element of banded storage: its row in the full matrix, its column, and whether it
    lies in the matrix at all.
    """
    band, columns = np.indices((below + above + 1, n))
    rows = columns + band - above
    return np.clip(rows, 0, n - 1), columns, (rows >= 0) & (rows < n)


def written_out(ab: Any, below: int, above: int) -> Any:
    """The full matrix of which `ab` has the diagonals, from the highest to the lowest."""
    n = np.shape(ab)[-1]
    rows, columns = np.indices((n, n))
    band = above + rows - columns
    inside = (band >= 0) & (band <= below + above)
    return np.where(inside, ab[np.where(inside, band, 0), columns], 0.0)


def one_sided(ab: Any, lower: bool) -> tuple[int, int]:
    """How many diagonals lie below and above the main one, where one triangle is stored."""
    width = np.shape(ab)[0] - 1
    return (width, 0) if lower else (0, width)


def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, *args: Any, **options: Any) -> Any:
    """`scipy.linalg.solve_banded`, with derivatives in the bands and in `b`."""
    if not depends(ab, b):
        return theirs.solve_banded(l_and_u, ab, b, *args, **options)
    below, above = l_and_u
    return system(written_out(ab, below, above), b)


def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """`scipy.linalg.solveh_banded`: a x = b for a Hermitian and positive, of which the diagonals of
    one triangle are stored.

    >>> from qiudao.scipy import linalg
    >>> bands = np.array([[0.0, 1.0], [2.0, 2.0]])
    >>> qd.grad(lambda b: linalg.solveh_banded(bands, b)[0])(np.ones(2)).round(9)
    array([ 0.66666667, -0.33333333])
    """
    if not depends(ab, b):
        return theirs.solveh_banded(ab, b, overwrite_ab, overwrite_b, lower, check_finite)
    return system(mirrored(written_out(ab, *one_sided(ab, lower)), lower), b)


def cholesky_banded(
    ab: Any, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:
    """`scipy.linalg.cholesky_banded`: the Cholesky factor in the storage of the matrix.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda d: linalg.cholesky_banded(np.stack([d]))[0].sum())(np.array([4.0, 9.0]))
    array([0.25      , 0.16666667])
    """
    if not depends(ab):
        return theirs.cholesky_banded(ab, overwrite_ab, lower, check_finite)
    sides = one_sided(ab, lower)
    factor = cholesky(mirrored(written_out(ab, *sides), lower), lower)
    rows, columns, inside = bands(np.shape(ab)[-1], *sides)
    return np.where(inside, factor[rows, columns], ab)


def cho_solve_banded(cb_and_lower: tuple[Any, bool], b: Any, *args: Any, **options: Any) -> Any:
    """`scipy.linalg.cho_solve_banded`: a x = b from the banded Cholesky factor of a."""
    cb, lower = cb_and_lower
    if not depends(cb, b):
        return theirs.cho_solve_banded(cb_and_lower, b, *args, **options)
    factor = written_out(cb, *one_sided(cb, lower))
    first, last = (factor, turned(factor, 2)) if lower else (turned(factor, 2), factor)
    return system(last, system(first, b))


def column_and_row(c_or_cr: Any) -> tuple[Any, Any]:
    """First column and first row (None: the conjugate of the column) of a Toeplitz matrix."""
    return c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)


def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """`scipy.linalg.solve_toeplitz`: x with T x = b, T Toeplitz from its first column (and row).

    >>> from qiudao.scipy import linalg
    >>> c = np.array([2.0, 1.0])
    >>> qd.grad(lambda c: linalg.solve_toeplitz(c, np.ones(2)).sum())(c).round(9)
    array([-0.22222222, -0.22222222])
    """
    if not depends(c_or_cr, b):
        return theirs.solve_toeplitz(c_or_cr, b, check_finite)
    return system(toeplitz(*column_and_row(c_or_cr)), b)


def matmul_toeplitz(c_or_cr: Any, x: Any, *args: Any, **options: Any) -> Any:
    """`scipy.linalg.matmul_toeplitz`: T x, T Toeplitz from its first column (and row)."""
    if not depends(c_or_cr, x):
        return theirs.matmul_toeplitz(c_or_cr, x, *args, **options)
    return toeplitz(*column_and_row(c_or_cr)) @ x


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """`scipy.linalg.solve_continuous_lyapunov`: x with a x + x a^H = q."""
    if not depends(a, q):
        return theirs.solve_continuous_lyapunov(a, q)
    return solve_sylvester(a, turned(a, 2), q)


def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """`scipy.linalg.solve_discrete_lyapunov`: x with a x a^H - x + q = 0."""
    if not depends(a, q):
        return theirs.solve_discrete_lyapunov(a, q, method)
    n = np.shape(q)[0]
    whole = np.eye(n * n) - np.kron(a, np.conj(a))
    return np.reshape(system(whole, np.reshape(q, -1)), (n, n))
