"""Parts of arrays that an index names, known when compiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.avals import Shape
from ..code import Buffer, Code
from .loops import part_of


def part(code: Code, x: Buffer, index: Any) -> Buffer:
    """What NumPy shows of `x` for a basic index."""
    start, shape, strides = shown(x.shape, x.strides, index)
    return Buffer(part_of(code, x, start), shape, x.dtype, strides)


def shown(shape: Shape, strides: Sequence[int], index: Any) -> tuple[int, Shape, tuple[int, ...]]:
    """The start, shape and strides of a basic index, from an array that is never read."""
    base = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), shape, tuple(strides))
    view = base[index if any(p is Ellipsis for p in index) else (*index, Ellipsis)]
    origin, found = (x.__array_interface__["data"][0] for x in (base, view))
    return found - origin if view.size else 0, view.shape, view.strides


def broadcast(strides: Sequence[int], shape: Shape, to: Shape) -> tuple[int, ...]:
    """The strides of an array of `shape` along the axes of a shape that it broadcasts to."""
    pairs = [0 if n == 1 else s for n, s in zip(shape, strides, strict=True)]
    extra = len(pairs) - len(to)  # NumPy drops leading unit axes of what is written
    return tuple(pairs[extra:]) if extra > 0 else (*(0,) * -extra, *pairs)
