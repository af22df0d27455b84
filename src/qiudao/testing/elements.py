"""Scalar code run on NumPy scalars, to hold `element` equal to `evaluate`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.families import Elementwise
from ..core.primitive import registry
from ..ops import rarer  # noqa: F401  # so that the registry has every primitive
from ..ops.special import Special, statements


class NumpyElement:
    """`core.element.Element` on NumPy scalars: what a compiler must do, done plainly."""

    def call(self, name: str, *xs: Any) -> Any:
        """The elementwise function of that name, NumPy's or one that a primitive stands for."""
        return named(name)(*xs)

    def constant(self, value: complex, like: Any) -> Any:
        """A number in the type of `like`."""
        return np.result_type(like).type(value)

    def select(self, mask: Any, x: Any, y: Any) -> Any:
        """`x` where `mask` holds, else `y`."""
        return np.where(mask, x, y)[()]


def named(name: str) -> Any:
    """The function that scalar code calls by `name`."""
    if hasattr(np, name):
        return getattr(np, name)
    for cls in registry:
        function = getattr(cls, "ufunc", None)
        if getattr(function, "__name__", None) == name:
            return function
        if cls.name == name:  # its scalar code is a function of the compiler's own
            return cls().evaluate
    if (name, 0) in statements:
        return Special(name).evaluate
    raise LookupError(f"element: no function is named {name!r}")


def run_element(prim: Elementwise, xs: list[Any]) -> Any:
    """The result of the scalar code of `prim` for each lane; None where it has none."""
    builder = NumpyElement()
    wide = np.broadcast_arrays(*xs)
    with np.errstate(all="ignore"):
        lanes = [prim.element(builder, *row) for row in zip(*(w.reshape(-1) for w in wide))]
    if any(lane is NotImplemented for lane in lanes):
        return None
    return np.stack(lanes).reshape(wide[0].shape) if lanes else None
