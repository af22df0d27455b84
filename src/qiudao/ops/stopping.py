"""Cutting a value from every derivative on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.families import Constant
from ..core.primitive import primitive
from ..core.samples import sample
from ..core.trees import map_tree


@primitive
class StopGradient(Constant):
    """The value itself, as a constant for every derivative of every level."""

    samples = (sample("f64[3,4]"),)

    def evaluate(self, *xs: Value) -> Value:
        return xs[0]

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return avals[0].dtype

    def element(self, e: Any, *xs: Any) -> Any:
        return xs[0]


_stop = StopGradient()


def stop_gradient(x: Any) -> Any:
    """The same values, through which no derivative passes, in any mode; `x` is any pytree.

    >>> qd.grad(lambda x: x * qd.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return map_tree(_stop, x)
