"""The graph in Graphviz's language, closed groups as boxes and open ones as clusters."""

from __future__ import annotations

from collections.abc import Iterator

from .graph import Graph
from .labels import clipped, label_of, slope_label
from .outline import Box, outline
from .places import Group

WIDEST = 60


def dot(graph: Graph, most: int = 200) -> str:
    """The graph as a DOT document of about `most` boxes."""
    shown = outline(graph, most)
    names = {box: f"v{k}" for k, box in enumerate(shown.boxes)}
    inside: dict[Group | None, list[Box]] = {}
    children: dict[Group | None, dict[Group, None]] = {}
    for box in shown.boxes:
        parent = box.group.parent if box.group is not None else box.last.group
        inside.setdefault(parent, []).append(box)
        path = parent.path if parent is not None else []
        for outer, inner in zip([None, *path], path, strict=False):
            children.setdefault(outer, {}).setdefault(inner)

    def block(group: Group | None, indent: str) -> Iterator[str]:
        for box in inside.get(group, ()):
            yield f"{indent}{names[box]} [{attributes(box)}];"
        for inner in children.get(group, ()):
            yield f"{indent}subgraph cluster_{len(clusters)} {{"
            clusters.append(inner)
            yield f"{indent}  label={quoted(inner.title)}; style=dashed; color=gray60;"
            yield from block(inner, indent + "  ")
            yield f"{indent}}}"

    clusters: list[Group] = []
    lines = [
        "digraph explained {",
        f"  label={quoted(graph.title)}; labelloc=t; fontname=Helvetica;",
        '  node [shape=box, fontname="DejaVu Sans Mono", fontsize=10, style=rounded];',
        '  edge [fontname="DejaVu Sans Mono", fontsize=9, color=gray50, arrowsize=0.6];',
        *block(None, "  "),
    ]
    for edge in shown.edges:
        slope = slope_label(edge)
        label = f" [label={quoted(slope)}]" if slope else ""
        lines.append(f"  {names[edge.source]} -> {names[edge.target]}{label};")
    return "\n".join([*lines, "}", ""])


def attributes(box: Box) -> str:
    """The label and look of a box."""
    label = label_of(box)
    gradient = f"d {label.gradient}" if label.gradient else ""
    rows = [clipped(r, WIDEST) for r in (label.title, label.value, gradient, label.place) if r]
    text = "".join(quoted(row)[1:-1] + "\\l" for row in rows)
    look = ""
    if box.group is not None:
        look = ", style=dashed"
    elif box.last.kind == "input":
        look = ', style="rounded,filled", fillcolor="#eaf1f8"'
    elif box.last.output is not None:
        look = ", penwidth=2"
    return f'label="{text}"{look}'


def quoted(text: str) -> str:
    """A text as a string of DOT's."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
