"""Matrices with structure, from their elements."""

from typing import Any

import numpy as np

from scipy import linalg as theirs

from ..operands import depends


def block_diag(*arrays: Any) -> Any:
    """`scipy.linalg.block_diag` of matrices, vectors (rows) and numbers.

    >>> from qiudao.scipy import linalg
    >>> qd.grad(lambda a: np.linalg.det(linalg.block_diag(a, a * np.eye(2))))(2.0).round(9)
    np.float64(12.0)
    """
    if not depends(list(arrays)):
        return theirs.block_diag(*arrays)
    blocks = [np.atleast_2d(a) for a in arrays]
    shapes = [np.shape(a) for a in blocks]
    rows = [
        [b if i == k else np.zeros((shapes[k][0], shapes[i][1])) for i in range(len(blocks))]
        for k, b in enumerate(blocks)
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def toeplitz(c: Any, r: Any = None) -> Any:
    """`scipy.linalg.toeplitz`: constant along diagonals, from its first column and first row."""
    if not depends(c, r):
        return theirs.toeplitz(c, r)
    row = np.conj(c) if r is None else r
    n, m = np.shape(c)[0], np.shape(row)[0]
    values = np.concatenate([np.flip(c), row[1:]])
    i, j = np.indices((n, m))
    return values[n - 1 - i + j]


def circulant(c: Any) -> Any:
    """`scipy.linalg.circulant`: each column the one before it, shifted down."""
    if not depends(c):
        return theirs.circulant(c)
    n = np.shape(c)[0]
    i, j = np.indices((n, n))
    return c[(i - j) % n]


def hankel(c: Any, r: Any = None) -> Any:
    """`scipy.linalg.hankel`: constant along anti-diagonals."""
    if not depends(c, r):
        return theirs.hankel(c, r)
    row = c * 0 if r is None else r
    n, m = np.shape(c)[0], np.shape(row)[0]
    values = np.concatenate([c, row[1:]])
    i, j = np.indices((n, m))
    return values[i + j]
