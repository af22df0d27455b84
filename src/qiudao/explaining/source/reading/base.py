"""What the rules for readers share: where they are registered, how they write equations anew.

Rules of `looking_at` apply to what the derivative adds, and leave the user's own computation as it
was written; those of `idiom` say what NumPy says more simply, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....core.avals import aval_of
from ....core.node import Equation, Node, Role
from ....core.primitive import Primitive
from ....core.program import Atom, apply, stated
from ....core.roles import COTANGENT, role_of
from ....passes.builder import Builder, Operands

Look = Callable[[Builder, Any, Operands, Equation], "Atom | None"]


looks: dict[type[Primitive], list[Look]] = {}


def looking_at(*classes: type[Primitive]) -> Callable[[Look], Look]:
    """Register a rule for equations of these classes."""

    def register(look: Look) -> Look:
        for each in classes:
            looks.setdefault(each, []).append(look)
        return look

    return register


idioms: dict[type[Primitive], Look] = {}


def idiom(*classes: type[Primitive]) -> Callable[[Look], Look]:
    """Register a rule for equations of these classes."""

    def register(look: Look) -> Look:
        for each in classes:
            idioms[each] = look
        return look

    return register


def read(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """What the first rule that holds makes of an equation of the derivative."""
    if role_of(like) is None:
        return None
    for look in looks.get(type(primitive), ()):
        found = look(builder, primitive, operands, like)
        if found is not None and fits(found, like):
            return found
    return None


def plainly(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """What stands for an equation whose care the arguments do not need."""
    look = idioms.get(type(primitive))
    return None if look is None else look(builder, primitive, operands, like)


def fits(x: Atom, like: Equation) -> bool:
    """Whether an atom has the type of an equation's result."""
    aval = aval_of(x)
    return aval.shape == like.shape and (aval.dtype == like.dtype or aval.weak is not None)


def fitting(x: Atom, like: Equation) -> Atom | None:
    """An atom, where it has the type of an equation's result."""
    return x if fits(x, like) else None


def made_by(x: Atom, *classes: type[Primitive]) -> Equation | None:
    """The equation of the derivative behind an atom, where it is of one of the classes."""
    if isinstance(x, Equation) and type(x.primitive) in classes and role_of(x) is not None:
        return x
    return None


def factor(x: Atom) -> Any:
    """A constant that is one number, or None."""
    if isinstance(x, Node) or np.shape(x) or np.asarray(x).dtype.kind == "b":
        return None
    return x


def of_type(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Any:
    """A new equation where it has the type of `like`, else None."""
    aval = stated(primitive, operands)
    if aval is None or aval[:2] != (like.shape, like.dtype):
        return None
    return builder.emit(primitive, operands, like)


def emit_inner(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """A new equation that is a part of what `like` becomes."""
    part = apply(primitive, operands, stated(primitive, operands), like)
    part.role = bare_role(like)
    return builder.emit(primitive, operands, part)


def bare_role(like: Equation) -> Role:
    """The role of a part of an equation: not that of the whole."""
    return (role_of(like) or COTANGENT)._replace(code=None)


def inside_call(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom:
    """A new equation that is a part of what `like` becomes, whatever its role."""
    part = apply(primitive, operands, stated(primitive, operands), like)
    return builder.emit(primitive, operands, part)


def joined(a: Any, b: Any, function: np.ufunc) -> Any:
    """Two numbers as one, weak where both are."""
    with np.errstate(all="ignore"):
        value = function(a, b)
    both = {type(a), type(b)} <= {int, float, complex}
    return value.item() if both else value
