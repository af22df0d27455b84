"""From a computed value to a tensor with an equation behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.avals import Value, is_inexact
from ..core.modes import modes, raised
from ..core.node import Equation, Node, next_number
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.source import caller, users
from .cut import Cut, mode_that_cuts
from .guard import COPIED, Guard, copy_of

if TYPE_CHECKING:
    from .tensor import Tensor


def equation_for(
    primitive: Primitive,
    values: Sequence[Value],
    parents: Sequence[Node | None],
    out: Value,
) -> Equation:
    """The equation that computed `out`, keeping what the rules of `primitive` read."""
    node = Equation()
    node.number = next_number()
    node.notes = None
    node.primitive = primitive
    node.parents = tuple(parents)
    operands = primitive.keep(values, node.parents)
    if None in parents:
        operands = tuple(
            [
                held(node, x) if p is None and isinstance(x, np.ndarray) else x
                for x, p in zip(operands, parents)
            ]
        )
    node.operands = operands
    node.out = out if primitive.keeps_out else None
    node.code, node.offset = users(sys._getframe(3))  # beyond `record`, and who calls that
    if isinstance(out, tuple):
        node.shape = node.dtype = None  # type: ignore[assignment]
    else:
        node.shape = out.shape
        node.dtype = out.dtype
    return node


def held(node: Equation, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A caller's array, safe from later changes: copied, or watched when it is huge."""
    if array.nbytes <= COPIED or array.dtype.char not in "fdFD":
        return copy_of(array)
    node.noted().guards.append(Guard(array))
    return array


def record(
    primitive: Primitive,
    values: Sequence[Value],
    parents: Sequence[Node | None],
    out: Value,
    like: Tensor,
) -> Value:
    """The result of an operation as a tensor of the level of `like`, or several."""
    make = like.spawn
    if primitive.is_plain:
        return out
    known = parents.count(None) < len(parents)
    is_off = raised.count and like.level < modes.floor
    if not known or is_off or primitive.is_constant:
        cut = cut_by(primitive) if known else like.cut
        if isinstance(out, tuple):
            return tuple(make(part, None, cut) for part in out)
        return make(out, None, cut)
    node = equation_for(primitive, values, parents, out)
    if isinstance(out, tuple):  # whole numbers and truth values among them carry no derivative
        return tuple(
            make(part, place if is_inexact(part.dtype) else None, None)
            for part, place in parts_of(node, out)
        )
    return make(out, node, None)


def cut_by(primitive: Primitive) -> Cut:
    """Why the result of recorded operands is a constant."""
    if primitive.is_constant:
        return Cut(f"{primitive.label}, which no derivative passes,", caller())
    return Cut(mode_that_cuts(), caller())


def parts_of(node: Equation, out: tuple[Value, ...]) -> Iterator[tuple[Value, Equation]]:
    """Each of several results of `node`, with a place of its own in the graph."""
    for i, part in enumerate(out):
        yield part, equation_for(Part(i, len(out)), (part,), (node,), part)
