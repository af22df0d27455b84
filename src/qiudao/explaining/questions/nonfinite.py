"""Where NaN and infinity come from: the first operation that made one of finite operands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...core.avals import Value
from ..graph import Graph, Use, Vertex
from ..summary import number, short
from . import words


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
    for v in graph.vertices:
        if v in chosen and bad(v.value, check) and not any(bad(x.value, check) for x in v.operands):
            return Origin(v, False, 0, forward_sentence(v, check))
    for v in graph.order:
        if v not in chosen or bad(v.gradient, check):
            continue
        for x in v.operands:
            for use in x.terms:
                if use.reader is v and bad(use.value, check):
                    return Origin(v, True, use.position, backward_sentence(v, use, check))
    for v in graph.order:
        if v in chosen and bad(v.gradient, check):  # a seed that was not finite
            given = f"the cotangent of {v.title} is not finite itself"
            return Origin(v, True, 0, given)
    return None


def forward_sentence(v: Vertex, check: str) -> str:
    """`np.log(x) is the first value that is not finite: nan at [2], of x = -1`."""
    index, found = first_bad(v.value, check)
    if not v.operands:
        return f"the {v.kind} {v.title} is not finite: {found}{at(index)}"
    given = words.given(v, list(range(len(v.operands))), index)
    what = "NaN" if check == "nan" else "not finite"
    return f"{words.actor(v)} is the first value that is {what}: {found}{at(index)}, of {given}"


def backward_sentence(v: Vertex, use: Use, check: str) -> str:
    """`going back through np.sqrt(x), 0 times its slope inf is nan at [0], for x = 0`."""
    index, found = first_bad(use.value, check)
    act = words.actor(v)
    start = f"{act} is finite, but going back through it" if is_finite(v.value) else (
        f"going back through {act}"
    )  # fmt: skip
    arriving = words.element(v.gradient, index) or (
        "the cotangents of its results"
        if v.gradient is None
        else f"a cotangent ({short(v.gradient, most=0)})"
    )
    slope = v.slopes[use.position] if use.position < len(v.slopes) else None
    factor = None
    if slope is not None and slope.kind == "elementwise":
        factor = words.element(slope.value, index)
    made = (
        f"the sweep turns {arriving} into {found}"
        if factor is None
        else f"{arriving} times its slope {factor} is {found}"
    )
    others = [k for k in range(len(v.operands)) if k != use.position]
    given = words.given(v, [use.position, *others], index)
    return f"{start}, {made}{at(index)}, for {given}"


def is_finite(x: Value | None) -> bool:
    """Whether a value is known, and finite."""
    return x is not None and not isinstance(x, tuple) and not bad(x)


def first_bad(x: Value | None, check: str) -> tuple[tuple[int, ...], str]:
    """The index of the first element that is not finite, and what it is."""
    a = np.asarray(x)
    where = np.argwhere(np.isnan(a) if check == "nan" else ~np.isfinite(a))
    index = tuple(int(k) for k in where[0]) if len(where) else ()
    return index, number(a[index])


def at(index: tuple[int, ...]) -> str:
    """` at [2]`."""
    return f" at [{', '.join(map(str, index))}]" if index else ""
