"""Algebraic identities, each exact for every value: NaN, infinity and the sign of zero included.

A rule is registered for the class of primitive that it looks at.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.families import Additive, Elementwise
from ..core.node import Equation, Node
from ..core.primitive import Primitive
from ..core.program import Atom, operands_of, stated
from ..ops.arithmetic import (
    Add,
    Divide,
    Multiply,
    Negative,
    Positive,
    Subtract,
    Weigh,
    add,
    multiply,
    negative,
    subtract,
)
from ..ops.indexing import GetItem, Place, dummy
from ..ops.reducing import Sum
from ..ops.selecting import Where
from ..ops.shaping import Cast, Concatenate, Copy, Reshape, Stretch, Transpose
from ..ops.stopping import StopGradient
from ..ops.writing import SetItem
from .builder import Builder, Operands, uniform

Look = Callable[[Builder, Primitive, Operands, Equation], "Atom | None"]
looks: dict[type[Primitive], list[Look]] = {}


def looking_at(*classes: type[Primitive]) -> Callable[[Look], Look]:
    """Register a rule for equations of these classes."""

    def register(look: Look) -> Look:
        for each in classes:
            looks.setdefault(each, []).append(look)
        return look

    return register


def identities(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """What the first identity that holds makes of the equation."""
    for look in looks.get(type(primitive), ()):
        found = look(builder, primitive, operands, like)
        if found is not None:
            return found
    return None


def computed_by(x: Atom, *classes: type[Primitive]) -> Equation | None:
    """The equation behind an atom, where its primitive is of one of the classes."""
    return x if isinstance(x, Equation) and type(x.primitive) in classes else None


def fits(x: Atom, like: Equation) -> bool:
    """Whether an atom has the type of an equation's result, and is no weak number."""
    aval = aval_of(x)
    return aval.weak is None and aval.shape == like.shape and aval.dtype == like.dtype


def is_number(x: Atom, value: float) -> bool:
    """Whether an atom is a constant, everywhere equal to `value`, of the same sign of zero."""
    found = uniform(x)
    if found is None or np.iscomplexobj(found):
        return False
    return bool(found == value) and bool(np.signbit(found) == np.signbit(value))


