"""Gives Tensor its operators, on the short road."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer
from ..core.families import Smooth
from ..core.primitive import Primitive, Product
from ..ops import arithmetic, products, selecting, smooth
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
Tensor.__neg__ = unary(Tensor, arithmetic.Negative(), operator.neg, 1)  # type: ignore[method-assign]

for _extreme in (selecting.maximum, selecting.minimum):
    _road = binary(Tensor, _extreme, type(_extreme).ufunc, 2)  # type: ignore[attr-defined]
    two_operands[type(_extreme).ufunc] = _road  # type: ignore[attr-defined]

for _smooth in (*vars(smooth).values(), arithmetic.negative, arithmetic.square):
    if isinstance(_smooth, Smooth) and hasattr(type(_smooth), "ufunc"):
        one_operand[type(_smooth).ufunc] = unary(Tensor, _smooth, type(_smooth).ufunc, 2)

_weighed, _reflected_weighed = binary(Tensor, arithmetic.weigh, operator.mul, 2)


def weigh(ct: Value, slope: Value) -> Value:
    """The product of a sweep that will itself be differentiated, on the short road."""
    if type(ct) is Tensor:
        return _weighed(ct, slope)
    if type(slope) is Tensor:
        return _reflected_weighed(slope, ct)
    return arithmetic.weigh(ct, slope)


def product_below(values: Iterable[Value]) -> Product:
    """The product for a sweep back from outputs with these values.

    Values that are tracers mean that an outer transform, or the tape, sees the sweep.
    """
    return weigh if any(isinstance(v, Tracer) for v in values) else operator.mul
