"""Python's integers beside integers that are too narrow to hold them, as NumPy takes them.

A comparison with one has the same answer everywhere, and a bound of `clip` that no element comes
to is none.  Anything else has no answer.
"""

from __future__ import annotations

import numpy as np

from ..core.avals import aval_of, promote
from ..core.families import Elementwise
from ..core.node import Equation
from ..core.primitive import Primitive
from ..core.program import Atom, Program, operands_of
from ..ops.rounding import COMPARISONS, Step
from ..ops.selecting import Clip, Where
from ..ops.shaping import Stretch
from .builder import Builder, Operands, rewrite

NARROWEST = range(128)  # what all integer dtypes hold


def bounds(program: Program) -> Program:
    """The program without integers that their dtype does not hold."""
    if not any(is_wide(x) for e in program.equations for x in operands_of(e)):
        return program
    return rewrite(program, (within_bounds,))


def is_wide(x: Atom) -> bool:
    """Whether an operand is a Python integer that some integer dtype does not hold."""
    return type(x) is int and x not in NARROWEST


def within_bounds(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """The answer of a comparison, or `clip` with bounds that its dtype holds."""
    if not isinstance(primitive, Elementwise) or isinstance(primitive, Where):
        return None  # where takes the lowest bits, in NumPy too
    if not any(map(is_wide, operands)):
        return None
    avals = list(map(aval_of, operands))
    dtype = promote(*avals)
    if dtype.kind not in "iu":
        return None
    held = np.iinfo(dtype)
    beyond = [type(x) is int and not held.min <= x <= held.max for x in operands]
    if not any(beyond):
        return None
    if isinstance(primitive, Step) and primitive.function in COMPARISONS:
        zeros = (x if b else np.zeros((), dtype) for x, b in zip(operands, beyond, strict=True))
        answer = np.bool_(primitive.evaluate(*zeros))
        return builder.add(Stretch(like.shape), (answer,), aval_of(like), like)
    if isinstance(primitive, Clip):
        nearest = [
            min(max(x, int(held.min)), int(held.max)) if b else x
            for x, b in zip(operands, beyond, strict=True)
        ]
        return builder.kept(primitive, tuple(nearest), like)
    if like.dtype.kind not in "iu":
        return None  # computed in floats, or of truths
    number = operands[beyond.index(True)]
    raise OverflowError(
        f"{primitive.label}: the Python integer {number} is out of bounds for {dtype}, at "
        f"{like.line}; convert the array to a wider dtype, x.astype(int)"
    )
