"""`x.flat`: the elements of a tracer one after another, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .avals import Value
from .dispatch import Tracer

if TYPE_CHECKING:
    from .methods import ArrayMethods


class Flat:
    """What NumPy calls a flat iterator: it is gone through, read and written to by position.

    Reading gives copies, and writing repeats values that are too few, as in NumPy.
    """

    __slots__ = ("base", "index")

    def __init__(self, base: ArrayMethods) -> None:
        self.base = base
        self.index = 0  # of the element that comes next

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Flat:
        return self

    def __next__(self) -> Value:
        if self.index >= len(self):
            raise StopIteration
        place = np.unravel_index(self.index, self.base.shape)
        self.index += 1
        return self.base[tuple(map(int, place))]

    def __getitem__(self, index: Any) -> Value:
        found = np.ravel(self.base)[index]
        return np.copy(found) if isinstance(index, slice) or index is Ellipsis else found

    def __setitem__(self, index: Any, value: Any) -> None:
        places = index if isinstance(index, Tracer) else np.arange(len(self))[index]
        np.put(self.base, places, value)  # type: ignore[arg-type]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.ravel(self.base).__array__(dtype, copy)  # type: ignore[call-overload]

    def copy(self) -> Value:
        """The elements as a vector."""
        return np.copy(np.ravel(self.base))
