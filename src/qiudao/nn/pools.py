"""Pooling, as layers over any axes of space."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..ops.networks.pooling import avg_pool, max_pool
from .given import size
from .module import Module
from .parts import as_array


class MaxPool(Module):
    """The largest element of each window of (batch, channels, *space); see `qd.max_pool`.

    >>> qd.nn.MaxPool(2)(np.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    settings = ("size",)

    def __init__(
        self, size: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1
    ) -> None:
        self.size = size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation

    def __call__(self, x: Any) -> Any:
        return max_pool(
            x, self.size, stride=self.stride, padding=self.padding, dilation=self.dilation
        )


class AvgPool(Module):
    """The mean of each window of (batch, channels, *space); see `qd.avg_pool`.

    >>> qd.nn.AvgPool(2)(np.arange(8.0).reshape(1, 1, 8))
    array([[[0.5, 2.5, 4.5, 6.5]]])
    """

    settings = ("size",)

    def __init__(
        self, size: Any, *, stride: Any = None, padding: Any = 0, counts_padding: bool = True
    ) -> None:
        self.size = size
        self.stride = stride
        self.padding = padding
        self.counts_padding = counts_padding

    def __call__(self, x: Any) -> Any:
        return avg_pool(
            x,
            self.size,
            stride=self.stride,
            padding=self.padding,
            counts_padding=self.counts_padding,
        )


class AdaptiveAvgPool(Module):
    """Means over as many windows as wanted: window k of n covers ⌊k s/n⌋ up to ⌈(k + 1) s/n⌉ of an
    axis of size s.

    `counts` has a number for each axis of space; a lone number is for all of them.

    >>> qd.nn.AdaptiveAvgPool(1)(np.arange(8.0).reshape(1, 1, 2, 4))
    array([[[[3.5]]]])
    >>> qd.nn.AdaptiveAvgPool(2)(np.array([[[0.0, 2.0, 4.0]]]))
    array([[[1., 3.]]])
    """

    settings = ("counts",)

    def __init__(self, counts: int | tuple[int, ...]) -> None:
        given = counts if isinstance(counts, tuple | list) else [counts]
        checked = tuple(size("AdaptiveAvgPool", "counts", n, 1) for n in given)
        self.counts = checked if isinstance(counts, tuple | list) else checked[0]

    def __call__(self, x: Any) -> Any:
        x = as_array(x)
        space = x.ndim - 2
        counts = (self.counts,) * space if isinstance(self.counts, int) else self.counts
        if space < 1 or len(counts) != space or 0 in x.shape[2:]:
            raise ShapeError(
                f"AdaptiveAvgPool: an input of shape {tuple(x.shape)} does not fit {self.counts} "
                "windows; give (batch, channels, *space), none of space empty, and a number for "
                "each axis of space"
            )
        for axis, count in enumerate(counts, 2):
            x = np.moveaxis(
                np.moveaxis(x, axis, -1) @ means(x.shape[axis], count, x.dtype), -1, axis
            )
        return x


def means(size: int, count: int, dtype: Any) -> Any:
    """The matrix that takes an axis of `size` elements to the means of `count` windows."""
    weights = np.zeros((size, count), dtype)
    for k in range(count):
        start, stop = k * size // count, -(-(k + 1) * size // count)
        weights[start:stop, k] = 1.0 / (stop - start)
    return weights
