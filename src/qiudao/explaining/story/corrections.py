"""Common errors, with the numbers that this very function gives for them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..branching.kinks import kinks_of
from ..graph import Graph, Vertex
from ..summary import number
from .function import Function
from .methods import Measured

MANY = 5  # terms of a gradient that are written out
ROUNDING = 8  # an error of fewer times eps is not one of differences


class Correction(NamedTuple):
    """What one might think, and what is so here."""

    error: str
    truth: str


def corrections_of(
    found: Measured, f: Function, graph: Graph, names: dict[Vertex, str]
) -> list[Correction]:
    """Those of the errors that can be made with this function."""
    made = [twice(graph, names), last(graph, names)]
    if not found.is_restless:
        made = [chaining(found, f, graph, names), all_ones(found, f), *made]
    return [c for c in made if c is not None]


def chaining(
    found: Measured, f: Function, graph: Graph, names: dict[Vertex, str]
) -> Correction | None:
    """Limits of the parts against a limit of the whole."""
    errors = {row.way: row.error for row in found.rows}
    whole, parts = errors["limit, one-sided"], errors["limits, chained"]
    if whole is None or parts is None or not math.isfinite(whole + parts):
        return None
    if found.exact.is_zero or parts < ROUNDING * max(f.eps, default=0.0):
        return None  # sums and products of round numbers: there is nothing to add up
    made = [v for v in graph.vertices if v.kind == "operation" and v.flows]
    if len(made) < 2 or any(kink.touched for kink in kinks_of(graph.observation)):
        return None
    one = f"{number(whole, 2)} of one limit of the whole function"
    if parts > 1.5 * whole:
        beside = f"more than the {one}"
    elif parts > whole / 1.5:
        beside = f"about the {one}"
    elif whole < 1e-3:
        beside = f"less than the {one}, as happens where errors cancel"
    else:
        beside = f"less than the {one}, whose step does not suit the function as a whole"
    local = locals_of(found, graph, names)
    off = f" ({local})" if local else ""
    return Correction(
        "The chain rule is exact, so differences of the parts, chained, are exact.",
        f"Each difference has an error of its own{off}, and the chain multiplies and adds them: "
        f"{number(parts, 2)} here, {beside}. The sweeps chain exact local derivatives.",
    )


def locals_of(found: Measured, graph: Graph, names: dict[Vertex, str], most: int = 3) -> str:
    """The largest errors of the limits of single operations: `dv1/dx is off by 3e-9`."""
    errors = []
    for v in graph.vertices:
        for k, x in enumerate(v.operands):
            change = found.slopes.get((v.step, k)) if v.step is not None else None
            slope = v.slopes[k] if k < len(v.slopes) else None
            if change is None or slope is None or v not in names or x not in names:
                continue
            if slope.value is None or np.size(slope.value) != 1:
                continue
            exact = float(np.real(np.reshape(slope.value, ())))
            if exact and math.isfinite(exact) and abs(change / exact - 1) > 0:
                errors.append((abs(change / exact - 1), f"d{names[v]}/d{names[x]}"))
    errors.sort(key=lambda e: -e[0])
    told = dict.fromkeys(f"{what} is off by {number(error, 2)}" for error, what in errors)
    return ", ".join(list(told)[:most])


def all_ones(found: Measured, f: Function) -> Correction | None:
    """A tangent of all ones against the partial derivatives."""
    forward = found.rows[-2].gradient
    if forward is None or forward.size < 2 or any(v.dtype.kind == "c" for v in f.values):
        return None
    with np.errstate(all="ignore"):
        ones = f.push_ones()
    if not math.isfinite(ones):
        return None
    parts = ", ".join(
        f"d/d{name} = {number(g, 4)}" for name, g in zip(f.labels[:3], forward[:3], strict=False)
    )
    more = ", ..." if forward.size > 3 else ""
    return Correction(
        "A forward sweep with all tangents 1 gives every partial derivative.",
        f"It gives one number, the derivative along (1, ..., 1), which is their sum: "
        f"{number(ones, 4)}. The partial derivatives are {parts}{more}, a sweep each.",
    )


def terms_of(v: Vertex) -> list[float]:
    """The terms of a gradient: of its largest element where it is an array; none if not known."""
    values = [np.asarray(t.value) for t in v.terms if t.value is not None]
    if len(values) < max(2, len(v.terms)) or v.gradient is None:
        return []
    if any(a.dtype.kind == "c" for a in values) or not all(np.isfinite(a).all() for a in values):
        return []
    if not np.size(v.gradient):
        return []
    k = int(np.argmax(np.abs(np.asarray(v.gradient)).reshape(-1)))
    return [float(np.broadcast_to(a, v.shape or ()).reshape(-1)[k]) for a in values]


def title_of(v: Vertex, names: dict[Vertex, str]) -> str:
    """A value by its symbol, and which element of it: `v1`, `x[2]`."""
    if math.prod(v.shape or ()) == 1 or v.gradient is None:
        return names[v]
    k = int(np.argmax(np.abs(np.asarray(v.gradient)).reshape(-1)))
    index = ", ".join(str(int(i)) for i in np.unravel_index(k, v.shape or ()))
    return f"{names[v]}[{index}]"


def twice(graph: Graph, names: dict[Vertex, str]) -> Correction | None:
    """A running total passed on at each arrival against the sum passed on once."""
    for v in graph.vertices:
        terms = terms_of(v) if v.kind == "operation" else []
        if not terms or not all(terms) or v not in names or len(terms) > MANY:
            continue
        running = np.cumsum(terms)
        wrong = " + ".join(
            f"({added(terms[: k + 1])})" if k else number(terms[0], 4) for k in range(len(terms))
        )
        return Correction(
            "The gradient of a value within can be passed on each time a term arrives.",
            f"{title_of(v, names)} is used {len(terms)} times. Its gradient is the sum, "
            f"{added(terms)} = {number(running[-1], 4)}, and is passed on once, when all terms "
            "are there. Passing the running total on at each arrival counts terms again: "
            f"{wrong} = {number(float(running.sum()), 4)}.",
        )
    return None


def last(graph: Graph, names: dict[Vertex, str]) -> Correction | None:
    """The last term kept against the sum of all."""
    for v in graph.inputs:
        terms = terms_of(v)
        if not terms or not all(terms):
            continue
        return Correction(
            "The gradient of an input is what arrives at it.",
            f"{title_of(v, names)} is used {len(terms)} times, and what arrives is added: "
            f"{added(terms)} = {number(math.fsum(terms), 4)}. Setting it instead of adding to it "
            f"would leave the last term alone, {number(terms[-1], 4)}.",
        )
    return None


def added(terms: list[float]) -> str:
    """`1 + 0.932 - 2`; of many terms the first few and the last."""
    shown = [number(t, 4) for t in terms]
    if len(shown) > MANY:
        shown = [*shown[: MANY - 2], "...", shown[-1]]
    return " + ".join(shown).replace("+ -", "- ")
