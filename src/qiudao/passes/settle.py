"""What is the same in every step of a loop is computed once, before it."""

from __future__ import annotations

from ..core.node import Equation, Node
from ..core.program import Atom, Program, operands_of
from ..ops.control import Scan
from ..ops.indexing import GetItem
from ..ops.shaping import Copy, Flip, Reshape, Stretch, Transpose
from .builder import rewrite, uniform
from .opened import Loop, Recorded, Writer, cone, each_loop, emitted, repeated, typed
from .share import atom_key, share

VIEWS = (Reshape, Transpose, Stretch, GetItem, Flip, Copy)


def merged(program: Program) -> Program:
    """The program that computes nothing twice, in its loops and around them, nor gives it twice.

    To be done before a derivative is taken: of what a loop is given twice it has two gradients.
    """
    if not any(isinstance(e.primitive, Scan) for e in program.equations):
        return program
    return each_loop(rewrite(program, (share,)), merge_within)


def merge_within(loop: Loop, writer: Writer) -> bool:
    """Give one loop nothing twice; whether it was."""
    if not merge(loop):
        return False
    body = rewrite(loop.body(), (share,))
    loop.equations, loop.replaced = body.equations, {}
    made = iter(body.outputs)
    for carry in loop.carries:
        carry.out = next(made)
    for stacked in loop.stacked:
        stacked.out = next(made)
    return True


def settle(program: Program) -> Program:
    """The program whose loops carry nothing that stays as it is, and read nothing twice.

    A loop without steps is left alone: what it would compute may not be computable.
    """
    return each_loop(program, settle_loop)


def settle_loop(loop: Loop, writer: Writer) -> bool:
    """Change one loop; whether there was anything to change."""
    if loop.length < 1:
        return False
    given = give_numbers(loop)
    merged = merge(loop)
    carried = drop_still_carries(loop, writer)
    moved = move_out(loop, writer)
    return given or merged or carried or moved


def give_numbers(loop: Loop) -> bool:
    """A constant that is one number everywhere is known within, and not read."""
    known = [(leaf, x) for leaf, x in loop.constants if uniform(x) is not None]
    for leaf, x in known:
        loop.constants.remove((leaf, x))
        loop.replace(leaf, typed(x, leaf))
    return bool(known)


def merge(loop: Loop) -> bool:
    """Constants and slices that are one array outside are one inside."""
    changed = False
    for pairs in (loop.constants, loop.slices):
        first: dict[object, Node] = {}
        for leaf, x in tuple(pairs):
            key = (leaf.dtype, atom_key(x))
            if key in first:
                loop.replace(leaf, first[key])
                pairs.remove((leaf, x))
                changed = True
            first.setdefault(key, leaf)
    return changed


def drop_still_carries(loop: Loop, writer: Writer) -> bool:
    """A carry that each step hands on as it is becomes a constant."""
    still = [c for c in loop.carries if c.out is c.leaf]
    for carry in still:
        loop.carries.remove(carry)
        loop.constants.append((carry.leaf, carry.first))
        value = typed(carry.first, carry.leaf)
        loop.results[carry] = value
        for result in loop.before:
            if isinstance(result, Recorded) and result.carry is carry:
                loop.results[result] = repeated(writer, value, loop.length, loop.equation)
    return bool(still)


def move_out(loop: Loop, writer: Writer) -> bool:
    """What depends on constants alone is computed before the loop."""
    outside: dict[Node, Atom] = {leaf: typed(x, leaf) for leaf, x in loop.constants}
    for leaf, by in loop.replaced.items():
        if not isinstance(by, Node) or by in outside:
            outside[leaf] = outside[by] if isinstance(by, Node) else by
    fixed: set[Node] = set(outside)
    for e in loop.equations:
        nodes = [x for x in operands_of(e) if isinstance(x, Node)]
        if nodes and fixed.issuperset(nodes):
            fixed.add(e)
    wanted: set[Equation] = set()
    readers = [e for e in loop.equations if e not in fixed]
    stack = [x for e in readers for x in operands_of(e)]
    stack += loop.outs()
    while stack:
        x = stack.pop()
        if not isinstance(x, Equation) or x not in fixed:
            continue
        if isinstance(x.primitive, VIEWS):
            stack.extend(operands_of(x))  # which cost nothing where they are
        else:
            wanted.add(x)
    if not wanted:
        return False
    needed = cone(wanted, fixed)
    emitted([e for e in loop.equations if e in needed], outside, writer)
    for e in [e for e in loop.equations if e in wanted]:
        loop.replace(e, loop.constant(outside[e]))
    return True
