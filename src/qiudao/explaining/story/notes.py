"""What a reader of the table should know of this function: where a limit or a sweep has no truth."""

from __future__ import annotations

import math

import numpy as np

from ..branching.kinks import kinks_of
from ..graph import Graph
from ..labels import line_of
from ..summary import number
from .function import Function
from .methods import Measured


def notes_of(f: Function, graph: Graph, found: Measured) -> list[str]:
    """Sentences, those that weigh most first."""
    return [
        *restless(f, graph),
        *not_finite(found),
        *kinks(graph, found),
        *graph.notes,
        measure(found),
    ]


def restless(f: Function, graph: Graph) -> list[str]:
    """A function that gives another value each time."""
    first, second = f(f.start), f(f.start)
    if first == second or (math.isnan(first) and math.isnan(second)):
        return []
    return [
        f"{graph.title} gives another value each time it runs ({number(first)}, then "
        f"{number(second)}), so limits, which take differences between runs, mean nothing; fix its "
        "random numbers"
    ]


def not_finite(found: Measured) -> list[str]:
    """Limits that leave the domain, and derivatives that are not finite."""
    told = []
    if not np.isfinite(found.exact.gradient).all():
        told.append("the derivative is not finite at this point; ask qd.why")
        return told
    gone = [
        row.way
        for row in found.rows
        if row.gradient is not None and not np.isfinite(row.gradient).all()
    ]
    if gone:
        told.append(
            f"a step of {' and of '.join(gone)} leaves the domain of the function, or finds a pole"
        )
    return told


def kinks(graph: Graph, found: Measured) -> list[str]:
    """Kinks that this very point is on."""
    return [
        f"{kink.expression} ({line_of(kink.line)}) is on a kink: {kink.convention}; a one-sided "
        "limit sees one side only"
        for kink in kinks_of(graph.observation)
        if kink.touched
    ][:2]


def measure(found: Measured) -> str:
    """What errors are measured against."""
    against = (
        "a reverse sweep with more digits"
        if found.exact.is_finer
        else "the reverse sweep, which is exact but for rounding"
    )
    return (
        "an error is the largest of an element, relative to the largest of the gradient, "
        f"against {against}"
    )
