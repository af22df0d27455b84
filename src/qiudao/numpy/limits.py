"""What the floats and integers of a dtype can hold, in Python's numbers as the standard wants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dispatch import Tracer


class FloatLimits:
    """`np.finfo` of a dtype, whose limits are Python's floats."""

    def __init__(self, dtype: Any) -> None:
        self.numpys = np.finfo(dtype)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.numpys, name)
        return found.item() if isinstance(found, np.generic) else found

    def __repr__(self) -> str:
        return repr(self.numpys)


def finfo(type: Any, /) -> FloatLimits:
    """The limits of a float dtype, or of an array's; of a complex one, those of its parts.

    >>> from qiudao import numpy as xp
    >>> xp.finfo(xp.float32).eps
    1.1920928955078125e-07
    """
    return FloatLimits(_dtype(type))


def iinfo(type: Any, /) -> Any:
    """The limits of an integer dtype, or of an array's.

    >>> from qiudao import numpy as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    return np.iinfo(_dtype(type))


def _dtype(type: Any) -> Any:
    return type.dtype if isinstance(type, Tracer | np.ndarray) else type