@looking_at(Copy, Positive, StopGradient)
def same(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """X -> x: values of a program never change."""
    return operands[0] if fits(operands[0], like) else None


@looking_at(Reshape, Transpose, Stretch, Cast)
def nothing_moved(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """X in the shape, order and dtype that it has -> x."""
    if isinstance(primitive, Transpose):
        n = len(primitive.axes)
        if primitive.axes != tuple(range(-n, 0)):
            return None
    return operands[0] if fits(operands[0], like) else None


@looking_at(Reshape)
def reshaped_twice(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """reshape(reshape(x)) -> reshape(x)."""
    inner = computed_by(operands[0], Reshape)
    return builder.emit(primitive, operands_of(inner), like) if inner else None


@looking_at(Transpose)
def transposed_twice(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """transpose(transpose(x)) -> transpose(x), by the axes in turn."""
    inner = computed_by(operands[0], Transpose)
    outer = primitive.axes  # type: ignore[attr-defined]
    if inner is None or len(inner.primitive.axes) != len(outer):  # type: ignore[attr-defined]
        return None
    axes = tuple(inner.primitive.axes[a] for a in outer)  # type: ignore[attr-defined]
    return builder.emit(Transpose(axes), operands_of(inner), like)


@looking_at(Concatenate)
def row_repeated(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """concatenate(x, x, ...), x of length 1 -> stretch(x): what a loop reads that is the same in
    each of its steps may come as a stack of them.
    """
    x, *others = operands
    axis = primitive.axis  # type: ignore[attr-defined]
    aval = aval_of(x)
    if any(y is not x for y in others) or aval.shape[axis] != 1 or aval.dtype != like.dtype:
        return None
    return builder.emit(Stretch(like.shape), operands[:1], like)


@looking_at(Weigh)
def weighed(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """Weigh -> multiply: they differ in their derivatives only."""
    return builder.emit(multiply, operands, like)


@looking_at(Multiply)
def times_one(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """1 x -> x and -1 x -> -x."""
    for one, x in (operands, operands[::-1]):
        if is_number(one, 1.0) and fits(x, like):
            return x
        if is_number(one, -1.0) and fits(x, like) and like.dtype.kind == "f":
            return builder.emit(negative, (x,), like)
    return None


@looking_at(Divide)
def over_one(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """X / 1 -> x."""
    x, one = operands
    return x if is_number(one, 1.0) and fits(x, like) else None


@looking_at(Add)
def plus_nothing(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """X + -0 -> x, and a + -b -> a - b."""
    for nothing, x in (operands, operands[::-1]):
        if is_number(nothing, -0.0) and fits(x, like):
            return x
        negated = computed_by(nothing, Negative)
        if negated is not None:
            return builder.emit(subtract, (x, *operands_of(negated)), like)
    return None


@looking_at(Subtract)
def minus_nothing(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """X - 0 -> x, and a - -b -> a + b."""
    x, nothing = operands
    if is_number(nothing, 0.0) and fits(x, like):
        return x
    negated = computed_by(nothing, Negative)
    return builder.emit(add, (x, *operands_of(negated)), like) if negated else None


@looking_at(Negative)
def negated_twice(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """--x -> x."""
    inner = computed_by(operands[0], Negative)
    return operands_of(inner)[0] if inner else None


@looking_at(Where)
def known_mask(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """where(True, x, y) -> x, and where(mask, x, x) -> x."""
    mask = uniform(operands[0])
    if mask is None and operands[1] is not operands[2]:
        return None
    chosen = operands[2] if mask is not None and not mask else operands[1]
    return chosen if fits(chosen, like) else None


@looking_at(Sum)
def no_sum(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """A sum over no axes -> x."""
    axes = primitive.axes  # type: ignore[attr-defined]
    return operands[0] if not axes and fits(operands[0], like) else None


@looking_at(GetItem)
def whole(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """x[:], and x[None, :], which is a reshape."""
    index = primitive.index  # type: ignore[attr-defined]
    whole_axes = all(part is None or part is Ellipsis or is_whole(part) for part in index)
    if whole_axes and fits(operands[0], like):
        return operands[0]
    if whole_axes and aval_of(operands[0]).size == math.prod(like.shape):
        return builder.emit(Reshape(like.shape), operands, like)
    return None


@looking_at(Place)
def placed_whole(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """What is placed everywhere -> a reshape."""
    index = primitive.index  # type: ignore[attr-defined]
    whole_axes = all(part is None or part is Ellipsis or is_whole(part) for part in index)
    if whole_axes and aval_of(operands[0]).size == math.prod(like.shape):
        return builder.emit(Reshape(like.shape), operands, like)
    return None


@looking_at(SetItem)
def written_into_zeros(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """X with x[index] = v, where x is zero everywhere -> v placed in zeros."""
    x, v = operands
    if not is_number(x, 0.0) or aval_of(v).dtype != like.dtype:
        return None
    index = primitive.index  # type: ignore[attr-defined]
    region = dummy(aval_of(like))[index].shape
    given = aval_of(v).shape
    if len(given) > len(region):
        return None
    if given != region:
        v = builder.emit(Stretch(region), (v,), like)
    return builder.emit(Place(index, like.shape), (v,), like)


def is_whole(part: object) -> bool:
    """Whether a part of an index is a slice that starts at the start and skips nothing."""
    return isinstance(part, slice) and part.start in (None, 0) and part.step in (None, 1)


@looking_at(GetItem)
def taken_apart(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """concatenate(x, y)[k] -> x[k], or y[k less the length of x]."""
    joined = computed_by(operands[0], Concatenate)
    index = primitive.index  # type: ignore[attr-defined]
    if joined is None or joined.ndim + joined.primitive.axis or not index:  # type: ignore[attr-defined]
        return None
    k = index[0]
    if not isinstance(k, int) or isinstance(k, bool):
        return None
    k += joined.shape[0] if k < 0 else 0
    for part in operands_of(joined):
        count = np.shape(part)[0] if not isinstance(part, Node) else part.shape[0]
        if k < count:
            if aval_of(part).dtype != like.dtype:
                return None
            return builder.emit(GetItem((k, *index[1:])), (part,), like)
        k -= count
    return None


@looking_at(GetItem)
def only_row(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """reshape(x)[0] -> x, where x got a leading axis of length 1."""
    inner = computed_by(operands[0], Reshape)
    if inner is None or primitive.index != (0,) or inner.shape[0] != 1:  # type: ignore[attr-defined]
        return None
    (x,) = operands_of(inner)
    return x if fits(x, like) else None


def sink(builder: Builder, primitive: Primitive, operands: Operands, like: Equation) -> Atom | None:
    """f(stretch(x), y) -> f(x, y) for elementwise f, which stretches by itself."""
    if not isinstance(primitive, Elementwise | Additive):
        return None
    bare = tuple(map(unstretched, operands))
    if all(a is b for a, b in zip(bare, operands, strict=True)):
        return None
    aval = stated(primitive, bare)
    return builder.emit(primitive, bare, like) if aval == Aval(like.shape, like.dtype) else None


def unstretched(x: Atom) -> Atom:
    """What was stretched to `x`; the one number that a constant array is everywhere."""
    stretched = computed_by(x, Stretch)
    if stretched is not None:
        return operands_of(stretched)[0]
    if isinstance(x, np.ndarray) and x.ndim:
        number = uniform(x)
        return x if number is None else number
    return x
