"""The passes, in order, each with what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..core.avals import Aval
from ..core.node import Equation, Node
from ..core.program import Program, apply, inner_programs, operands_of, with_bodies
from ..ops.control import Rows
from .builder import rewrite
from .fold import fold
from .identities import identities, sink
from .narrow import narrow
from .prune import prune
from .rows import by_rows
from .share import share


class Pass(NamedTuple):
    """A step of the pipeline."""

    name: str
    why: str
    run: Callable[[Program], Program]


def simplify(program: Program) -> Program:
    """Constants, identities, broadcasts and common subexpressions, in one walk."""
    return rewrite(program, (fold, identities, sink, share))


PIPELINE = (
    Pass("prune", "drop what nothing reads, so that no later pass looks at it", prune),
    Pass("narrow", "drop results of loops that nothing reads", narrow),
    Pass("simplify", "fold constants, apply identities, sink broadcasts, share", simplify),
    Pass("prune again", "drop what the identities have made unused", prune),
    Pass("rows", "run what works by rows block by block, within the cache", by_rows),
)


def optimise(program: Program, seen: Callable[[str, Program], None] | None = None) -> Program:
    """The program after every pass; `seen` is shown each intermediate program."""
    for each in PIPELINE:
        program = each.run(program)
        if seen is not None:
            seen(each.name, program)
    return inside(program)


def inside(program: Program) -> Program:
    """The program with the bodies of its loops and branches optimised too."""
    if not any(True for e in program.equations for _ in inner_programs(e.primitive)):
        return program
    defined: dict[Node, Node] = {}
    equations: list[Equation] = []
    for equation in program.equations:
        operands = [defined.get(x, x) if isinstance(x, Node) else x for x in operands_of(equation)]
        aval = None if equation.is_several else Aval(equation.shape, equation.dtype)
        primitive = equation.primitive
        primitive = with_bodies(primitive, within if isinstance(primitive, Rows) else optimise)
        made = apply(primitive, operands, aval, equation)
        defined[equation] = made
        equations.append(made)
    outputs = [defined.get(y, y) if isinstance(y, Node) else y for y in program.outputs]
    return Program(program.inputs, equations, outputs)


def within(program: Program) -> Program:
    """A block of rows, which is not cut into blocks again."""
    return inside(prune(simplify(program)))
