"""How a primitive is applied to all steps of a loop at once.

A rule writes a primitive for operands that have a leading axis of steps where they are *moved*, and
are the same in every step where not.  Axes count from the end, so most primitives stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..core.avals import Shape, aval_of
from ..core.families import Elementwise
from ..core.node import Equation
from ..core.program import Atom, operands_of
from ..ops.einsum import Einsum, split, unused
from ..ops.indexing import GetItem
from ..ops.products import MatMul
from ..ops.reducing import Max, Min, Prod, Sum, Truth
from ..ops.shaping import Cast, Copy, Flip, Reshape, Stretch, Transpose
from .opened import Writer


class Operand(NamedTuple):
    """An operand outside of the loop: its shape inside, and whether it has a row for each step."""

    value: Atom
    shape: Shape
    moved: bool


Operands = Sequence[Operand]
Rule = Callable[[Writer, Equation, Operands, int], Equation]


def rule_of(e: Equation) -> Rule | None:
    """What writes an equation for all steps, None where that cannot be done."""
    primitive = e.primitive
    axes: Sequence[int] = getattr(primitive, "axes", ())
    if e.is_several or any(a >= 0 for a in axes):
        return None
    if isinstance(primitive, Elementwise):
        return elementwise
    if isinstance(primitive, MatMul) and any(aval_of(x).ndim > 2 for x in operands_of(e)):
        return None
    return RULES.get(type(primitive))


def elementwise(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """The step is the first axis, before those along which an operand is broadcast."""
    aligned = [lifted(writer, e, x, len(e.shape), length) for x in operands]
    return writer.put(e.primitive, aligned, e)


def lifted(writer: Writer, e: Equation, x: Operand, ndim: int, length: int) -> Atom:
    """An operand with unit axes between the steps and its own axes, `ndim` in all."""
    missing = ndim - len(x.shape)
    if not x.moved or not missing:
        return x.value
    return writer.put(Reshape((length, *(1,) * missing, *x.shape)), (x.value,), e)


def as_it_is(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """Its axes count from the end."""
    return writer.put(e.primitive, [x.value for x in operands], e)


def reshape(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """The same elements a step."""
    (x,) = operands
    return writer.put(Reshape((length, *e.shape)), (x.value,), e)


def stretch(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """Broadcast within the steps."""
    (x,) = operands
    aligned = lifted(writer, e, x, len(e.shape), length)
    return writer.put(Stretch((length, *e.shape)), (aligned,), e)


def getitem(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """All steps, and of each the index."""
    (x,) = operands
    index = e.primitive.index  # type: ignore[attr-defined]
    return writer.put(GetItem((slice(None), *index)), (x.value,), e)


def matmul(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """A matrix times a vector a step is one product of matrices; the rest, a stack of products."""
    a, b = operands
    m, n = len(a.shape), len(b.shape)
    if not a.moved and m == 2 and n == 1:
        turned = writer.put(Transpose((-1, -2)), (a.value,), e)
        return writer.put(MatMul(), (b.value, turned), e)
    if (n == 2 or (m == 1 and not b.moved)) and (a.moved or m == 2) and not (m == 1 and b.moved):
        return writer.put(MatMul(), (a.value, b.value), e)
    if m == 2 and n == 1 and not b.moved:
        return writer.put(MatMul(), (a.value, b.value), e)
    left, right = "ij"[2 - m :], "jk"[:n]
    out = ("i" if m == 2 else "") + ("k" if n == 2 else "")
    spec = f"{'n' * a.moved}{left},{'n' * b.moved}{right}->n{out}"
    return writer.put(Einsum(spec), (a.value, b.value), e)


def einsum(writer: Writer, e: Equation, operands: Operands, length: int) -> Equation:
    """One more letter."""
    a, b, out = split(e.primitive.spec)  # type: ignore[attr-defined]
    row = unused(a + b + out)
    first, second = (row * x.moved for x in operands)
    return writer.put(Einsum(f"{first}{a},{second}{b}->{row}{out}"), [x.value for x in operands], e)


RULES: dict[type, Rule] = {
    **dict.fromkeys((Transpose, Flip, Cast, Copy, Sum, Prod, Max, Min, Truth), as_it_is),
    Reshape: reshape,
    Stretch: stretch,
    GetItem: getitem,
    MatMul: matmul,
    Einsum: einsum,
}
