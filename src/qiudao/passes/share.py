"""Common subexpressions: what was computed before is read again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom
from ..ops.arithmetic import Add, Multiply
from .builder import Builder, Operands

COMMUTATIVE = (Add, Multiply)
SMALL = 64  # elements up to which constants are compared as they are
LARGEST = 1 << 22  # bytes up to which they are compared at all


def share(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """The equation that computed the same before, or a new one.  The last rule: it always speaks.

    Every primitive gives the same result for the same operands.
    """
    operands = tuple([held(builder, x) for x in operands])
    keys = [atom_key(x) for x in operands]
    if isinstance(primitive, COMMUTATIVE):
        keys.sort()
    part = (primitive.index, primitive.count) if isinstance(primitive, Part) else primitive
    key = (type(primitive), part, *keys)
    found = builder.seen.get(key)
    if found is None:
        found = builder.seen[key] = builder.kept(primitive, operands, like)
    return found


def held(builder: Builder, x: Atom) -> Atom:
    """An atom; for a constant array the first one that has the same bytes, so that it is kept and
    read once.
    """
    if not isinstance(x, np.ndarray) or not x.size > SMALL or x.nbytes > LARGEST:
        return x
    known = builder.constants.get(id(x))
    if known is None:
        first = builder.seen.setdefault((x.dtype.str, x.shape, x.tobytes()), x)
        known = builder.constants[id(x)] = (first, x)
    return known[0]


def atom_key(x: Atom) -> tuple[Any, ...]:
    """Equal for atoms that have the same value and type."""
    if isinstance(x, Node):
        return ("", x.number)
    if isinstance(x, np.ndarray):
        if x.size <= SMALL:
            return ("array", x.dtype.str, x.shape, x.tobytes())
        return ("held", id(x))
    return (type(x).__name__, repr(x))
