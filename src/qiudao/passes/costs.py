"""What an equation in the body of a loop costs, roughly: enough to be kept, or not."""

from __future__ import annotations

import math
from typing import Any

from ..core.avals import aval_of
from ..core.families import Elementwise
from ..core.node import Equation
from ..core.program import operands_of
from ..ops.indexing import GetItem, Place
from ..ops.reducing import Max, Min, Prod, Sum, Truth
from ..ops.shaping import Cast, Concatenate, Copy, Flip, Reshape, Stretch, Transpose
from ..ops.writing import SetItem

QUICK = {
    "absolute", "add", "clip", "conjugate", "copysign", "degrees", "exponent", "fabs", "fmax",
    "fmin", "fraction", "heaviside", "imag", "maximum", "minimum", "multiply", "negative",
    "nextafter", "positive", "radians", "real", "round", "scale", "square", "step",
    "stopgradient", "subtract", "weigh", "where", "whole",
}  # fmt: skip
MOVES = (Reshape, Stretch, Transpose, Flip, Copy, GetItem, Place, SetItem, Concatenate, Cast)
REDUCTIONS = (Sum, Prod, Max, Min, Truth)
SHORT = 512  # elements beyond which memory is no quicker than computing an element again


def waits(e: Equation) -> bool:
    """Whether an equation puts many computed elements at other places: a loop of its own must have
    computed them before, while what stays in its place is computed where it is read.
    """
    if not isinstance(e.primitive, Concatenate) or math.prod(e.shape) <= SHORT:
        return False
    x: Any = e
    while isinstance(x, Equation) and isinstance(x.primitive, MOVES):
        x = max(operands_of(x), key=lambda operand: aval_of(operand).size)
    return isinstance(x, Equation)


def is_dear(e: Equation) -> bool:
    """Whether to compute an equation takes longer than to write its value and read it again."""
    primitive = e.primitive
    if e.is_several:
        return True
    if isinstance(primitive, Elementwise):
        return primitive.name not in QUICK and math.prod(e.shape) <= SHORT
    if isinstance(primitive, MOVES):
        return False
    if isinstance(primitive, REDUCTIONS):
        return aval_of(operands_of(e)[0]).size > 4 * max(math.prod(e.shape), 1)
    return True
