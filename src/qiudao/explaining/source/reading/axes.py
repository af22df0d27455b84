"""Axes that come and go, and parts that are written and read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....core.avals import Aval, aval_of
from ....core.families import Elementwise
from ....core.node import Equation, Node
from ....core.primitive import Primitive
from ....core.program import Atom, operands_of, stated
from ....core.roles import role_of
from ....ops.arithmetic import Negative, multiply
from ....ops.indexing import GetItem, Place
from ....ops.products import MatMul
from ....ops.shaping import Reshape, Transpose
from ....ops.writing import SetItem
from ....passes.builder import Builder, Operands, uniform
from .base import emit_inner, fitting, idiom, inside_call, made_by, of_type


def leading(
    builder: Builder, primitive: Primitive, operands: Operands, like: Equation
) -> Atom | None:
    """f(x[None], y) -> f(x, y) for elementwise f, which puts leading axes in by itself."""
    if not isinstance(primitive, Elementwise) or role_of(like) is None:
        return None
    if isinstance(primitive, Negative):
        return None  # which `sign_outside` moves the other way
    bare = tuple(map(without_lead, operands))
    if all(a is b for a, b in zip(bare, operands, strict=True)):
        return None
    aval = stated(primitive, bare)
    if aval == Aval(like.shape, like.dtype):
        return builder.emit(primitive, bare, like)
    if aval is not None and aval.dtype == like.dtype and leads(aval.shape, like.shape):
        inside = emit_inner(builder, primitive, bare, like)
        return of_type(builder, Reshape(like.shape), (inside,), like)
    return None


def leads(inner: tuple[int, ...], outer: tuple[int, ...]) -> bool:
    """Whether a shape is another behind unit axes."""
    units = len(outer) - len(inner)
    return units > 0 and outer == (1,) * units + inner


def without_lead(x: Atom) -> Atom:
    """What was only given leading unit axes."""
    inner = made_by(x, Reshape)
    if inner is None:
        return x
    (before,) = operands_of(inner)
    shape = aval_of(before).shape
    return before if leads(shape, inner.shape) else x


def behind_column(x: Atom) -> Atom | None:
    """The vector that a column was made of."""
    if not isinstance(x, Equation) or type(x.primitive) is not Reshape:
        return None
    (vector,) = operands_of(x)
    shape = aval_of(vector).shape
    return vector if len(shape) == 1 and x.shape == (*shape, 1) else None


WHOLE = (Ellipsis, slice(None), slice(None, None, -1))


@idiom(GetItem, Place)
def unit_axes(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The only row or column, read or placed -> a reshape; placed backwards -> read backwards."""
    (x,) = operands
    known = x if isinstance(x, Equation) and isinstance(primitive, GetItem) else None
    if known is not None and type(known.primitive) is SetItem:
        written = known.primitive
        return fitting(operands_of(known)[1], like) if written.index == primitive.index else None
    if isinstance(primitive, Place) and all(part in WHOLE for part in primitive.index):
        return builder.emit(GetItem(primitive.index), operands, like)
    plain = all(part in (0, None, Ellipsis, slice(None)) for part in primitive.index)
    if plain and isinstance(x, Node) and aval_of(x).size == math.prod(like.shape) > 1:
        return builder.emit(Reshape(like.shape), operands, like)
    return None


@idiom(Transpose)
def turned_column(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """The transpose of a column -> a row."""
    (x,) = operands
    if behind_column(x) is not None:
        return builder.emit(Reshape(like.shape), operands_of(x), like)
    return None


@idiom(MatMul)
def outer_product(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """A column times a row -> the product of each element with each."""
    a, b = operands
    if like.ndim != 2 or behind_column(a) is None or aval_of(b).shape[0] != 1:
        return None
    row = inside_call(builder, Reshape(aval_of(b).shape[1:]), (b,), like)
    return of_type(builder, multiply, (a, row), like)


@idiom(SetItem)
def written_over(builder: Builder, primitive: Any, operands: Operands, like: Equation) -> Any:
    """x[i] = x[i] -> x; a part of zeros written -> placed."""
    x, v = operands
    if isinstance(v, Equation) and isinstance(v.primitive, GetItem) and operands_of(v)[0] is x:
        return fitting(x, like) if v.primitive.index == primitive.index else None
    if isinstance(x, Equation) and x.primitive == primitive:
        return builder.emit(primitive, (operands_of(x)[0], v), like)
    zero = None if isinstance(x, Node) else uniform(x)
    if zero is not None and zero == 0 and not np.signbit(np.real(zero)):
        place = Place(primitive.index, like.shape)
        shape = np.zeros(like.shape)[primitive.index].shape
        if aval_of(v)[:2] == (shape, like.dtype):
            return of_type(builder, place, (v,), like)
    return None
