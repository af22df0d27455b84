"""Layers that are a product with a weight: Linear and Embedding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import DtypeError, ShapeError
from ..ops.networks.affine import Affine
from . import given
from .initial import Rng, generator
from .module import Module, parameter
from .parts import as_given, shaped

AFFINE = Affine()


def uniform(rng: np.random.Generator, shape: tuple[int, ...], fan: int, dtype: Any) -> Any:
    """A parameter that is uniform within ±1/√fan: torch's start for most layers."""
    bound = 1.0 / math.sqrt(max(fan, 1))
    return parameter(rng.uniform(-bound, bound, shape), dtype)


class Linear(Module):
    """x Wᵀ + b over the last axis: (..., inputs) to (..., outputs).

    `weight` is (outputs, inputs) and `bias` (outputs,), both uniform within ±1/√inputs at first, as
    in torch; they are drawn from `rng`, a generator or a seed.  `dtype` is float64 unless given,
    the dtype of NumPy's own arrays: float32 weights beside float64 inputs would compute in float64
    all the same.

    >>> qd.nn.Linear(3, 2, rng=0)(np.ones((5, 3))).shape
    (5, 2)
    """

    settings = ("inputs", "outputs")

    def __init__(
        self, inputs: int, outputs: int, bias: bool = True, *, rng: Rng, dtype: Any = np.float64
    ) -> None:
        draws = generator(rng, "Linear")
        self.inputs = inputs = given.size("Linear", "inputs", inputs)
        self.outputs = outputs = given.size("Linear", "outputs", outputs)
        self.weight = uniform(draws, (outputs, inputs), inputs, dtype)
        self.bias = uniform(draws, (outputs,), inputs, dtype) if bias else None

    def __call__(self, x: Any) -> Any:
        x = shaped(x)
        if x.shape[-1:] != (self.inputs,):
            raise ShapeError(
                f"Linear: an input of shape {tuple(x.shape)} does not fit {self.inputs} "
                "inputs; its last axis must have that length"
            )
        if self.bias is None:
            return x @ self.weight.T
        return AFFINE(x, self.weight, self.bias)


class Embedding(Module):
    """A row of a table for each integer: indices of any shape to (..., size).

    `weight` is (count, size), normal with deviation 1 at first.  The gradients of a row that is
    read several times add up.

    >>> qd.nn.Embedding(10, 4, rng=0)(np.array([[1, 2, 1]])).shape
    (1, 3, 4)
    """

    settings = ("count", "size")

    def __init__(self, count: int, size: int, *, rng: Rng, dtype: Any = np.float64) -> None:
        self.count = given.size("Embedding", "count", count)
        self.size = given.size("Embedding", "size", size)
        draws = generator(rng, "Embedding").normal(size=(self.count, self.size))
        self.weight = parameter(draws, dtype)

    def __call__(self, indices: Any) -> Any:
        indices = as_given(indices)
        if indices.dtype.kind not in "iu":
            raise DtypeError(
                f"Embedding: indices of dtype {indices.dtype} choose no rows; give integers"
            )
        if isinstance(indices, np.ndarray) and indices.size:
            low, high = indices.min(), indices.max()
            if low < 0 or high >= self.count:
                raise IndexError(
                    f"Embedding: the index {low if low < 0 else high} is not that of one of "
                    f"{self.count} rows, which count from 0; mend it"
                )
        return self.weight[indices]
