"""Layers and functions one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.errors import DtypeError
from .module import Module


class Sequential(Module):
    """Calls its layers one after the other; a layer is a module or a function.

    >>> model = qd.nn.Sequential(qd.nn.Linear(2, 8, rng=0), qd.nn.relu, qd.nn.Linear(8, 1, rng=1))
    >>> model(np.ones((5, 2))).shape
    (5, 1)
    >>> model.count_parameters()
    33
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for k, layer in enumerate(layers):
            if not callable(layer):
                raise DtypeError(
                    f"Sequential: layer {k} is a {type(layer).__name__}, which cannot be called; "
                    "give modules and functions one by one, Sequential(*layers)"
                )
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x
