"""Why no gradient arrives: the value is not used, or every way from it to the output is cut."""

from __future__ import annotations

from ...core.node import Equation
from ...core.source import Line, line_of
from ..graph import Graph, Vertex
from . import words
from .answer import Finding

MOST = 3  # findings about one value


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


def cuts_of(graph: Graph) -> list[Vertex]:
    """The operations that a derivative reaches and does not pass."""
    return [v for v in graph.vertices if not v.flows and any(x.flows for x in v.operands)]


def why_none(graph: Graph, x: Vertex) -> list[Finding]:
    """Why no gradient arrives at `x`."""
    made = dependents(graph, x)
    target = [v for v in graph.outputs if v is graph.seed] or graph.outputs
    behind = ancestors(target)
    cuts = [v for v in cuts_of(graph) if v in made and v in behind]
    if cuts:
        return [cut_finding(x, v) for v in cuts[:MOST]]
    readings = [r for r in graph.observation.readings if graph.vertex(r.step) in made]
    if readings:
        first = readings[0]
        name = graph.vertex(first.step).title
        return [
            Finding(
                x.title,
                "cut",
                f"no gradient: {name} left the computation by {first.act}, as a plain number",
                "compute with the value itself, without taking the number out",
                users(line_of(*first.where)),
            )
        ]
    decided = [d for d in graph.observation.decisions if graph.vertex(d.step) in made]
    if decided:
        return [
            Finding(
                x.title,
                "cut",
                f"no gradient: it only decides branches, by {graph.vertex(decided[0].step).title}; "
                "within one the result does not change with it",
                "make the result depend on it smoothly; qd.branches shows the jump",
                users(line_of(*decided[0].where)),
            )
        ]
    return [unused(graph, x, made, target)]


def users(line: Line) -> Line | None:
    """A line, where it has text to show."""
    return line if line.text else None


def unused(graph: Graph, x: Vertex, made: set[Vertex], target: list[Vertex]) -> Finding:
    """About a value from which nothing leads to the output."""
    readers = [v for v in graph.vertices if x in v.operands]
    made_by = [v for v in target if v.kind == "operation" or v.kind == "input"]
    output = made_by[0].title if made_by else "the result"
    if not readers and not made_by:
        return Finding(
            x.title,
            "unused",
            "no gradient: the result is a constant, computed without it",
            "return something that is computed from it",
        )
    if not readers:
        return Finding(
            x.title,
            "unused",
            f"no gradient: nothing that {output} was computed from reads it",
            "use it, or leave it out of the inputs",
        )
    last = max((v for v in made), key=lambda v: v.id)
    ends = "it" if last is readers[0] else f"what comes of that ends at {words.actor(last)} and"
    return Finding(
        x.title,
        "unused",
        f"no gradient: {words.actor(readers[0])} reads it, but {ends} does not reach {output}",
        "return something that depends on it, or leave it out of the inputs",
        readers[0].line,
    )


def cut_finding(x: Vertex, v: Vertex) -> Finding:
    """A finding about a place where a way from `x` is cut."""
    sentence, cure = reason(v)
    return Finding(x.title, "cut", f"no gradient: {sentence}", cure, v.line)


def is_deliberate(v: Vertex) -> bool:
    """Whether a user cut here, rather than an operation that has no derivative."""
    node = None if v.step is None else v.step.node
    return isinstance(node, Equation) and (
        v.operation == "stopgradient" or not node.primitive.is_constant
    )


def reason(v: Vertex) -> tuple[str, str]:
    """Why no derivative passes an operation, and what to do."""
    act = words.actor(v)
    if v.operation == "stopgradient":
        k = next(k for k, x in enumerate(v.operands) if x.flows)
        source = words.operand(v, k) if v.expression is None else v.operands[k].title
        return (
            f"{act} lets no derivative pass on to {source}",
            "leave detach() or stop_gradient out where it should pass",
        )
    if is_deliberate(v):
        return (
            f"{act} was computed while recording was off (qd.no_grad())",
            "move it out of there",
        )
    smooth = "use a smooth stand-in where a derivative should pass"
    kind = None if v.dtype is None else v.dtype.kind
    if kind == "b":
        return f"{act} is only true or false, and no derivative passes that", smooth
    if kind in ("i", "u"):
        return f"{act} gives whole numbers, and no derivative passes those", smooth
    return f"{act} is a step function: level between its jumps, so no derivative passes", smooth


def partly_cut(graph: Graph, x: Vertex, cuts: list[Vertex]) -> list[Finding]:
    """Notes about ways that the user cut from a value whose gradient arrives by others."""
    deliberate = [v for v in cuts if is_deliberate(v)]
    if not deliberate:
        return []
    made, behind = dependents(graph, x), ancestors([graph.seed] if graph.seed else graph.outputs)
    return [
        Finding(x.title, "partly cut", f"one way is cut: {reason(v)[0]}", reason(v)[1], v.line)
        for v in deliberate
        if v in made and v in behind
    ][:MOST]
