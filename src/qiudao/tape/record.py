"""From a computed value to a tensor with an equation behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.avals import Value
from ..core.modes import modes
from ..core.node import Equation, Node, next_number
from ..core.primitive import Primitive
from ..core.source import caller
from .cut import Cut
from .guard import Guard
from .parts import Part

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
    operands = primitive.keep(values, parents)
    for i, x in enumerate(operands):
        if type(x) is np.ndarray and parents[i] is None:
            operands = protect(node, operands, i)
    node.operands = operands
    node.out = out if primitive.keeps_out else None
    node.code, node.offset = caller()
    if isinstance(out, tuple):
        node.shape = node.dtype = None  # type: ignore[assignment]
    else:
        node.shape = out.shape
        node.dtype = out.dtype
    return node


SMALL = 1 << 13  # bytes below which a copy is cheaper than a fingerprint


def protect(node: Equation, operands: tuple[Value, ...], i: int) -> tuple[Value, ...]:
    """Hold a caller's array against later changes: copy a small one, fingerprint a large one."""
    array: np.ndarray[Any, Any] = operands[i]
    if array.dtype.kind not in "fc":
        held: Any = array.copy()
    elif array.nbytes <= SMALL:
        held = array.copy()
    else:
        held = array
        node.noted().guards.append(Guard(array))
    return (*operands[:i], held, *operands[i + 1 :])


def record(
    primitive: Primitive,
    values: Sequence[Value],
    parents: Sequence[Node | None],
    out: Value,
    like: Tensor,
) -> Value:
    """The result of an operation as a tensor of the level of `like`, or several."""
    make = like.spawn
    if primitive.is_constant:
        return out
    known = any(p is not None for p in parents)
    if not known or like.level < modes.floor:
        cut = Cut("qd.no_grad()", caller()) if known else like.cut
        if isinstance(out, tuple):
            return tuple(make(part, None, cut) for part in out)
        return make(out, None, cut)
    node = equation_for(primitive, values, parents, out)
    if isinstance(out, tuple):
        return tuple(make(part, place, None) for part, place in parts_of(node, out))
    return make(out, node, None)


def parts_of(node: Equation, out: tuple[Value, ...]) -> Iterator[tuple[Value, Equation]]:
    """Each of several results of `node`, with a place of its own in the graph."""
    for i, part in enumerate(out):
        yield part, equation_for(Part(i, len(out)), (part,), (node,), part)
