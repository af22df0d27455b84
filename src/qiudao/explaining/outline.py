"""What a still picture shows of a graph: the groups that are open, the boxes, what joins them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .graph import Graph, Vertex
from .places import Group


@dataclass(eq=False, slots=True)
class Box:
    """A value, or a closed group of values."""

    vertex: Vertex | None
    group: Group | None
    members: list[Vertex] = field(default_factory=list)

    @property
    def last(self) -> Vertex:
        """The value that stands for the box: itself, or the last of a group."""
        return self.members[-1]


@dataclass(eq=False, slots=True)
class Edge:
    """The uses that a box makes of another: which vertex reads which, as which operand."""

    source: Box
    target: Box
    uses: list[tuple[Vertex, Vertex, int]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Outline:
    """Boxes in order, edges between them, and how many values are in closed boxes."""

    boxes: list[Box]
    edges: list[Edge]
    folded: int


def outline(graph: Graph, most: int = 40) -> Outline:
    """The graph in about `most` boxes: small groups are opened first, ranges of turns never."""
    shown = [v for v in graph.vertices if not is_small_constant(v)]
    opened = choose(shown, most)
    boxes: dict[object, Box] = {}
    of: dict[Vertex, Box] = {}
    for v in shown:
        closed = next((g for g in v.group.path if g not in opened), None) if v.group else None
        key: object = closed or v
        box = boxes.get(key)
        if box is None:
            box = boxes[key] = Box(None if closed else v, closed)
        box.members.append(v)
        of[v] = box
    edges: dict[tuple[Box, Box], Edge] = {}
    for v in shown:
        for position, operand in enumerate(v.operands):
            source = of.get(operand)
            if source is None or source is of[v]:
                continue
            pair = source, of[v]
            edge = edges.setdefault(pair, Edge(*pair))
            edge.uses.append((operand, v, position))
    folded = sum(len(b.members) for b in boxes.values() if b.group is not None)
    return Outline(list(boxes.values()), list(edges.values()), folded)


def is_small_constant(v: Vertex) -> bool:
    """Whether a constant is a number, which its readers' expressions show."""
    return v.kind == "constant" and v.output is None and math.prod(v.shape or ()) == 1


def choose(shown: list[Vertex], most: int) -> set[Group]:
    """The groups to open, so that not more than `most` boxes are seen if that can be."""
    children: dict[Group | None, dict[object, None]] = {}
    for v in shown:
        path = v.group.path if v.group is not None else []
        inner: list[object] = [*path, v]
        for parent, child in zip([None, *path], inner, strict=True):
            children.setdefault(parent, {}).setdefault(child)
    opened: set[Group] = set()
    total = len(children.get(None, {}))
    waiting = [g for g in children.get(None, {}) if isinstance(g, Group)]
    while waiting:
        group = min(waiting, key=lambda g: len(children[g]))
        waiting.remove(group)
        inside = children[group]
        if group.kind == "turns" or total + len(inside) - 1 > most:
            continue
        total += len(inside) - 1
        opened.add(group)
        waiting.extend(g for g in inside if isinstance(g, Group))
    return opened
