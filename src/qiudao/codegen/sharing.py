"""Whether a result may be written into the memory of an input: nothing reads that afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Program, operands_of
from ..ops.control import Rows, Scan, While
from ..ops.writing import Put
from .maps import Map, identity
from .native import is_fused
from .plan import LOOPS, Plan, Root


def may_share(program: Program, k: int, j: int) -> bool:
    """Whether output `j` of a program may lie where its input `k` does, of the same type.

    So it is where the output is computed element by element, in a loop in which the input is read
    at the same element or not at all; where it is the input with a part written anew; and where it
    is what becomes of the input in a loop.  All else must have read the input before.
    """
    x, y = program.inputs[k], program.outputs[j]
    if not isinstance(y, Equation) or any(z is x for z in program.outputs):
        return False
    if any(z is y for z in program.outputs[:j]):
        return False
    plan = Plan(program, is_fused)
    root = plan.roots.get(y)
    if root is None:
        return False
    every = list(reads(plan, x))
    others = [(r, at) for r, at in every if r is not root]
    if root.kind == "map":
        return all(r.level < root.level or is_beside(r, at, root) for r, at in every)
    if root.kind == "write":
        return root.base is x and all(
            r.level < root.start or (r in root.regions and at == r.to) for r, at in others
        )
    if root.kind == "call":
        called = plan.roots[operands_of(y)[0]] if isinstance(y.primitive, Part) else root
        result = y.primitive.index if isinstance(y.primitive, Part) else 0
        before = all(r.level < called.level for r, _ in others if r is not called)
        return before and becomes(called.equation, x, result)
    return False


def reads(plan: Plan, x: Node) -> Iterator[tuple[Root, Map | None]]:
    """The roots that read an input, and where."""
    every = {r for level in plan.levels for r in level} | set(plan.roots.values())
    for root in every:
        for read, at in root.reads:
            if read is x:
                yield root, at


def is_beside(root: Root, at: Map | None, other: Root) -> bool:
    """Whether a read happens in the loops of another root, at the element that this one stores."""
    same = root.level == other.level and root.nest == other.nest and root.kind in LOOPS
    return same and at == identity(other.space)


def becomes(e: Equation, x: Node, result: int) -> bool:
    """Whether a result of a call is what becomes of its operand `x`, which it reads once."""
    operands = operands_of(e)
    places = [k for k, operand in enumerate(operands) if operand is x]
    if len(places) != 1:
        return False
    (place,) = places
    primitive = e.primitive
    if isinstance(primitive, Put):
        return place == 0
    if isinstance(primitive, Scan | While):
        return result < primitive.carries and place == primitive.constants + result
    if isinstance(primitive, Rows):
        rows = len(primitive.body.outputs) - primitive.sums
        programs = [p for p in (primitive.body, primitive.tail) if p is not None]
        return (
            result < rows
            and place >= primitive.constants
            and all(may_share(p, place, result) for p in programs)
        )
    return False
