"""Plain values: those that NumPy computes with, no tracer among them."""

from __future__ import annotations

import numpy as np

_FLOATS = (np.float64, np.float32, np.float16, np.longdouble)
_COMPLEX = (np.complex128, np.complex64, np.clongdouble)

ARRAYS: set[type] = {np.ndarray, *_FLOATS, *_COMPLEX}
PLAIN = ARRAYS | {float, int}  # without complex: 1j * np.float64(2.0) is a number of Python's
MOVES = ARRAYS | {type(None)}  # a tangent: plain, or none
