"""What is known of a value without computing it: its shape and its dtype."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]
Dtype = np.dtype[Any]
Value = Any  # an array, a NumPy or Python scalar, or a tracer standing for one

_SHORT = {"f": "f", "c": "c", "i": "i", "u": "u", "b": "bool"}
_WEAK: dict[type, Any] = {bool: False, int: 0, float: 0.0, complex: 0j}


class Aval(NamedTuple):
    """An abstract value.  `weak` marks a Python scalar, which never widens an array's dtype."""

    shape: Shape
    dtype: Dtype
    weak: type | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __str__(self) -> str:
        return describe(self.shape, self.dtype)


def describe(shape: Shape | None, dtype: Dtype | None) -> str:
    """`f64[3, 4]` for a double array of 3 rows and 4 columns."""
    if shape is None or dtype is None:
        return "several values"
    kind = _SHORT.get(dtype.kind, dtype.name)
    bits = "" if dtype.kind == "b" or dtype.kind not in _SHORT else str(8 * dtype.itemsize)
    return f"{kind}{bits}[{', '.join(map(str, shape))}]"


def aval_of(x: Value) -> Aval:
    """The shape and dtype of an array, a tracer, a node or a Python scalar."""
    weak = type(x)
    if weak in _WEAK:
        return Aval((), np.dtype(weak), weak)
    return Aval(tuple(x.shape), x.dtype)


def with_length(shape: Shape, axis: int, size: int) -> Shape:
    """A shape with another length of one axis, which is counted from the end."""
    place = len(shape) + axis
    return (*shape[:place], size, *shape[place + 1 :])


def promote(*avals: Aval) -> Dtype:
    """The dtype that NumPy gives an operation on operands of these types."""
    return promoted(*[a.dtype if a.weak is None else a.weak for a in avals])


@functools.lru_cache(4096)
def promoted(*kinds: Dtype | type) -> Dtype:
    """The dtype for these dtypes and types of Python scalars; NumPy takes long to tell."""
    return np.result_type(*(_WEAK[k] if isinstance(k, type) else k for k in kinds))


def is_inexact(dtype: Dtype) -> bool:
    """Whether derivatives exist with respect to values of this dtype: float or complex."""
    return dtype.kind in "fc"
