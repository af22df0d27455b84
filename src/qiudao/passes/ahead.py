"""What a loop computes of its slices alone is computed for all steps at once, before the loop.

What does not wait for the step before can be done side by side: products of a matrix with a vector
a step are one product of matrices, functions of few numbers a step are vectors long enough.  The
loop reads the rows of the results; which ones, `cut.py` finds: the fewest values such that nothing
dear is left inside.
"""

from __future__ import annotations

from ..core.avals import aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, Program, operands_of
from .costs import is_dear
from .cut import smallest_cut
from .opened import Loop, Writer, cone, each_loop, typed
from .stacking import Operand, Rule, rule_of

ROOM = 1 << 26  # bytes that the results of one loop may take
STEPS = 8  # of a loop from which it pays
SMALL = 4096  # elements of a result up to which steps are computed together


def ahead(program: Program) -> Program:
    """The program whose loops compute only what waits for the step before."""
    return each_loop(program, go_ahead)


def go_ahead(loop: Loop, writer: Writer) -> bool:
    """Change one loop; whether there was anything to change."""
    if loop.length < STEPS:
        return False
    free = stepwise(loop)
    found = worth_stacking(loop, free)
    if not found:
        return False
    needed = cone(found, free)
    stacks: dict[Node, Atom] = dict(loop.slices)
    outside: dict[Node, Atom] = {leaf: typed(x, leaf) for leaf, x in loop.constants}

    def operand(x: Atom) -> Operand:
        shape = aval_of(x).shape
        if not isinstance(x, Node):
            return Operand(x, shape, False)
        return Operand(stacks[x], shape, True) if x in stacks else Operand(outside[x], shape, False)

    for e in loop.equations:
        if e in needed:
            operands = [operand(x) for x in operands_of(e)]
            stacks[e] = free[e](writer, e, operands, loop.length)
    for e in found:
        loop.replace(e, loop.slice_of(stacks[e]))
    return True


def stepwise(loop: Loop) -> dict[Equation, Rule]:
    """The equations that depend on slices and constants alone, and what computes them together."""
    constants = {leaf for leaf, _ in loop.constants}
    moved: set[Node] = {leaf for leaf, _ in loop.slices}
    free: dict[Equation, Rule] = {}
    for e in loop.equations:
        nodes = [x for x in operands_of(e) if isinstance(x, Node)]
        if all(x in moved or x in constants for x in nodes) and not moved.isdisjoint(nodes):
            rule = rule_of(e)
            if rule is not None:
                moved.add(e)
                free[e] = rule
    return free


def worth_stacking(loop: Loop, free: dict[Equation, Rule]) -> list[Equation]:
    """The values whose rows the loop should read, none where that does not pay."""
    dear = {e for e in free if is_dear(e) and aval_of(e).size <= SMALL}
    if not dear:
        return []
    rest = [e for e in loop.equations if e not in free]
    read = {x for e in rest for x in operands_of(e) if isinstance(x, Equation) and x in free}
    read.update(y for y in loop.outs() if isinstance(y, Equation) and y in free)
    sizes = {e: max(aval_of(e).size * e.dtype.itemsize, 1) for e in free}
    operands = {
        e: [x for x in operands_of(e) if isinstance(x, Equation) and x in free] for e in free
    }
    found = smallest_cut(list(free), operands, sizes, dear, read)
    return found if sum(sizes[e] for e in found) * loop.length <= ROOM else []
