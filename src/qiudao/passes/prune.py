"""Dead code: equations that no output needs."""

from __future__ import annotations

from ..core.node import Equation, Node
from ..core.program import Program, operands_of


def prune(program: Program) -> Program:
    """The program without the equations that nothing reads."""
    needed = {y for y in program.outputs if isinstance(y, Node)}
    kept: list[Equation] = []
    for equation in reversed(program.equations):
        if equation in needed:
            kept.append(equation)
            needed.update([x for x in operands_of(equation) if isinstance(x, Node)])
    kept.reverse()
    return Program(program.inputs, kept, program.outputs)
