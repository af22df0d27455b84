"""Common subexpressions: what was computed before is read again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, stated
from ..ops.arithmetic import Add, Multiply
from .builder import Builder, Operands

COMMUTATIVE = (Add, Multiply)


def share(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """The equation that computed the same before, or a new one.  The last rule: it always speaks.

    Every primitive gives the same result for the same operands.
    """
    keys = [atom_key(x) for x in operands]
    if isinstance(primitive, COMMUTATIVE):
        keys.sort()
    part = (primitive.index, primitive.count) if isinstance(primitive, Part) else primitive
    key = (type(primitive), part, *keys)
    found = builder.seen.get(key)
    if found is None:
        aval = (
            Aval(like.shape, like.dtype)
            if isinstance(primitive, Part)
            else stated(primitive, operands)
        )
        found = builder.add(primitive, operands, aval, like)
        builder.seen[key] = found
    return found


def atom_key(x: Atom) -> tuple[Any, ...]:
    """Equal for atoms that have the same value and type."""
    if isinstance(x, Node):
        return ("", x.number)
    if isinstance(x, np.ndarray):
        if x.size <= 64:
            return ("array", x.dtype.str, x.shape, x.tobytes())
        return ("held", id(x))
    return (type(x).__name__, repr(x))
