"""Gives Tensor its operators, on the short road."""

from __future__ import annotations

import operator
from typing import Any

from ..core.families import Smooth
from ..core.primitive import Primitive
from ..ops import arithmetic, smooth
from .fast import binary, unary
from .tensor import Tensor, short_roads

BINARY: dict[str, tuple[Primitive, Any]] = {
    "add": (arithmetic.add, operator.add),
    "sub": (arithmetic.subtract, operator.sub),
    "mul": (arithmetic.multiply, operator.mul),
    "truediv": (arithmetic.divide, operator.truediv),
    "pow": (arithmetic.power, operator.pow),
}

for _name, (_primitive, _compute) in BINARY.items():
    _forward, _reflected = binary(Tensor, _primitive, _compute)
    setattr(Tensor, f"__{_name}__", _forward)
    setattr(Tensor, f"__r{_name}__", _reflected)

Tensor.__neg__ = unary(Tensor, arithmetic.negative, operator.neg, 1)  # type: ignore[method-assign]

for _smooth in (*vars(smooth).values(), arithmetic.negative, arithmetic.square):
    if isinstance(_smooth, Smooth):
        short_roads[type(_smooth).ufunc] = unary(Tensor, _smooth, type(_smooth).ufunc, 2)
