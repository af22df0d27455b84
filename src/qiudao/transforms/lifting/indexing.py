"""`np.r_[...]` and `np.c_[...]` of tracers, which NumPy makes by `np.array`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture import writes
from .standing import holds_tracer

ROWS, COLUMNS = type(np.r_), type(np.c_)


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`."""
    if type(x) in (ROWS, COLUMNS) and holds_tracer(index):
        parts = [part_of(p) for p in (index if isinstance(index, tuple) else (index,))]
        return np.concatenate(parts) if type(x) is ROWS else np.column_stack(parts)
    return writes.getitem(x, index)


def part_of(x: Any) -> Any:
    """One entry between the brackets, as an array of one axis or more."""
    if isinstance(x, slice):
        return np.r_[x]
    return np.atleast_1d(writes.stack(x) if isinstance(x, list | tuple) else x)
