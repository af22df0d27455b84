"""Gives Tensor its operators, on the short road."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer
from ..core.families import Additive, Smooth
from ..core.methods import power_by
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

EXTREMES = ((np.maximum, selecting.maximum), (np.minimum, selecting.minimum))

UNARY = [
    (type(primitive).ufunc, primitive)
    for primitive in (*vars(smooth).values(), arithmetic.negative, arithmetic.square)
    if isinstance(primitive, Additive | Smooth) and hasattr(type(primitive), "ufunc")
]

methods: dict[str, Any] = {"__getitem__": getitem}
one: dict[np.ufunc, Any] = {}
two: dict[np.ufunc, Any] = {}

for _name, _ufunc, _primitive, _compute in BINARY:
    _forward, _reflected = binary(Tensor, _primitive, _compute, 1)
    methods[f"__{_name}__"] = _forward
    methods[f"__r{_name}__"] = _reflected
    two[_ufunc] = binary(Tensor, _primitive, _compute, 2)

methods["__pow__"] = power_by(two[np.power][0])
methods["__neg__"] = unary(Tensor, arithmetic.Negative(), operator.neg, 1)

for _ufunc, _primitive in EXTREMES:
    two[_ufunc] = binary(Tensor, _primitive, _ufunc, 2)

for _ufunc, _one in UNARY:
    one[_ufunc] = unary(Tensor, _one, _ufunc, 2)


def take_short_roads() -> None:
    """Have the operators of tensors record by themselves."""
    for name, method in methods.items():
        setattr(Tensor, name, method)
    one_operand.update(one)
    two_operands.update(two)


def leave_short_roads() -> None:
    """Have the operators of tensors go through `Tensor.process`."""
    one_operand.clear()
    two_operands.clear()
    for name in methods:
        delattr(Tensor, name)


take_short_roads()

_weighed, _reflected_weighed = binary(Tensor, arithmetic.weigh, operator.mul, 2)


def weigh(ct: Value, slope: Value) -> Value:
    """The product of a sweep that will itself be differentiated, on the short road."""
    if one_operand:
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
