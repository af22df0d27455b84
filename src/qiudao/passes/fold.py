"""Constant folding: what reads constants only is computed now."""

from __future__ import annotations

import numpy as np

from ..core.node import Equation
from ..core.primitive import Primitive
from ..core.program import Atom, inner_programs
from ..ops.shaping import Stretch
from .builder import Builder, Operands, is_constant

LARGEST = 1 << 16  # elements of a result that is kept rather than computed


def fold(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """The value, where all operands are constants and it is small."""
    if like.is_several or not all(map(is_constant, operands)) or not operands:
        return None
    if isinstance(primitive, Stretch) or any(True for _ in inner_programs(primitive)):
        return None  # a stretched number takes no memory as long as it is not written out
    if np.prod(like.shape, dtype=float) > LARGEST:
        return None
    with np.errstate(all="ignore"):
        value = primitive.evaluate(*operands)
    return np.asarray(value)[()] if np.shape(value) == like.shape else None
