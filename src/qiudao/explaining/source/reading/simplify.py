"""Programs simplified: exactly, or so that a derivative is easier to read.

The rules for readers are exact but for rounding, and for numbers that are not finite.  Whoever uses
them holds the program that they make against the one before, on real arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core.families import Elementwise
from ....core.node import Equation
from ....core.primitive import Primitive
from ....core.program import Atom, Program
from ....ops.shaping import Stretch
from ....passes.builder import Builder, Operands, is_constant, rewrite, uniform
from ....passes.identities import identities, sink
from ....passes.prune import prune
from ....passes.share import share
from . import choices as choices  # fills the tables of rules
from . import matrices as matrices
from . import products as products
from . import sums as sums
from .axes import leading
from .base import plainly, read

LARGEST = 4  # elements of a constant that is written out rather than how it is made


def simplified(program: Program) -> Program:
    """The program with exact identities only."""
    return repeat(program, (fold, identities, sink, share))


def readable(program: Program) -> Program:
    """The program with the identities of this module too."""
    return repeat(program, (fold, read, plainly, identities, sink, leading, share))


def repeat(program: Program, rules: Any) -> Program:
    """Rewrite until it gets no shorter."""
    for _ in range(4):
        made = prune(rewrite(program, rules))
        if len(made.equations) == len(program.equations) and program.equations:
            same = all(
                type(a.primitive) is type(b.primitive)
                for a, b in zip(made.equations, program.equations, strict=True)
            )
            if same:
                return made
        program = made
    return program


def fold(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """The value of an equation of constants, where it is a number or as good as one."""
    if like.is_several or not operands or not all(map(is_constant, operands)):
        return None
    if type(primitive) is Stretch or any(np.size(x) > 1 << 16 for x in operands):
        return None
    if not isinstance(primitive, Elementwise) and like.shape:
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(primitive.evaluate(*operands))
    if value.shape != like.shape:
        return None
    if value.ndim and uniform(value) is None and value.size > LARGEST:
        return None
    return value[()]
