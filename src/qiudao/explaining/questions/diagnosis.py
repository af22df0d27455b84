"""All that can be said about the gradient of one value of a graph."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Vertex
from ..labels import brief
from .answer import Finding
from .cures import cure_of
from .cuts import ancestors, cuts_of, dependents, partly_cut, why_none
from .nonfinite import bad, origin_of
from .sizes import way_of, why_size
from .zeros import is_zero, why_partly, why_rounding, why_zero

WHAT = {"nan": "a NaN", "inf": "an infinity"}


def diagnose_all(graph: Graph, inputs: list[Vertex]) -> list[Finding]:
    """The findings about the output itself, where it is not finite, and about these inputs."""
    cuts = cuts_of(graph)
    found = [f for x in inputs for f in diagnose(graph, x, cuts)]
    out = graph.seed
    if out is not None and bad(out.value) and not any(f.kind in WHAT for f in found):
        origin = origin_of(graph, ancestors([out]))
        kind = "nan" if bool(np.isnan(np.asarray(out.value)).any()) else "inf"
        words = "" if origin is None else f": {origin.sentence}"
        cure = "" if origin is None else cure_of(origin)
        line = None if origin is None else origin.vertex.line
        found.insert(0, Finding("the result", kind, f"it has {WHAT[kind]}{words}", cure, line))
    return found


def diagnose(graph: Graph, x: Vertex, cuts: list[Vertex]) -> list[Finding]:
    """The findings about the gradient of `x`: at least one; `cuts` are those of the graph."""
    if x.shape is not None and 0 in x.shape:
        told = f"there is nothing to ask about: it is {brief(x.value)}"
        return [Finding(x.title, "healthy", told)]
    if x.gradient is None:
        return why_none(graph, x)
    if bad(x.gradient):
        return [why_bad(graph, x)]
    if is_zero(x.gradient):
        return why_zero(x)
    way = way_of(x)
    found = why_rounding(x, way) or why_size(x, way)
    if found:
        return found
    uses = len(x.terms)
    terms = f", the sum of {uses} terms" if uses > 1 else ""
    healthy = Finding(
        x.title, "healthy", f"nothing is wrong: the gradient is {brief(x.gradient)}{terms}"
    )
    return [healthy, *why_partly(x, way), *partly_cut(graph, x, cuts)]


def why_bad(graph: Graph, x: Vertex) -> Finding:
    """Where the NaN or the infinity in a gradient comes from."""
    kind = "nan" if bool(np.isnan(np.asarray(x.gradient)).any()) else "inf"
    behind = ancestors([graph.seed] if graph.seed is not None else graph.outputs)
    origin = origin_of(graph, behind & dependents(graph, x)) or origin_of(graph, behind)
    if origin is None:
        return Finding(x.title, kind, f"the gradient has {WHAT[kind]}, of an origin not known")
    sentence = f"the gradient has {WHAT[kind]}: {origin.sentence}"
    if kind == "nan" and origin.backward:
        made = origin_of(graph, behind, "nan")  # an infinity has led to it, further back
        if made is not None and made.sentence != origin.sentence:
            sentence += f"; further back, {made.sentence}"
    return Finding(x.title, kind, sentence, cure_of(origin), origin.vertex.line)
