"""`qd.scipy.sparse`: products and systems of SciPy's sparse matrices, with derivatives."""

from . import linalg
from .arrays import coo_array, csc_array, csr_array
from .products import matmul

__all__ = ["coo_array", "csc_array", "csr_array", "linalg", "matmul"]
