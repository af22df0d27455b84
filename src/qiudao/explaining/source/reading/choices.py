"""Masks: what is decided already, and tests that only a NaN passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core.avals import aval_of
from ....core.families import Elementwise
from ....core.node import Equation, Node
from ....core.program import operands_of, stated
from ....ops.rounding import Step
from ....ops.selecting import Where
from ....passes.builder import Builder, Operands, uniform
from .base import emit_inner, fits, fitting, looking_at, of_type

INVERSIONS = ("logical_not", "invert")


@looking_at(Step)
def no_nan(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """X == x -> True: only a NaN differs from itself."""
    if primitive.function in ("equal", "not_equal") and operands[0] is operands[1]:
        holds = primitive.function == "equal"
        return np.full(like.shape, holds)[()]
    if primitive.function in ("bitwise_or", "logical_or", "bitwise_and", "logical_and"):
        for x, y in (operands, operands[::-1]):
            known = uniform(y)
            neutral = primitive.function.endswith("and")
            if known is not None and bool(known) is neutral and isinstance(x, Node):
                return fitting(x, like)
    return None


@looking_at(Where)
def decided(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """where(m, x, f(where(m, y, z))) -> where(m, x, f(z)), where(~m, x, y) -> where(m, y, x)."""
    mask, *branches = operands
    turned = mask if isinstance(mask, Equation) else None
    if turned is not None and getattr(turned.primitive, "function", "") in INVERSIONS:
        return of_type(builder, primitive, (*operands_of(turned), *branches[::-1]), like)
    for k, branch in enumerate(branches):
        if not isinstance(branch, Equation) or not isinstance(branch.primitive, Elementwise):
            continue
        if type(branch.primitive) is Where and operands_of(branch)[0] is mask:
            branches[k] = operands_of(branch)[1 + k]
            return of_type(builder, primitive, (mask, *branches), like)
        inner = [
            operands_of(x)[1 + k]
            if isinstance(x, Equation)
            and type(x.primitive) is Where
            and operands_of(x)[0] is mask
            and aval_of(operands_of(x)[1 + k]).shape == x.shape
            else x
            for x in operands_of(branch)
        ]
        if any(x is not y for x, y in zip(inner, operands_of(branch), strict=True)):
            aval = stated(branch.primitive, inner)
            if aval is not None and aval[:2] == (branch.shape, branch.dtype):
                branches[k] = emit_inner(builder, branch.primitive, tuple(inner), like)
                return of_type(builder, primitive, (mask, *branches), like)
    return None


@looking_at(Where)
def known(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """where(True, x, y) -> x, also of a number that a scalar result is."""
    mask = uniform(operands[0])
    if mask is None:
        return None
    found = operands[1] if mask else operands[2]
    return found if fits(found, like) else None
