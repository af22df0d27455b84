"""Sums and differences, signs, and types."""

from __future__ import annotations

from typing import Any

from ....core.avals import aval_of
from ....core.node import Equation, Node
from ....core.program import Atom, operands_of
from ....ops.arithmetic import (
    Add,
    Divide,
    Multiply,
    Negative,
    Subtract,
    add,
    multiply,
    negative,
    subtract,
)
from ....ops.complexes import Conjugate, Real
from ....ops.indexing import GetItem, Place
from ....ops.reducing import Sum
from ....ops.selecting import Where
from ....ops.shaping import Cast, Reshape, Stretch
from ....ops.writing import SetItem
from ....passes.builder import Builder, Operands
from .base import emit_inner, factor, looking_at, made_by, of_type


@looking_at(Add)
def plain_sum(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A + a -> 2 a; two choices by one mask -> one choice of sums."""
    a, b = operands
    if a is b and isinstance(a, Node) and like.dtype.kind in "fc":
        return of_type(builder, multiply, (2, a), like)
    one, two = made_by(a, Where), made_by(b, Where)
    if one is not None and two is not None and operands_of(one)[0] is operands_of(two)[0]:
        mask, *first = operands_of(one)
        sums = [
            emit_inner(builder, add, (x, y), like)
            for x, y in zip(first, operands_of(two)[1:], strict=True)
        ]
        return of_type(builder, Where(), (mask, *sums), like)
    one, two = made_by(a, Place), made_by(b, Place)
    if one is not None and two is not None and one.primitive == two.primitive:
        total = emit_inner(builder, add, (*operands_of(one), *operands_of(two)), like)
        return of_type(builder, one.primitive, (total,), like)
    for x, y in ((a, b), (b, a)):
        whole = put_back(x, y)
        if whole is not None:
            return whole
    zero = factor(a) if factor(a) is not None else factor(b)
    if zero is not None and zero == 0:
        return b if factor(a) is not None else a
    negated = made_by(a, Negative)
    if negated is not None:
        return of_type(builder, subtract, (b, *operands_of(negated)), like)
    return None


def put_back(x: Atom, y: Atom) -> Atom | None:
    """A value of which a part was set to zero, and that part placed in zeros -> the value."""
    emptied, placed = made_by(x, SetItem), made_by(y, Place)
    if emptied is None or placed is None:
        return None
    whole, zero = operands_of(emptied)
    part = made_by(operands_of(placed)[0], GetItem)
    index = emptied.primitive.index  # type: ignore[attr-defined]
    if part is None or operands_of(part)[0] is not whole or factor(zero) is None or factor(zero):
        return None
    same = placed.primitive.index == part.primitive.index == index  # type: ignore[attr-defined]
    return whole if same else None


@looking_at(Subtract)
def plain_difference(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """0 - b -> -b, a - 0 -> a."""
    a, b = operands
    if factor(a) is not None and factor(a) == 0 and isinstance(b, Node):
        return of_type(builder, negative, (b,), like)
    if factor(b) is not None and factor(b) == 0 and isinstance(a, Node):
        return a
    return None


@looking_at(Negative)
def plain_negative(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """-(c x) -> (-c) x, -(a - b) -> b - a."""
    inner = made_by(operands[0], Multiply, Subtract, Divide)
    if inner is None:
        return None
    first, second = operands_of(inner)
    if type(inner.primitive) is Subtract:
        return of_type(builder, subtract, (second, first), like)
    if factor(first) is not None:
        return of_type(builder, inner.primitive, (-first, second), like)
    return None


@looking_at(Sum, Reshape, Stretch)
def sign_outside(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """sum(-x) -> -sum(x), and so for what only moves elements."""
    negated = made_by(operands[0], Negative)
    if negated is None or like.dtype.kind not in "fc":
        return None
    moved = emit_inner(builder, primitive, operands_of(negated), like)
    return of_type(builder, negative, (moved,), like)


@looking_at(Reshape)
def summed_away(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A sum that keeps its axes, and loses them then -> a sum."""
    inner = made_by(operands[0], Sum)
    if inner is None or not inner.primitive.keepdims:  # type: ignore[attr-defined]
        return None
    whole = Sum(inner.primitive.axes)  # type: ignore[attr-defined]
    return of_type(builder, whole, operands_of(inner), like)


@looking_at(Add, Subtract, Multiply)
def cast_by_itself(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """What is cast to the type that the other operand gives it anyway."""
    for k, x in enumerate(operands):
        inner = made_by(x, Cast)
        if inner is not None and aval_of(*operands_of(inner)).dtype.kind != "c":
            bare = (*operands[:k], *operands_of(inner), *operands[k + 1 :])
            return of_type(builder, primitive, bare, like)
    return None


@looking_at(Real, Conjugate)
def real_already(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The real part, or the conjugate, of what is real."""
    return operands[0] if aval_of(operands[0]).dtype.kind == "f" else None
