"""Gradients that vanish or explode: along which operations, and where it happened most."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..graph import Graph, Vertex
from ..summary import number
from .answer import Finding

EXTREME = 1e8  # times smaller, or larger, than the gradients that it comes from
SATURATING = {"tanh", "logistic", "exp", "arctan", "erf", "expm1"}


def size_of(v: Vertex) -> float:
    """The largest element of a gradient, in absolute value."""
    return 0.0 if v.gradient is None else float(np.max(np.abs(np.asarray(v.gradient)), initial=0))


def way_of(x: Vertex) -> list[Vertex]:
    """From a value to the output, at each step by the use with the largest term."""
    way = [x]
    seen = {x}
    while True:
        uses = [u for u in way[-1].terms if u.reader is not None and u.value is not None]
        best = max(uses, key=lambda u: float(np.max(np.abs(u.value), initial=0)), default=None)  # type: ignore[arg-type]
        if best is None or best.reader is None or best.reader in seen:
            return way
        way.append(best.reader)
        seen.add(best.reader)


def why_size(graph: Graph, x: Vertex) -> list[Finding]:
    """A finding where the gradient is out of all proportion to those that it comes from."""
    way = way_of(x)
    sizes = [size_of(v) for v in way]
    here, most, least = sizes[0], max(sizes), min(s for s in sizes if s > 0)
    if len(way) < 2 or here == 0:
        return []
    if here * EXTREME < most:
        return [vanished(x, way, sizes)]
    if here > least * EXTREME and here > EXTREME:
        return [exploded(x, way, sizes)]
    return []


def factors_of(sizes: list[float]) -> list[float]:
    """What each operation, from the value to the output, multiplied the gradient by."""
    return [a / b if b > 0 else 1.0 for a, b in pairwise(sizes)]


def mean_factor(sizes: list[float]) -> float:
    """The factor that each operation would have, were they alike."""
    return float((sizes[0] / sizes[-1]) ** (1.0 / (len(sizes) - 1))) if sizes[-1] else 1.0


def vanished(x: Vertex, way: list[Vertex], sizes: list[float]) -> Finding:
    """About a gradient that is very small."""
    factors = factors_of(sizes)
    k = int(np.argmin(factors))
    v, operand = way[k + 1], way[k]
    total = f"the gradient is {number(sizes[0], 3)}, from {number(max(sizes), 3)} further on"
    if factors[k] > 1e-3:
        each = number(mean_factor(sizes), 3)
        return Finding(
            x.title,
            "small",
            f"{total}: it shrinks little by little over {len(way) - 1} operations, by {each} each "
            "in the mean",
            "shorten the chain, or keep the factors near 1 (residual connections, gates, scaling)",
            v.line,
        )
    if v.operation in SATURATING and operand.value is not None:
        reach = number(float(np.max(np.abs(np.asarray(operand.value)), initial=0)), 3)
        return Finding(
            x.title,
            "small",
            f"{total}: {v.title} is saturated, at {operand.title} of size {reach} its slope is "
            f"{number(factors[k], 3)}",
            "scale its operand down (normalise, or start with smaller weights)",
            v.line,
        )
    return Finding(
        x.title,
        "small",
        f"{total}: {v.title} multiplies it by {number(factors[k], 3)}",
        "look at the scale of its operands",
        v.line,
    )


def exploded(x: Vertex, way: list[Vertex], sizes: list[float]) -> Finding:
    """About a gradient that is very large."""
    factors = factors_of(sizes)
    k = int(np.argmax(factors))
    v = way[k + 1]
    total = f"the gradient is {number(sizes[0], 3)}, from {number(sizes[-1], 3)} at the output"
    if factors[k] < 1e3:
        each = number(mean_factor(sizes), 3)
        return Finding(
            x.title,
            "large",
            f"{total}: it grows little by little over {len(way) - 1} operations, by {each} each "
            "in the mean",
            "shorten the chain, clip the gradient, or keep the factors near 1",
            v.line,
        )
    return Finding(
        x.title,
        "large",
        f"{total}: {v.title} multiplies it by {number(factors[k], 3)}",
        "look at the scale of its operands: a divisor near 0, a steep power, a large weight",
        v.line,
    )
