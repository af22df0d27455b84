"""A program in the primitives that the compiler knows: the others say how they are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.avals import Value
from ..core.modes import Running
from ..core.node import Node
from ..core.primitive import Primitive
from ..core.program import Program, inner_programs, operands_of, with_bodies
from .trace import Recording


def expands(program: Program) -> bool:
    """Whether anything in a program is made of simpler primitives."""
    return any(
        type(e.primitive).expand is not Primitive.expand
        or any(map(expands, inner_programs(e.primitive)))
        for e in program.equations
    )


def expanded(program: Program) -> Program:
    """The program with every primitive that can be expanded written out."""
    if not expands(program):
        return program
    recording = Recording()
    values: dict[Node, Value] = {x: recording.symbol(x) for x in program.inputs}
    with Running(recording.level, tracing=True), recording:
        for equation in program.equations:
            operands = [values[x] if isinstance(x, Node) else x for x in operands_of(equation)]
            before = len(recording.equations)
            values[equation] = written_out(equation.primitive, operands)
            for made in recording.equations[before:]:
                made.code, made.offset = equation.code, equation.offset
    outputs = [recording.atom(values[y]) if isinstance(y, Node) else y for y in program.outputs]
    return Program(program.inputs, recording.equations, outputs)


def written_out(primitive: Primitive, operands: Sequence[Any]) -> Value:
    """A primitive applied, expanded as far as it goes."""
    if any(map(expands, inner_programs(primitive))):
        primitive = with_bodies(primitive, expanded)
    found = primitive.expand(*operands)
    return primitive(*operands) if found is NotImplemented else found
