"""Where NaN and infinity come from: the first operation that made one of finite operands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...core.avals import Value
from ..graph import Graph, Vertex
from ..summary import number


class Origin(NamedTuple):
    """The first operation that gave a number that is not finite, and at which element.

    `backward` is whether the sweep made it, of the operand at `position`.
    """

    vertex: Vertex
    backward: bool
    position: int
    sentence: str


def bad(x: Value | None, check: str = "inf") -> bool:
    """Whether a value has a NaN, or with "inf" an infinity."""
    if x is None or isinstance(x, tuple):
        return False
    a = np.asarray(x)
    if a.dtype.kind not in "fc":
        return False
    return bool(np.isnan(a).any()) if check == "nan" else not bool(np.isfinite(a).all())


def origin_of(graph: Graph, among: Iterable[Vertex], check: str = "inf") -> Origin | None:
    """The first origin among these vertices: forward where there is one, else backward.

    An infinity is an origin too, since NaNs come of it, but where only NaN is asked for and the
    infinity leads to none: then the first NaN is.
    """
    chosen = set(among)
    if check == "nan":
        return nan_origin(graph, chosen)
    for v in graph.vertices:
        if v in chosen and bad(v.value) and not any(bad(x.value) for x in v.operands):
            return Origin(v, False, 0, forward_sentence(v))
    for v in graph.order:
        if v not in chosen or bad(v.gradient):
            continue
        for x in v.operands:
            for use in x.terms:
                if use.reader is v and bad(use.value):
                    return Origin(v, True, use.position, backward_sentence(v, x, use.value))
    for v in graph.order:
        if v in chosen and bad(v.gradient):  # a seed that was not finite
            return Origin(v, True, 0, f"the cotangent of {v.title} is not finite itself")
    return None


def nan_origin(graph: Graph, chosen: set[Vertex]) -> Origin | None:
    """The first operation that gave a NaN of operands, or of a cotangent, without one."""
    for v in graph.vertices:
        if v in chosen and bad(v.value, "nan") and not any(bad(x.value, "nan") for x in v.operands):
            return Origin(v, False, 0, forward_sentence(v, "nan"))
    for v in graph.order:
        if v not in chosen or bad(v.gradient, "nan"):
            continue
        for x in v.operands:
            for use in x.terms:
                if use.reader is v and bad(use.value, "nan"):
                    return Origin(v, True, use.position, backward_sentence(v, x, use.value, "nan"))
    return None


def forward_sentence(v: Vertex, check: str = "inf") -> str:
    """`np.log(x) is the first value that is not finite: nan at [2], of x = -1`."""
    index, found = first_bad(v.value, check)
    if not v.operands:
        return f"the {v.kind} {v.title} is not finite: {found}{at(index)}"
    given = ", ".join(f"{x.title} = {element(x.value, index)}" for x in v.operands)
    what = "NaN" if check == "nan" else "not finite"
    return f"{v.title} is the first value that is {what}: {found}{at(index)}, of {given}"


def backward_sentence(v: Vertex, x: Vertex, term: Value | None, check: str = "inf") -> str:
    """`the sweep meets the first number that is not finite going back through np.sqrt(x)`."""
    index, found = first_bad(term, check)
    return (
        f"its value is finite, but the sweep turns {element(v.gradient, index)} into {found}"
        f"{at(index)} going back through {v.title} to {x.title} = {element(x.value, index)}"
    )


def first_bad(x: Value | None, check: str = "inf") -> tuple[tuple[int, ...], str]:
    """The index of the first element that is not finite, and what it is."""
    a = np.asarray(x)
    where = np.argwhere(np.isnan(a) if check == "nan" else ~np.isfinite(a))
    index = tuple(int(k) for k in where[0]) if len(where) else ()
    return index, number(a[index])


def at(index: tuple[int, ...]) -> str:
    """` at [2]`."""
    return f" at [{', '.join(map(str, index))}]" if index else ""


def element(x: Value | None, index: tuple[int, ...]) -> str:
    """The element that broadcasts to this place, as text; the shape where none does."""
    if x is None:
        return "(not known)"
    a = np.asarray(x)
    if a.ndim == 0:
        return number(a[()])
    if a.ndim <= len(index):
        inner = index[len(index) - a.ndim :]
        place = tuple(0 if n == 1 else k for k, n in zip(inner, a.shape, strict=True))
        if all(k < n for k, n in zip(place, a.shape, strict=True)):
            return number(a[place])
    return f"an array of shape {a.shape}"
