"""Products and quotients: numbers first and as one, powers, no quotients of quotients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core.node import Equation, Node
from ....core.program import Atom, operands_of
from ....ops.arithmetic import Divide, Multiply, Negative, Power, Scale, Weigh, multiply, negative
from ....ops.selecting import Where
from ....ops.smooth import Cosh, Sech
from ....passes.builder import Builder, Operands
from .base import emit_inner, factor, joined, looking_at, made_by, of_type

divide = Divide()


@looking_at(Multiply, Weigh, Scale)
def plain_product(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A product of numbers, powers and quotients, put in order."""
    a, b = operands
    if a is b and isinstance(a, Node) and like.dtype.kind == "f":
        return of_type(builder, Power(), (a, 2), like)
    for x, y in ((a, b), (b, a)):
        found = of_pair(builder, x, y, like)
        if found is not None:
            return found
    if type(primitive) is not Multiply:
        return builder.emit(multiply, operands, like)
    return None


def of_pair(builder: Builder, x: Atom, y: Atom, like: Equation) -> Any:
    """`x y`, looked at as what x is."""
    c = factor(x)
    inner = made_by(y, Multiply, Divide, Negative)
    if c is not None and inner is not None:
        first, *rest = operands_of(inner)
        if type(inner.primitive) is Negative:
            return of_type(builder, multiply, (-c, first), like)
        known = factor(first)
        if known is not None:
            number = joined(c, known, np.multiply)
            return of_type(builder, type(inner.primitive)(), (number, *rest), like)
    multiple = made_by(x, Multiply)
    if multiple is not None and c is None and isinstance(y, Node):
        first, second = operands_of(multiple)
        if factor(first) is not None and isinstance(second, Node):
            product = emit_inner(builder, multiply, (second, y), like)
            return of_type(builder, multiply, (first, product), like)
    negated = x if isinstance(x, Equation) and type(x.primitive) is Negative else None
    if negated is not None and like.dtype.kind in "fc":
        product = emit_inner(builder, multiply, (*operands_of(negated), y), like)
        return of_type(builder, negative, (product,), like)
    quotient = made_by(x, Divide)
    if quotient is not None:
        above, below = operands_of(quotient)
        if factor(above) is not None and factor(above) == 1:
            return of_type(builder, divide, (y, below), like)
        if factor(above) is not None and c is None and isinstance(y, Node):
            scaled = emit_inner(builder, multiply, (above, y), like)
            return of_type(builder, divide, (scaled, below), like)
    sech = made_by(x, Sech)
    if sech is not None:
        below = emit_inner(builder, Cosh(), operands_of(sech), like)
        return of_type(builder, divide, (y, below), like)
    power = made_by(x, Power)
    if power is not None:
        base, exponent = operands_of(power)
        sech = made_by(base, Sech)
        if sech is not None and factor(exponent) is not None:
            cosh = emit_inner(builder, Cosh(), operands_of(sech), like)
            below = emit_inner(builder, Power(), (cosh, exponent), like)
            return of_type(builder, divide, (y, below), like)
    choice = made_by(x, Where)
    if choice is not None and isinstance(y, Node) | (factor(y) is not None):
        return chosen(builder, multiply, choice, y, like)
    return None


@looking_at(Divide)
def plain_quotient(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A quotient of quotients and of choices."""
    a, b = operands
    negated = made_by(a, Negative)
    if negated is not None and like.dtype.kind in "fc":
        quotient = emit_inner(builder, divide, (*operands_of(negated), b), like)
        return of_type(builder, negative, (quotient,), like)
    multiple = made_by(a, Multiply)
    if multiple is not None and factor(b) is None:
        first, second = operands_of(multiple)
        if factor(first) is not None and isinstance(second, Node):
            ratio = emit_inner(builder, divide, (second, b), like)
            return of_type(builder, multiply, (first, ratio), like)
    inner = made_by(a, Divide)
    if inner is not None and operands_of(inner)[1] is b and like.dtype.kind == "f":
        square = emit_inner(builder, Power(), (b, 2), like)
        return of_type(builder, divide, (operands_of(inner)[0], square), like)
    choice = made_by(a, Where)
    if choice is not None and isinstance(b, Node):
        return chosen(builder, divide, choice, b, like)
    return None


def chosen(builder: Builder, primitive: Any, choice: Equation, y: Atom, like: Equation) -> Any:
    """where(m, a, 0) y -> where(m, a y, 0)."""
    mask, yes, no = operands_of(choice)
    for k, (zero, other) in enumerate(((no, yes), (yes, no))):
        if factor(zero) is None or factor(zero) != 0:
            continue
        inside = emit_inner(builder, primitive, (other, y), like)
        branches = (inside, zero) if k == 0 else (zero, inside)
        return of_type(builder, Where(), (mask, *branches), like)
    return None
