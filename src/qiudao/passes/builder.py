"""A program being rewritten: equations are read in order, and written anew through the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np

from ..core.avals import Aval
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, operands_of, stated

Operands = tuple[Atom, ...]
Rule = Callable[["Builder", Primitive, Operands, "Equation"], "Atom | None"]
"""What stands for the equation instead, or None where the rule has nothing to say."""


class Builder:
    """Writes the equations of a new program, each offered to the rules first."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.equations: list[Equation] = []
        self.defined: dict[Node, Atom] = {}  # what stands for a node of the old program
        self.seen: dict[Any, Atom] = {}  # equations by what they compute, arrays by their bytes
        self.constants: dict[int, tuple[Atom, Atom]] = {}  # by id: what stands for it, and itself

    def atom(self, x: Atom) -> Atom:
        """An operand of the old program in the new one."""
        return self.defined.get(x, x) if isinstance(x, Node) else x

    def emit(self, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
        """What computes `primitive` of the operands: an atom that is there, or a new equation."""
        for rule in self.rules:
            found = rule(self, primitive, operands, like)
            if found is not None:
                return found
        return self.kept(primitive, operands, like)

    def kept(self, primitive: Primitive, operands: Operands, like: Equation) -> Equation:
        """What computes `primitive` of the operands: the equation `like` itself, or a new one."""
        if primitive is like.primitive and all(map(is_, operands, operands_of(like))):
            self.equations.append(like)
            return like
        aval = (
            Aval(like.shape, like.dtype)
            if isinstance(primitive, Part)
            else stated(primitive, operands)
        )
        return self.add(primitive, operands, aval, like)

    def add(
        self, primitive: Primitive, operands: Operands, aval: Aval | None, like: Equation
    ) -> Equation:
        """A new equation of this type."""
        equation = apply(primitive, operands, aval, like)
        self.equations.append(equation)
        return equation


def rewrite(program: Program, rules: Sequence[Rule]) -> Program:
    """The program with each equation rewritten by the first rule that has something to say."""
    builder = Builder(rules)
    for equation in program.equations:
        operands = tuple([builder.atom(x) for x in operands_of(equation)])
        builder.defined[equation] = builder.emit(equation.primitive, operands, equation)
    return Program(program.inputs, builder.equations, [builder.atom(y) for y in program.outputs])


def is_constant(x: Atom) -> bool:
    """Whether an atom is a plain number or array."""
    return not isinstance(x, Node)


def uniform(x: Atom) -> Any:
    """The one number that a constant is everywhere, the sign of zero included, or None."""
    if isinstance(x, Node):
        return None
    if not isinstance(x, np.ndarray):
        return x
    if not x.size:
        return None
    first = x.reshape(-1)[0]
    if x.size == 1:
        return first
    return first if bool((x == first).all()) and (first != 0 or has_one_zero(x)) else None


def has_one_zero(x: np.ndarray[Any, Any]) -> bool:
    """Whether zeros are all of one sign."""
    parts = (x.real, x.imag) if x.dtype.kind == "c" else (x,)
    signs = [np.signbit(part) for part in parts if part.dtype.kind == "f"]
    return all(bool(s.all() or not s.any()) for s in signs)
