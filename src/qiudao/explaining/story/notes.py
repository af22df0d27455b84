"""Where a limit or a sweep of this very function misleads, and what errors mean."""

from __future__ import annotations

import math

import numpy as np

from ...core.source import line_of as line_of_code
from ..branching.kinks import kinks_of
from ..graph import Graph
from ..labels import line_of
from .function import Function
from .methods import Measured

FAR = 1e-3  # an error of the two-sided limit that rounding does not explain


def notes_of(f: Function, graph: Graph, found: Measured) -> list[str]:
    """Sentences, those that weigh most first."""
    told = [
        *restless(graph, found), *not_finite(f, found), *taken_out(graph), *kinks(graph),
    ]  # fmt: skip
    return [*(told or far_off(found)), *graph.notes, measure(found)]


def restless(graph: Graph, found: Measured) -> list[str]:
    """A function that gives another value each time."""
    if not found.is_restless:
        return []
    told = (
        f"{graph.title} gives another value each time it runs, so that limits, which take "
        "differences between runs, mean nothing, and every way has another derivative; fix its "
        "random numbers"
    )
    return [told]


def taken_out(graph: Graph) -> list[str]:
    """Values that left the computation."""
    return [
        f"{reading.act} ({line_of(line_of_code(*reading.where))}) takes a value out of the "
        "computation: the sweeps hold it constant, the limits do not"
        for reading in graph.observation.readings[:1]
    ]


def far_off(found: Measured) -> list[str]:
    """A limit far from the sweeps, for no reason that is known."""
    error = {row.way: row.error for row in found.rows}["limit, two-sided"]
    if error is None or error < FAR or found.exact.is_zero:
        return []
    told = (
        "the two-sided limit is far off: its step does not suit this function, or what it sees is "
        "hidden from the sweeps (detach, a cast to whole numbers, a jump); ask qd.why"
    )
    return [told]


def not_finite(f: Function, found: Measured) -> list[str]:
    """Limits that leave the domain, and derivatives that are not finite."""
    if not np.isfinite(found.exact.gradient).all():
        return ["the derivative is not finite at this point; ask qd.why"]
    gone = [
        row.way
        for row in found.rows
        if row.gradient is not None and not np.isfinite(row.gradient).all()
    ]
    if not gone:
        return []
    if not math.isfinite(f(f.start)):
        return ["the function itself is not finite at this point; ask qd.why"]
    return [f"a step leaves the domain of the function, or meets a pole ({'; '.join(gone)})"]


def kinks(graph: Graph) -> list[str]:
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
    if found.exact.is_zero:
        relative = "" if found.exact.scale == 1.0 else " relative to |f| / max(|x|, 1),"
        return (
            "the derivative is zero, but for rounding; an error is the largest of an element,"
            f"{relative} against {against}"
        )
    return (
        "an error is the largest of an element, relative to the largest of the gradient, "
        f"against {against}"
    )
