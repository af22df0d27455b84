"""Layers that shift and scale to mean 0 and variance 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..core.errors import RuleError, ShapeError
from .given import number, size
from .module import Module, parameter
from .parts import shaped
from .running import is_abstract, settled


class BatchNorm(Module):
    """(x - mean) / √(variance + epsilon) weight + bias, for each channel, the second axis.

    While training, mean and variance are those of the batch, over all other axes, and the buffers
    `running_mean` and `running_var` move towards them by `momentum` (the latter towards the
    unbiased variance).  `eval()` uses the buffers.  A transform changes the buffers of a copy: what
    is to last, the function returns with the model.
    """

    settings = ("channels",)
    axes: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        channels: int,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        affine: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        name = type(self).__name__
        self.channels = channels = size(name, "channels", channels)
        self.momentum = number(name, "momentum", momentum, 0, 1)
        self.epsilon = number(name, "epsilon", epsilon, 0, math.inf)
        self.weight = parameter(np.ones(channels), dtype) if affine else None
        self.bias = parameter(np.zeros(channels), dtype) if affine else None
        self.running_mean = np.zeros(channels, dtype)
        self.running_var = np.ones(channels, dtype)

    def __call__(self, x: Any) -> Any:
        x = shaped(x)
        name = type(self).__name__
        ndim = len(self.axes) + 1
        if x.ndim != ndim or x.shape[1] != self.channels:
            raise ShapeError(
                f"{name}: an input of shape {tuple(x.shape)} does not fit; it must have {ndim} "
                f"axes, and {self.channels} channels on the second"
            )
        if self.training:
            mean, variance = self.of_batch(x)
        else:
            mean, variance = self.running_mean, self.running_var
        scale = 1.0 / np.sqrt(variance + self.epsilon)
        if self.weight is not None:
            scale = scale * self.weight
        shape = (1, -1, *(1,) * (ndim - 2))
        y = (x - mean.reshape(shape)) * scale.reshape(shape)
        return y if self.bias is None else y + self.bias.reshape(shape)

    def of_batch(self, x: Any) -> tuple[Any, Any]:
        """The mean and variance of a batch, which the buffers move towards."""
        count = math.prod(x.shape[k] for k in self.axes)
        if count < 2:
            raise ShapeError(
                f"{type(self).__name__}: an input of shape {tuple(x.shape)} has one value for each "
                "channel, which has no variance; give more, or call eval()"
            )
        mean, variance = np.mean(x, axis=self.axes), np.var(x, axis=self.axes)
        if is_abstract(x) and not self._is_copy:
            raise RuleError(
                f"{type(self).__name__}: the running mean of a model that a transform closes over "
                "would change inside it; pass the model as an argument and return it, or call "
                "eval()"
            )
        unbiased = settled(variance) * (count / (count - 1))
        self.running_mean = self.moved(self.running_mean, settled(mean))
        self.running_var = self.moved(self.running_var, unbiased)
        return mean, variance

    def moved(self, buffer: Any, towards: Any) -> Any:
        """A buffer after one batch, in its own dtype."""
        return (1.0 - self.momentum) * buffer + self.momentum * towards.astype(buffer.dtype)


class BatchNorm1d(BatchNorm):
    """Batch normalisation of (batch, channels).

    `BatchNorm1d(channels, momentum=0.1, epsilon=1e-5, affine=True, dtype=np.float64)`; see
    `BatchNorm`.

    >>> norm = qd.nn.BatchNorm1d(2)
    >>> y = norm(np.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> y.detach().numpy().round(3)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> norm.running_mean
    array([0.1, 0.1])
    """

    axes = (0,)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of (batch, channels, height, width); see `BatchNorm`.

    >>> qd.nn.BatchNorm2d(3)(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    axes = (0, 2, 3)


class LayerNorm(Module):
    """(x - mean) / √(variance + epsilon) weight + bias over the last axes, of the given sizes.

    >>> qd.nn.LayerNorm(4)(np.array([[1.0, 1.0, 3.0, 3.0]])).detach().numpy().round(3)
    array([[-1., -1.,  1.,  1.]])
    """

    settings = ("sizes",)

    def __init__(
        self,
        sizes: int | Sequence[int],
        *,
        epsilon: float = 1e-5,
        affine: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        given = sizes if isinstance(sizes, tuple | list) and sizes else [sizes]
        self.sizes = tuple(size("LayerNorm", "sizes", n) for n in given)
        self.epsilon = number("LayerNorm", "epsilon", epsilon, 0, math.inf)
        self.weight = parameter(np.ones(self.sizes), dtype) if affine else None
        self.bias = parameter(np.zeros(self.sizes), dtype) if affine else None

    def __call__(self, x: Any) -> Any:
        x = shaped(x)
        if tuple(x.shape[-len(self.sizes) :]) != self.sizes:
            raise ShapeError(
                f"LayerNorm: an input of shape {tuple(x.shape)} does not fit; its last axes must "
                f"be {self.sizes}"
            )
        axes = tuple(range(-len(self.sizes), 0))
        centred = x - np.mean(x, axis=axes, keepdims=True)
        variance = np.mean(np.square(centred), axis=axes, keepdims=True)
        y = centred / np.sqrt(variance + self.epsilon)
        y = y if self.weight is None else y * self.weight
        return y if self.bias is None else y + self.bias
