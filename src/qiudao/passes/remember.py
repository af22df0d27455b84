"""A loop that goes back need not compute again what the loop before it has computed.

Reverse mode goes back through a loop by a second one, which is given the carry before each step,
and computes from that what the step computed.  What is dear in it, the first loop stacks, and the
second reads: the fewest values such that the rest is cheap (`cut.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..core.avals import aval_of
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Atom, Program, operands_of
from ..ops.control import Scan
from .costs import is_dear, waits
from .cut import WIDEST, smallest_cut
from .opened import Loop, Recorded, Result, Writer
from .share import COMMUTATIVE, atom_key

CACHED = 4 << 20  # bytes that are read again before they have left the cache
ROOM = 1 << 28  # bytes that the values that are kept of one loop may take


class Kept(NamedTuple):
    """A value of a loop that a later loop reads: the equations that compute it in both."""

    earlier: Equation  # the scans
    value: Equation
    again: Equation


def remember(program: Program) -> Program:
    """The program whose loops stack what later loops would compute again."""
    scans = [e for e in program.equations if isinstance(e.primitive, Scan)]
    if len(scans) < 2:
        return program
    loops = {e: Loop(e, operands_of(e)) for e in scans}
    kept = {later: shared_values(loops, later) for later in scans}
    if not any(kept.values()):
        return program
    return written(program, loops, kept)


def written(
    program: Program, loops: dict[Equation, Loop], kept: dict[Equation, list[Kept]]
) -> Program:
    """The program with these values stacked by the earlier loops and read by the later."""
    writer = Writer(program)
    results: dict[Equation, dict[Result, Atom]] = {}
    stacks: dict[Equation, Result] = {}  # by the value that is stacked
    for each in (k for own in kept.values() for k in own):
        loop = loops[each.earlier]
        known = next((y for y in loop.stacked if y.out is each.value), None)
        stacks[each.value] = known or loop.stack(each.value)
    changed = {k.earlier for own in kept.values() for k in own}
    changed |= {later for later, own in kept.items() if own}
    for e in program.equations:
        (whole,) = operands_of(e) if isinstance(e.primitive, Part) else (None,)
        if e in changed:
            loop = loops[e]
            loop.given([writer.atom(x) for x in operands_of(e)])
            for each in kept[e]:
                stack = results[each.earlier][stacks[each.value]]
                loop.replace(each.again, loop.slice_of(stack))
            results[e] = loop.close(writer)
        elif whole in results:
            index = e.primitive.index  # type: ignore[attr-defined]  # of a Part
            writer.defined[e] = results[whole][loops[whole].before[index]]
        else:
            writer.copy(e)
    return writer.written()


def shared_values(loops: dict[Equation, Loop], later: Equation) -> list[Kept]:
    """What a loop had better read from the loops whose stacks it steps through."""
    found: list[Kept] = []
    loop = loops[later]
    owners = {
        operands_of(x)[0]: None
        for _, x in loop.slices
        if isinstance(x, Equation) and isinstance(x.primitive, Part)
    }
    for earlier in owners:
        if earlier in loops and loops[earlier].length == loop.length:
            again = computed_again(earlier, loops[earlier], loop)
            if again:
                found += [Kept(earlier, again[e], e) for e in worth_keeping(loop, again)]
    return found


def computed_again(whole: Equation, earlier: Loop, later: Loop) -> dict[Equation, Equation]:
    """The equations of a later loop that compute what equations of an earlier one did."""
    numbers: dict[Any, int] = {}
    inside: dict[Node, int] = {}
    nodes: dict[int, Equation] = {}
    for leaf, x in earlier.constants:
        inside[leaf] = numbers.setdefault(("constant", leaf.dtype, atom_key(x)), len(numbers))
    for carry in earlier.carries:
        inside[carry.leaf] = numbers.setdefault(("carry", carry), len(numbers))
    for leaf, x in earlier.slices:
        inside[leaf] = numbers.setdefault(("row", atom_key(x)), len(numbers))
    for e in earlier.equations:
        key = equation_key(e, inside)
        inside[e] = numbers.setdefault(key, len(numbers))
        nodes.setdefault(inside[e], e)
    own: dict[Node, int] = {}
    for leaf, x in later.constants:
        number = numbers.get(("constant", leaf.dtype, atom_key(x)))
        if number is not None:
            own[leaf] = number
    for leaf, x in later.slices:
        number = numbers.get(("row", atom_key(x)))
        if isinstance(x, Equation) and isinstance(x.primitive, Part) and operands_of(x)[0] is whole:
            result = earlier.before[x.primitive.index]
            inner = result.carry.leaf if isinstance(result, Recorded) else result.out
            number = None if result in earlier.carries else inside.get(inner)
        if number is not None:
            own[leaf] = number
    again: dict[Equation, Equation] = {}
    for e in later.equations:
        if all(x in own for x in operands_of(e) if isinstance(x, Node)):
            number = numbers.get(equation_key(e, own))
            if number is not None:
                own[e] = number
                again[e] = nodes[number]
    return again


def equation_key(e: Equation, numbers: dict[Node, int]) -> Any:
    """Equal for equations that compute the same of the same operands."""
    primitive = e.primitive
    keys: list[Any] = [numbers[x] if isinstance(x, Node) else atom_key(x) for x in operands_of(e)]
    if isinstance(primitive, COMMUTATIVE):
        keys.sort(key=repr)
    part = (primitive.index, primitive.count) if isinstance(primitive, Part) else primitive
    return (type(primitive), part, *keys)


def worth_keeping(loop: Loop, again: dict[Equation, Equation]) -> Sequence[Equation]:
    """Of the equations that compute something again, those to read instead."""
    rest = [e for e in loop.equations if e not in again]
    read = {x for e in rest for x in operands_of(e) if isinstance(x, Equation) and x in again}
    read.update(y for y in loop.outs() if isinstance(y, Equation) and y in again)
    sizes = {
        e: WIDEST if e.is_several else max(aval_of(e).size * e.dtype.itemsize, 1) for e in again
    }
    operands = {
        e: [x for x in operands_of(e) if isinstance(x, Equation) and x in again] for e in again
    }
    dear = {e for e in again if is_dear(e)}
    for wanted, room in ((dear | set(filter(waits, again)), min(CACHED, ROOM)), (dear, ROOM)):
        found = smallest_cut(list(again), operands, sizes, wanted, read)
        if sum(sizes[e] for e in found) * loop.length <= room:
            return found
    return []
