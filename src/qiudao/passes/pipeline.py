"""The passes, in order, each with what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..core.program import Program, apply, operands_of, with_bodies
from ..ops.control import Rows, Structured
from .ahead import ahead
from .alike import alike
from .bounds import bounds
from .builder import rewrite
from .fold import fold
from .identities import identities, sink
from .narrow import narrow
from .opened import Writer
from .prune import prune
from .remember import remember
from .rows import by_rows
from .settle import settle
from .share import share
from .together import together


class Pass(NamedTuple):
    """A step of the pipeline."""

    name: str
    why: str
    run: Callable[[Program], Program]


def simplify(program: Program) -> Program:
    """Constants, identities, broadcasts and common subexpressions, in one walk."""
    return rewrite(program, (fold, identities, sink, share))


def settled(program: Program) -> Program:
    """Loops without what is the same in every step, which loops may share."""
    changed = settle(program)
    moved = len(changed.equations) != len(program.equations)
    return prune(simplify(changed)) if moved else changed


def inside(program: Program) -> Program:
    """The program with the bodies of its loops and branches optimised."""
    return bodies(program, optimise)


def lightened(program: Program) -> Program:
    """Loops that leave to what is around them all that does not wait for the step before."""
    changed = together(ahead(remember(program)))
    return program if changed is program else narrow(prune(simplify(changed)))


def blocked(program: Program) -> Program:
    """Work by rows in blocks, whose bodies are simplified too; they hold no loops."""
    return bodies(by_rows(program), lambda block: prune(simplify(block)), Rows)


PIPELINE = (
    Pass("prune", "drop what nothing reads, so that no later pass looks at it", prune),
    Pass("narrow", "drop results of loops that nothing reads", narrow),
    Pass("bounds", "settle what is asked of integers that a dtype does not hold", bounds),
    Pass("simplify", "fold constants, apply identities, sink broadcasts, share", simplify),
    Pass("prune again", "drop what the identities have made unused", prune),
    Pass("alike", "compute once what is the same in many directions of a Jacobian", alike),
    Pass("settle", "compute once, before a loop, what is the same in every step", settled),
    Pass("bodies", "optimise the bodies of loops and branches likewise", inside),
    Pass(
        "loops", "stack what loops would compute again, and work for all steps at once", lightened
    ),
    Pass("rows", "run what works by rows block by block, within the cache", blocked),
)


def optimise(program: Program, seen: Callable[[str, Program], None] | None = None) -> Program:
    """The program after every pass; `seen` is shown each intermediate program."""
    for each in PIPELINE:
        program = each.run(program)
        if seen is not None:
            seen(each.name, program)
    return program


def bodies(
    program: Program, change: Callable[[Program], Program], kind: type = Structured
) -> Program:
    """The program with the bodies inside its primitives of a kind changed."""
    if not any(isinstance(e.primitive, kind) for e in program.equations):
        return program
    writer = Writer(program)
    for e in program.equations:
        if isinstance(e.primitive, kind):
            operands = [writer.atom(x) for x in operands_of(e)]
            made = apply(with_bodies(e.primitive, change), operands, None, e)
            writer.defined[e] = made
            writer.equations.append(made)
        else:
            writer.copy(e)
    return writer.written()
