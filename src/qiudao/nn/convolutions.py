"""Convolutions over channels, as layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ShapeError
from ..ops.networks.convolving import convolution
from ..ops.networks.windows import each_axis
from .given import size as size_of
from .initial import Rng, generator
from .linear import uniform
from .module import Module


class Convolution(Module):
    """Convolution (cross-correlation) of (batch, inputs, *space) to (batch, outputs, *windows).

    `size`, `stride`, `padding`, `dilation` and `groups` are those of `qd.convolution`.  `weight` is
    (outputs, inputs / groups, *size) and `bias` (outputs,), both uniform within ±1/√fan-in at
    first, as in torch; they are drawn from `rng`, a generator or a seed.
    """

    settings = ("inputs", "outputs", "size")
    space: ClassVar[int]

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int | tuple[int, ...],
        *,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        rng: Rng,
        dtype: Any = np.float64,
    ) -> None:
        name = type(self).__name__
        inputs, outputs = size_of(name, "inputs", inputs), size_of(name, "outputs", outputs)
        groups = size_of(name, "groups", groups, 1)
        if inputs % groups or outputs % groups:
            raise ShapeError(
                f"{name}: {inputs} inputs and {outputs} outputs do not fall into {groups} groups; "
                "both must be multiples of it"
            )
        draws = generator(rng, name)
        self.inputs = inputs
        self.outputs = outputs
        self.size = each_axis(name, "size", size, self.space, 1)
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        shape = (outputs, inputs // groups, *self.size)
        fan = math.prod(shape[1:])
        self.weight = uniform(draws, shape, fan, dtype)
        self.bias = uniform(draws, (outputs,), fan, dtype) if bias else None

    def __call__(self, x: Any) -> Any:
        y = convolution(
            x,
            self.weight,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y if self.bias is None else y + self.bias.reshape(-1, *(1,) * self.space)


class Conv1d(Convolution):
    """Convolution of (batch, channels, length); see `Convolution` for the arguments.

    >>> qd.nn.Conv1d(2, 3, 5, padding="same", rng=0)(np.ones((1, 2, 8))).shape
    (1, 3, 8)
    """

    space = 1


class Conv2d(Convolution):
    """Convolution of (batch, channels, height, width); see `Convolution` for the arguments.

    >>> qd.nn.Conv2d(1, 4, 3, stride=2, rng=0)(np.ones((1, 1, 9, 9))).shape
    (1, 4, 4, 4)
    """

    space = 2
