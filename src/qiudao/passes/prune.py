"""Dead code: equations that no output needs."""

from __future__ import annotations

from ..core.node import Equation, Node
from ..core.program import Program


def prune(program: Program) -> Program:
    """The program without the equations that nothing reads."""
    needed: set[Node | None] = {y for y in program.outputs if isinstance(y, Node)}
    kept: list[Equation] = []
    for equation in reversed(program.equations):
        if equation in needed:
            kept.append(equation)
            needed.update(equation.parents)
    kept.reverse()
    return Program(program.inputs, kept, program.outputs)
