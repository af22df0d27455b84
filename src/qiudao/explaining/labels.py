"""The words on a box: what pictures and text say of a value or a group, in a few lines."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

import numpy as np

from ..core.avals import Value
from ..core.source import Line
from .graph import Vertex
from .outline import Box, Edge
from .summary import NUMERIC, nested, number, short

LISTED, ROOM = 8, 36  # elements of an array that are listed, and the letters they may take
AUGMENTED = re.compile(r" *(\*\*|//|<<|>>|[-+*/%@&|^])=")  # of `h += b`, behind its name
TERMS = 4  # terms of a gradient that are written out


class Label(NamedTuple):
    """The lines of a box: its title, the value, the gradient, where it is made."""

    title: str
    value: str
    gradient: str
    place: str


def label_of(box: Box) -> Label:
    """What a box says."""
    v = box.vertex
    if v is None and box.group is not None:
        line = "" if box.group.line is None else line_of(box.group.line)
        last = "" if box.last.value is None else f", the last {brief(box.last.value)}"
        gradient = "" if box.last.gradient is None else brief(box.last.gradient)
        return Label(box.group.title, f"{len(box.members)} values{last}", gradient, line)
    v = box.last
    return Label(
        title_of(v),
        "" if v.value is None else brief(v.value),
        gradient_of(v),
        "" if v.line is None else line_of(v.line),
    )


def title_of(v: Vertex) -> str:
    """`h = W @ x`, `h += b`, `x`, `np.sin(x)`, `[multiply]`."""
    words = v.expression if v.expression is not None else f"[{v.operation}]"
    if v.kind != "operation":
        return v.name or v.expression or "constant"
    if not v.name or v.name == words or AUGMENTED.match(words.removeprefix(v.name)):
        return words
    return f"{v.name} = {words}"


def gradient_of(v: Vertex) -> str:
    """`7 = 1 + 3 + 3`, where the gradient of a number has several terms; else the gradient."""
    if v.gradient is None:
        return ""
    total = brief(v.gradient)
    values = [t.value for t in v.terms if t.value is not None]
    if not 1 < len(values) <= TERMS or v.shape:
        return total
    return f"{total} = {' + '.join(number(x[()], 4) for x in values)}".replace("+ -", "− ")


def brief(x: Value) -> str:
    """A number, a vector of few numbers with fewer digits, or the range of an array."""
    if isinstance(x, tuple):
        return f"{len(x)} results"
    if np.asarray(x).dtype.kind not in NUMERIC:
        return short(x)
    if np.ndim(x) == 0:
        return number(x[()] if isinstance(x, np.ndarray) else x)
    listed = nested(np.asarray(x), 3) if np.size(x) <= LISTED else ""
    return listed if 0 < len(listed) <= ROOM else short(x, most=0)


def line_of(line: Line) -> str:
    """`model.py:12`."""
    return f"{os.path.basename(line.file)}:{line.number}"


def slope_label(edge: Edge) -> str:
    """The local derivatives along an edge, where they are numbers: `3 + 3` for two uses."""
    if edge.source.group is not None or edge.target.group is not None:
        return ""
    parts = []
    for _, reader, position in edge.uses:
        slope = reader.slopes[position] if position < len(reader.slopes) else None
        if slope is None or slope.value is None or slope.value.size != 1:
            return ""
        parts.append(number(slope.value.reshape(-1)[0], 4))
    return " + ".join(parts).replace("+ -", "− ")


def clipped(text: str, most: int) -> str:
    """A text, cut to `most` letters with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
