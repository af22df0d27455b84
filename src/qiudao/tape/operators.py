"""Gives Tensor its operators, on the short road."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..core.families import Smooth
from ..core.primitive import Primitive
from ..ops import arithmetic, products, smooth
from .fast import binary, getitem, unary
from .tensor import Tensor, one_operand, two_operands

BINARY: list[tuple[str, np.ufunc, Primitive, Any]] = [
    ("add", np.add, arithmetic.add, operator.add),
    ("sub", np.subtract, arithmetic.subtract, operator.sub),
    ("mul", np.multiply, arithmetic.multiply, operator.mul),
    ("truediv", np.divide, arithmetic.divide, operator.truediv),
    ("pow", np.power, arithmetic.power, operator.pow),
    ("matmul", np.matmul, products.matmul_, products.product),
]

for _name, _ufunc, _primitive, _compute in BINARY:
    _forward, _reflected = binary(Tensor, _primitive, _compute, 1)
    setattr(Tensor, f"__{_name}__", _forward)
    setattr(Tensor, f"__r{_name}__", _reflected)
    two_operands[_ufunc] = binary(Tensor, _primitive, _compute, 2)

Tensor.__getitem__ = getitem  # type: ignore[method-assign]
Tensor.__neg__ = unary(Tensor, arithmetic.negative, operator.neg, 1)  # type: ignore[method-assign]

for _smooth in (*vars(smooth).values(), arithmetic.negative, arithmetic.square):
    if isinstance(_smooth, Smooth):
        one_operand[type(_smooth).ufunc] = unary(Tensor, _smooth, type(_smooth).ufunc, 2)
