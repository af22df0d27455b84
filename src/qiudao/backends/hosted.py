"""What the two faces of another library's array have in common."""

from __future__ import annotations

from typing import Any

from ..core.avals import Dtype, Shape
from ..core.methods import ArrayMethods
from .libraries import Library


class Hosted(ArrayMethods):
    """An array of another library with its shape and dtype in NumPy's terms."""

    __slots__ = ("array", "dtype", "library", "shape")

    array: Any
    library: Library
    shape: Shape
    dtype: Dtype

    def __init__(self, array: Any, library: Library) -> None:
        self.array = array
        self.library = library
        self.shape = library.shape_of(array)
        self.dtype = library.dtype_of(array)

    def __bool__(self) -> bool:
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.array)

    def __int__(self) -> int:
        return int(self.array)
