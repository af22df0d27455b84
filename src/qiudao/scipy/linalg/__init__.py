"""`qd.scipy.linalg`: functions of matrices, and systems with structure, with derivatives."""

from .building import block_diag, circulant, hankel, toeplitz
from .functions import expm, logm, sqrtm
from .solving import (
    cho_factor,
    cho_solve,
    cholesky,
    det,
    inv,
    lu,
    pinv,
    solve,
    solve_banded,
    solve_sylvester,
    solve_triangular,
)
from .spectra import eigh, eigvalsh, norm, svd, svdvals

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "hankel",
    "inv",
    "logm",
    "lu",
    "norm",
    "pinv",
    "solve",
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]
