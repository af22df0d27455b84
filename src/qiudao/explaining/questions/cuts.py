"""Why no gradient arrives: the value is not used, or every way from it to the output is cut."""

from __future__ import annotations

from ..graph import Graph, Vertex
from .answer import Finding

CONSTANT = (
    "{words} is a step function: it is level between its jumps, so no derivative passes; use a "
    "smooth stand-in where one should"
)
STOPPED = "{words} was cut there, by detach() or stop_gradient; leave that out to let it pass"
UNRECORDED = "{words} was computed while recording was off (qd.no_grad()); move it out of there"


def dependents(graph: Graph, start: Vertex) -> set[Vertex]:
    """Everything computed from a value, whether or not a derivative passes."""
    found = {start}
    for v in graph.vertices:
        if any(x in found for x in v.operands):
            found.add(v)
    return found


def ancestors(outputs: list[Vertex]) -> set[Vertex]:
    """Everything that some values are computed from."""
    found: set[Vertex] = set()
    waiting = list(outputs)
    while waiting:
        v = waiting.pop()
        if v not in found:
            found.add(v)
            waiting.extend(v.operands)
    return found


def why_none(graph: Graph, x: Vertex) -> list[Finding]:
    """Why no gradient arrives at `x`."""
    made = dependents(graph, x)
    target = [v for v in graph.outputs if v is graph.seed] or graph.outputs
    behind = ancestors(target)
    cuts = [
        v
        for v in graph.vertices
        if v in made and v in behind and not v.flows and any(o.flows for o in v.operands)
    ]
    if cuts:
        return [cut_finding(x, v) for v in cuts[:3]]
    readings = [r for r in graph.observation.readings if graph.vertex(r.step) in made]
    if readings:
        first = readings[0]
        v = graph.vertex(first.step)
        return [
            Finding(
                x.title,
                "cut",
                f"no gradient: {v.title} left the computation by {first.act}, as a plain number",
                "compute with the value itself, without taking the number out",
                v.line,
            )
        ]
    readers = [v for v in graph.vertices if x in v.operands]
    output = target[0].title if target else "the output"
    if not readers:
        return [
            Finding(
                x.title,
                "unused",
                f"no gradient: nothing that {output} was computed from reads it",
                "use it, or leave it out of the inputs",
            )
        ]
    last = max((v for v in made), key=lambda v: v.id)
    return [
        Finding(
            x.title,
            "unused",
            f"no gradient: it is read by {readers[0].title}, but what comes of that ends at "
            f"{last.title} and does not reach {output}",
            "return something that depends on it, or leave it out of the inputs",
            readers[0].line,
        )
    ]


def cut_finding(x: Vertex, v: Vertex) -> Finding:
    """A finding about a place where a way from `x` is cut."""
    if v.operation == "stopgradient":
        source = v.operands[0]
        return Finding(
            x.title, "cut", "no gradient: " + STOPPED.format(words=source.title), "", v.line
        )
    is_constant = v.step is not None and getattr(v.step.node, "primitive", None) is not None
    if is_constant and v.step.node.primitive.is_constant:  # type: ignore[union-attr]
        return Finding(x.title, "cut", "no gradient: " + CONSTANT.format(words=v.title), "", v.line)
    return Finding(x.title, "cut", "no gradient: " + UNRECORDED.format(words=v.title), "", v.line)
