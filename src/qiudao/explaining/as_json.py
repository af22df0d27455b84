"""The graph as plain data: docs/explain-json.md describes it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from types import CodeType
from typing import Any

from ..core.avals import Value
from ..core.source import Line
from .graph import Graph, Vertex, element_label
from .places import Group
from .summary import number, summary

SCHEMA = "qiudao-explain/1"


def as_json(graph: Graph) -> dict[str, Any]:
    """The graph in lists, dicts, numbers and strings."""
    groups = graph.groups
    numbers = {g: k for k, g in enumerate(groups)}
    counts = dict.fromkeys(groups, 0)
    for v in graph.vertices:
        for g in v.group.path if v.group is not None else ():
            counts[g] += 1
    known: dict[int, Any] = {}

    def told(x: Value | None) -> dict[str, Any] | None:
        """The summary of an array, made once: a gradient of one term is that term."""
        if id(x) not in known:
            known[id(x)] = summary(x)
        found: dict[str, Any] | None = known[id(x)]
        return found

    pushed = [v for v in graph.vertices if v.kind == "operation" and v.flows]
    seed = graph.seed
    return {
        "schema": SCHEMA,
        "title": graph.title,
        "values": [of_vertex(v, numbers, told) for v in graph.vertices],
        "groups": [
            {
                "id": numbers[g],
                "parent": None if g.parent is None else numbers[g.parent],
                "kind": g.kind,
                "title": g.title,
                "line": of_line(g.line),
                "count": counts[g],
            }
            for g in groups
        ],
        "inputs": [v.id for v in graph.inputs],
        "outputs": [v.id for v in graph.outputs],
        "forward": {
            "order": [v.id for v in graph.vertices if v.kind == "operation"],
            "directions": [
                {"input": d.input.id, "index": list(d.index), "label": d.label}
                for d in graph.directions
            ],
            "sweeps": sum(math.prod(v.shape or ()) for v in graph.inputs),
            "operations": len(pushed),
        },
        "backward": {
            "order": [v.id for v in graph.order],
            "seed": None
            if seed is None
            else {
                "output": seed.id,
                "index": None if graph.seed_index is None else list(graph.seed_index),
                "label": element_label(seed.title, graph.seed_index),
            },
            "sweeps": sum(math.prod(v.shape or ()) for v in graph.outputs),
            "operations": len(graph.order),
        },
        "sources": [s for s in map(of_source, graph.codes) if s is not None],
        "notes": list(graph.notes),
    }


def of_vertex(
    v: Vertex, groups: dict[Group, int], told: Callable[[Value | None], dict[str, Any] | None]
) -> dict[str, Any]:
    """A value as the description has it."""
    return {
        "id": v.id,
        "kind": v.kind,
        "name": v.name,
        "operation": v.operation,
        "fields": v.fields,
        "expression": v.expression,
        "line": of_line(v.line),
        "operands": [x.id for x in v.operands],
        "slopes": [
            None
            if slope is None
            else {
                "kind": slope.kind,
                "text": slope_text(slope.value) or v.operation,
                "value": told(slope.value),
            }
            for slope in v.slopes
        ],
        "value": told(v.value),
        "gradient": told(v.gradient),
        "terms": [
            {
                "reader": None if t.reader is None else t.reader.id,
                "position": t.position,
                "value": told(t.value),
            }
            for t in v.terms
        ],
        "tangents": [told(t) for t in v.tangents],
        "group": None if v.group is None else groups[v.group],
        "output": v.output,
    }


def slope_text(slope: Value | None) -> str | None:
    """A slope that is one number, as text; None for others."""
    if slope is None or slope.size == 0:
        return None
    first = slope.reshape(-1)[0]
    same = slope.size == 1 or bool((slope == first).all())
    return number(first, 4) if same else None


def of_line(line: Line | None) -> dict[str, Any] | None:
    """A user's line."""
    return None if line is None else {"file": line.file, "number": line.number, "text": line.text}


def of_source(code: CodeType) -> dict[str, Any] | None:
    """The text of a function that ran, where it can be read."""
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None
    if code.co_name == "<module>":
        return None
    return {
        "file": code.co_filename,
        "first": max(first, 1),
        "lines": [line.rstrip("\n") for line in lines],
        "name": code.co_name,
    }
