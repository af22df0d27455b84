"""Why a gradient is zero, wholly or in places: masked, off, multiplied by zero, cancelled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, Use, Vertex
from ..labels import brief
from ..summary import number
from .answer import Finding

CHOICES = {"maximum", "minimum", "fmax", "fmin", "clip", "where", "max", "min"}
READS = {"getitem", "takealong", "gather", "diagonal", "partition", "sort"}
FLATTENERS = {"tanh", "logistic", "exp", "exp2", "erf", "arctan", "sech", "expm1"}


def is_zero(x: Any) -> bool:
    """Whether all elements are exactly 0."""
    return x is not None and not np.any(np.asarray(x))


def why_zero(graph: Graph, x: Vertex) -> list[Finding]:
    """Why the whole gradient of `x` is zero."""
    alive = [use for use in x.terms if not is_zero(use.value)]
    if alive:
        terms = " + ".join(brief(use.value) for use in alive[:4])
        return [
            Finding(
                x.title,
                "cancelled",
                f"the gradient is 0 because its {len(alive)} terms cancel: {terms}",
                "the result really does not change with it, to first order",
                alive[0].reader.line if alive[0].reader is not None else None,
            )
        ]
    found = [killer for use in x.terms for killer in [killer_of(use, set())] if killer is not None]
    unique = list(dict.fromkeys(found))
    return [zero_finding(x, use) for use in unique[:3]] or [
        Finding(x.title, "zero", "the gradient is 0", "", None)
    ]


def killer_of(use: Use, seen: set[Vertex]) -> Use | None:
    """The use at which a gradient becomes zero, following the readers on to the output."""
    reader = use.reader
    if reader is None or reader in seen:
        return None
    seen.add(reader)
    if not is_zero(reader.gradient) and reader.gradient is not None:
        return use
    for onward in reader.terms:
        killer = killer_of(onward, seen)
        if killer is not None:
            return killer
    return None


def zero_finding(x: Vertex, use: Use) -> Finding:
    """A sentence about the operation whose slope is zero."""
    v = use.reader
    if v is None:
        return Finding(x.title, "zero", "the gradient is 0", "", None)
    sentence, cure = reason(v, use.position)
    return Finding(x.title, "zero", f"the gradient is 0: {sentence}", cure, v.line)


def reason(v: Vertex, position: int) -> tuple[str, str]:
    """Why the slope of an operation with respect to one operand is zero, and what to do."""
    operand = v.operands[position]
    if v.operation in CHOICES:
        return (
            f"{v.title} chose the other side for every element of {operand.title}",
            "it is flat there: start elsewhere, or use a smooth one (logaddexp for a maximum)",
        )
    if v.operation in READS:
        return f"{v.title} reads none of the elements that could change", ""
    if v.operation in ("multiply", "matmul", "einsum", "weigh"):
        other = v.operands[1 - position] if len(v.operands) == 2 else operand
        if is_zero(other.value):
            return f"in {v.title} the other factor, {other.title}, is 0", "give it another value"
    if v.operation in FLATTENERS and operand.value is not None:
        size = float(np.max(np.abs(np.asarray(operand.value)), initial=0.0))
        where = f"at {operand.title} of size {number(size, 3)}"
        return (
            f"{v.title} is saturated: {where} its slope is 0 to all digits",
            "scale its operand down (normalise, or start with smaller weights)",
        )
    if v.operation in ("absolute", "fabs", "vectornorm", "hypot", "power", "square"):
        return f"{v.title} is level at {operand.title} = {brief(operand.value)}", ""
    return f"the slope of {v.title} with respect to {operand.title} is 0 here", ""


def why_partly(x: Vertex) -> list[Finding]:
    """A note where choices leave more than half of the elements with a gradient of zero."""
    if x.gradient is None:
        return []
    a = np.asarray(x.gradient)
    zeros = int(a.size - np.count_nonzero(a))
    if a.size < 2 or 2 * zeros <= a.size:
        return []
    choosers = [use.reader for use in x.terms if use.reader and use.reader.operation in CHOICES]
    readers = [use.reader for use in x.terms if use.reader and use.reader.operation in READS]
    if choosers:
        why = f": {choosers[0].title} chose the other side there"
    elif readers:
        why = f": {readers[0].title} does not read them"
    else:
        why = ""
    line = (choosers or readers)[0].line if choosers or readers else None
    return [Finding(x.title, "partly zero", f"{zeros} of {a.size} elements are 0{why}", "", line)]
