"""Sorting as the array standard spells it: downwards too."""

from __future__ import annotations

from typing import Any

import numpy as np

from .results import tensors


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """`x` sorted along an axis, a tensor; ties share their gradient equally."""
    found = np.sort(x, axis=axis, stable=stable)
    return tensors(np.flip(found, axis) if descending else found)


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The positions that sort `x` along an axis; equal elements stay in order both ways."""
    if not descending:
        return tensors(np.argsort(x, axis=axis, stable=stable))
    backwards = np.argsort(np.flip(x, axis), axis=axis, stable=stable)
    return tensors(np.shape(x)[axis] - 1 - np.flip(backwards, axis))
