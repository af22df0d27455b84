"""`qd.scipy.sparse`: products and systems of SciPy's sparse matrices, with derivatives."""

from . import linalg
from .products import matmul

__all__ = ["linalg", "matmul"]
