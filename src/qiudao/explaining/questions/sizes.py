"""Gradients that vanish or explode: along which operations, and where it happened most."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..graph import Use, Vertex
from ..summary import number
from . import words
from .answer import Finding

EXTREME = 1e8  # times smaller, or larger, than the gradients that it comes from
SATURATING = {"tanh", "logistic", "exp", "exp2", "arctan", "erf", "sech", "expm1"}


def size_of(v: Vertex) -> float:
    """The largest element of a gradient, in absolute value."""
    return 0.0 if v.gradient is None else float(np.max(np.abs(np.asarray(v.gradient)), initial=0))


def largest(v: Vertex) -> str:
    """A gradient as text: the number, or the largest element's size."""
    if v.shape == ():
        return number(v.gradient[()], 3)  # type: ignore[index]
    return f"{number(size_of(v), 3)} at most"


def weight(use: Use) -> float:
    """The largest element of a term; one that is not known comes last."""
    known = use.value is not None and not isinstance(use.value, tuple)
    return float(np.max(np.abs(np.asarray(use.value)), initial=0)) if known else -1.0


def way_of(x: Vertex) -> list[Vertex]:
    """From a value to the output, at each step by the use with the largest term.

    Only values with a gradient of their own are on it: no tuples of several.
    """
    way, here = [x], x
    seen = {x}
    while True:
        uses = [use for use in here.terms if use.reader is not None]
        best = max(uses, key=weight, default=None)
        if best is None or best.reader is None or best.reader in seen:
            return way
        here = best.reader
        seen.add(here)
        if here.gradient is not None:
            way.append(here)


def why_size(x: Vertex, way: list[Vertex]) -> list[Finding]:
    """A finding where the gradient is out of all proportion to those that it comes from."""
    sizes = [size_of(v) for v in way]
    here, output = sizes[0], sizes[-1]
    if len(way) < 2 or here == 0 or output == 0 or not np.all(np.isfinite(sizes)):
        return []
    if here > output * EXTREME:
        return [exploded(x, way, sizes)]
    if here * EXTREME < max(sizes) and here < output:
        return [vanished(x, way, sizes)]
    return []


def factors_of(sizes: list[float]) -> list[float]:
    """What each operation, from the value to the output, multiplied the gradient by."""
    return [a / b if b > 0 else 1.0 for a, b in pairwise(sizes)]


def mean_factor(sizes: list[float]) -> float:
    """The factor that each operation would have, were they alike."""
    return float((sizes[0] / sizes[-1]) ** (1.0 / (len(sizes) - 1)))


def vanished(x: Vertex, way: list[Vertex], sizes: list[float]) -> Finding:
    """About a gradient that is very small."""
    factors = factors_of(sizes)
    k = int(np.argmin(factors))
    v, read = way[k + 1], way[k]
    most = int(np.argmax(sizes))
    place = "the output" if sizes[most] == sizes[-1] else words.actor(way[most])
    total = f"the gradient is {largest(x)}, from {number(sizes[most], 3)} at {place}"
    if factors[k] > 1e-3:
        each = number(mean_factor(sizes), 3)
        return Finding(
            x.title,
            "small",
            f"{total}: it shrinks little by little over {len(way) - 1} operations, by {each} each "
            f"in the mean, most in {words.actor(v)}, by {number(factors[k], 3)}",
            "shorten the chain, or keep the factors near 1 (residual connections, gates, scaling)",
            v.line,
        )
    if v.operation in SATURATING and read in v.operands and read.value is not None:
        reach = number(float(np.max(np.abs(np.asarray(read.value)), initial=0)), 3)
        name = words.operand(v, v.operands.index(read))
        return Finding(
            x.title,
            "small",
            f"{total}: {words.actor(v)} is saturated, at {name} of size {reach} its slope is "
            f"{number(factors[k], 3)}",
            "scale its operand down (normalise, or start with smaller weights)",
            v.line,
        )
    return Finding(
        x.title,
        "small",
        f"{total}: {words.actor(v)} multiplies it by {number(factors[k], 3)}",
        "look at the scale of its operands",
        v.line,
    )


def exploded(x: Vertex, way: list[Vertex], sizes: list[float]) -> Finding:
    """About a gradient that is very large."""
    factors = factors_of(sizes)
    k = int(np.argmax(factors))
    v = way[k + 1]
    total = f"the gradient is {largest(x)}, from {number(sizes[-1], 3)} at the output"
    if factors[k] < 1e3:
        each = number(mean_factor(sizes), 3)
        return Finding(
            x.title,
            "large",
            f"{total}: it grows little by little over {len(way) - 1} operations, by {each} each "
            f"in the mean, most in {words.actor(v)}, by {number(factors[k], 3)}",
            "shorten the chain, clip the gradient, or keep the factors near 1",
            v.line,
        )
    return Finding(
        x.title,
        "large",
        f"{total}: {words.actor(v)} multiplies it by {number(factors[k], 3)}",
        "look at the scale of its operands: a divisor near 0, a steep power, a large weight",
        v.line,
    )
