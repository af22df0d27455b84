"""Three common errors, with the numbers that this very function gives for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..graph import Graph, Vertex
from ..summary import number
from .methods import Row


class Correction(NamedTuple):
    """What one might think, and what is so here."""

    error: str
    truth: str


def corrections_of(rows: list[Row], graph: Graph, names: list[str]) -> list[Correction]:
    """Those of the three errors that can be made with this function."""
    made = [chaining(rows), all_ones(rows, names), twice(graph)]
    return [c for c in made if c is not None]


def chaining(rows: list[Row]) -> Correction | None:
    """Differences of the parts against differences of the whole."""
    found = {row.way: row.error for row in rows}
    whole, parts = found.get("limit, one-sided"), found.get("limits, chained")
    if whole is None or parts is None:
        return None
    ratio = parts / whole if whole else 0.0
    compared = (
        f"{number(ratio, 2)} times that" if ratio >= 1.5
        else "about as much" if ratio > 0.67 else f"{number(ratio, 2)} of that"
    )  # fmt: skip
    return Correction(
        "differences of each operation, chained, are exact because the chain rule is",
        f"each difference brings its own error and the chain adds them up: {number(parts, 3)} "
        f"here, where one limit of the whole function leaves {number(whole, 3)} ({compared}); the "
        "sweeps use exact local derivatives instead",
    )


def all_ones(rows: list[Row], names: list[str]) -> Correction | None:
    """A tangent of all ones against the partial derivatives."""
    exact = rows[-1].gradient if rows else None
    if exact is None or exact.size < 2:
        return None
    parts = ", ".join(
        f"d/d{name} = {number(g, 4)}" for name, g in zip(names[:3], exact[:3], strict=False)
    )
    more = ", ..." if exact.size > 3 else ""
    return Correction(
        "one forward sweep with all tangents 1 gives the partial derivatives",
        f"it gives their sum, the derivative along (1, ..., 1): {number(float(exact.sum()), 4)}; "
        f"the partials are {parts}{more}, and take a sweep each",
    )


def twice(graph: Graph) -> Correction | None:
    """A running total passed on at each arrival against the sum passed on once."""
    for v in graph.vertices:
        if v.kind == "operation" and len(v.terms) > 1 and is_number(v):
            return told(v)
    for v in graph.inputs:
        if len(v.terms) > 1 and is_number(v):
            return told(v)
    return None


def is_number(v: Vertex) -> bool:
    """Whether a value and all terms of its gradient are single numbers."""
    return all(t.value is not None and np.size(t.value) == 1 for t in v.terms)


def told(v: Vertex) -> Correction:
    """The two sums at one value."""
    terms = [float(np.asarray(t.value).reshape(-1)[0]) for t in v.terms]
    running = np.cumsum(terms)
    right = " + ".join(number(t, 4) for t in terms)
    wrong = " + ".join(f"({' + '.join(number(t, 4) for t in terms[: k + 1])})"
                       for k in range(len(terms)))  # fmt: skip
    return Correction(
        f"the gradient of {v.title} can be passed on each time a term arrives",
        f"it is used {len(terms)} times and its gradient is the sum, {right} = "
        f"{number(running[-1], 4)}, passed on once all have arrived; passing the running total on "
        f"at each arrival would count terms again: {wrong} = {number(float(running.sum()), 4)}",
    )
