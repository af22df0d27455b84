"""NumPy's mathematical functions as LLVM text that its loop vectoriser can use.

Each is straight-line code of adds, multiplies, fused multiply-adds and selects, so that a loop
that calls it becomes a loop over vectors.
"""

from .table import called, inlined

__all__ = ["called", "inlined"]
