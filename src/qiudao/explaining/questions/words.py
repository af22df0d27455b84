"""How findings call the values of a graph: by the user's words at the place where they are read."""

from __future__ import annotations

import math

import numpy as np

from ...core.avals import Value
from ...core.node import Equation
from ...core.roles import role_of
from ...core.source import is_ours
from ..expressions import expression_at
from ..graph import Vertex, operand_words
from ..labels import brief
from ..labels import title_of as whole_title
from ..summary import number, short

NAMELESS = "a constant"  # the title of one that the user gave no name


def actor(v: Vertex) -> str:
    """An operation as the subject of a sentence: `h = np.tanh(a)`, `the variance in np.std(x)`."""
    node = None if v.step is None else v.step.node
    if not isinstance(node, Equation) or v.operation is None:
        return v.title
    around = None if is_ours(node.code.co_filename) else expression_at(node.code, node.offset)
    if around is None:
        return v.title
    if role_of(node) is not None:
        return f"{article(v.operation)} in the derivative of {around}"
    if v.expression is None:
        return f"{article(v.operation)} in {around}"
    if v.operation == "setitem":
        return f"the assignment to {v.expression}"
    return whole_title(v)


def article(operation: str) -> str:
    """`the divide`."""
    return f"the {operation}"


def operand(v: Vertex, position: int) -> str:
    """An operand as its reader calls it: the name it was given, or the words in the expression."""
    x = v.operands[position]
    if x.kind == "operation" and x.expression is None:
        return actor(x)
    if x.name is not None:
        return x.name
    words = None
    if v.step is not None and v.expression is not None:
        words = operand_words(v.step)[position]
    return words or x.title


def is_one(x: Vertex) -> bool:
    """Whether a value is a single number."""
    return x.shape is not None and math.prod(x.shape) == 1


def given(v: Vertex, positions: list[int], index: tuple[int, ...]) -> str:
    """`x = 0 (f64[2] in [0, 4]), y = 3`: operands at an element of the result."""
    return ", ".join(shown(operand(v, k), v.operands[k].value, index) for k in positions)


def shown(name: str, x: Value | None, index: tuple[int, ...]) -> str:
    """`x = 0 (f64[2] in [0, 4])`: the element there, and the range of all."""
    if x is None or isinstance(x, tuple):
        return name
    a = np.asarray(x)
    value = element(a, index)
    if a.ndim == 0 and value is not None and name in (value, NAMELESS):
        return value
    if value is None:
        return f"{name} ({short(a, most=0)})" if a.size > 1 else f"{name} = {brief(a)}"
    return f"{name} = {value} ({short(a, most=0)})" if a.size > 1 else f"{name} = {value}"


def element(x: Value | None, index: tuple[int, ...]) -> str | None:
    """The element that broadcasts to a place, as text; None where none does."""
    if x is None:
        return None
    a = np.asarray(x)
    if a.size == 1:
        return number(a.reshape(-1)[0])
    if a.ndim <= len(index):
        inner = index[len(index) - a.ndim :]
        place = tuple(0 if n == 1 else k for k, n in zip(inner, a.shape, strict=True))
        if all(k < n for k, n in zip(place, a.shape, strict=True)):
            return number(a[place])
    return None
