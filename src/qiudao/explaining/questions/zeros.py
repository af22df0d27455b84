"""Why a gradient is zero, wholly or in places: masked, off, multiplied by zero, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...core.node import Equation, Freed
from ..graph import Use, Vertex
from ..labels import brief
from ..summary import number
from ..sweeps import pulled
from . import words
from .answer import Finding

MOST = 3  # findings about one value
CHOOSERS = {"maximum", "minimum", "fmax", "fmin", "clip", "where", "max", "min"}
READERS = {"getitem", "takealong", "gather", "diagonal", "partition", "sort"}
FACTORS = {"multiply", "matmul", "einsum", "weigh", "convolve"}
FLATTENERS = {"tanh", "logistic", "exp", "exp2", "erf", "arctan", "sech", "expm1"}
POINTED = {"absolute", "fabs", "vectornorm", "hypot", "arctan2", "root"}
SHOWN = 4  # terms that are written out


def is_zero(x: Any) -> bool:
    """Whether all elements are exactly 0."""
    return x is not None and not isinstance(x, tuple) and not np.any(np.asarray(x))


class Blocked(NamedTuple):
    """A use of a value through which nothing passes: by itself, or only for what arrives there."""

    use: Use
    wholly: bool


def why_zero(x: Vertex) -> list[Finding]:
    """Why the whole gradient of `x` is zero: what blocks it first is said first."""
    blocked: list[Blocked] = []
    cancelled: list[Vertex] = []
    for v in dead_ones(x):
        if any(not is_zero(use.value) and use.value is not None for use in v.terms):
            cancelled.append(v)
            continue
        for use in v.terms:
            if use.reader is None:
                continue
            wholly = blocks(use)
            if wholly or is_alive(use.reader):
                blocked.append(Blocked(use, wholly))
    blocked.sort(key=lambda b: b.use.reader.id if b.use.reader is not None else 0)
    found = [zero_finding(x, b) for b in blocked] + [cancelling(x, v) for v in cancelled]
    unique = list({(f.sentence, f.line): f for f in found}.values())
    return unique[:MOST] or [Finding(x.title, "zero", "the gradient is 0", "", None)]


def dead_ones(x: Vertex) -> Iterator[Vertex]:
    """`x` and what is computed from it, up to where the gradient is not zero."""
    waiting, seen = [x], {x}
    while waiting:
        v = waiting.pop()
        yield v
        for use in v.terms:
            if use.reader is not None and use.reader not in seen and not is_alive(use.reader):
                seen.add(use.reader)
                waiting.append(use.reader)


def is_alive(v: Vertex) -> bool:
    """Whether a gradient that is not zero arrives; of several results, at any of them."""
    if v.gradient is not None:
        return not is_zero(v.gradient)
    return any(
        use.reader is not None
        and use.reader.gradient is not None
        and not is_zero(use.reader.gradient)
        for use in v.terms
    )


def blocks(use: Use) -> bool:
    """Whether an operation would pass nothing on to this operand, whatever arrived at it."""
    step = None if use.reader is None else use.reader.step
    node = None if step is None else step.node
    if step is None or not isinstance(node, Equation) or node.is_several:
        return False
    if isinstance(node.operands, Freed):
        return False
    size = int(np.prod(node.shape))
    ct = np.linspace(1.0, 2.0, size).astype(node.dtype).reshape(node.shape)[()]
    with np.errstate(all="ignore"):
        return is_zero(pulled(step, ct)[use.position])


def cancelling(x: Vertex, v: Vertex) -> Finding:
    """About terms that are not zero, but sum to it."""
    terms = [use for use in v.terms if use.value is not None and not is_zero(use.value)]
    listed = " + ".join(brief(use.value) for use in terms[:SHOWN])
    more = f" and {len(terms) - SHOWN} more" if len(terms) > SHOWN else ""
    of = "its" if v is x else "the"
    where = "" if v is x else f" of the gradient of {words.actor(v)}"
    rounding = "" if is_zero(v.gradient) else ", but for rounding"
    left = 0 if is_zero(x.gradient) else brief(x.gradient)
    return Finding(
        x.title,
        "cancelled",
        f"the gradient is {left} because {of} {len(terms)} terms{where} cancel"
        f"{rounding}: {listed}{more}",
        "to first order the result does not change with it; if it should, look at these uses",
        next((use.reader.line for use in terms if use.reader is not None), v.line),
    )


def why_rounding(x: Vertex, way: list[Vertex]) -> list[Finding]:
    """A finding where terms cancel on the way from `x`, and only their rounding is left."""
    return [cancelling(x, v) for v in way if is_rounding(v)][:1]


def is_rounding(v: Vertex) -> bool:
    """Whether a gradient is no larger than the rounding of the terms that it is the sum of."""
    terms = [np.asarray(use.value) for use in v.terms if use.value is not None]
    if len(terms) < 2 or v.gradient is None:
        return False
    left = np.max(np.abs(np.asarray(v.gradient)), initial=0.0)
    sizes = np.max(sum(np.abs(t) for t in terms), initial=0.0)
    eps = np.finfo(np.asarray(v.gradient).dtype).eps
    return bool(left <= 2 * len(terms) * eps * sizes)


def zero_finding(x: Vertex, blocked: Blocked) -> Finding:
    """A sentence about the operation whose slope is zero."""
    v = blocked.use.reader
    if v is None:
        return Finding(x.title, "zero", "the gradient is 0", "", None)
    sentence, cure = reason(v, blocked.use.position, blocked.wholly)
    return Finding(x.title, "zero", f"the gradient is 0: {sentence}", cure, v.line)


def reason(v: Vertex, position: int, wholly: bool) -> tuple[str, str]:
    """Why an operation passes nothing on to one operand, and what to do.

    Not `wholly`: it does for some elements, but for none to which a gradient arrives.
    """
    x = v.operands[position]
    act, name = words.actor(v), words.operand(v, position)
    one = words.is_one(x)
    where = "" if one else " everywhere" if wholly else " where its own gradient is not 0"
    if v.operation in CHOOSERS:
        chose = f"did not choose {name}{where}"
        if v.operation in ("maximum", "minimum"):
            chose = f"chose {words.operand(v, 1 - position)} over {name}{where}"
        elif wholly and not one:
            chose = f"chose {name} nowhere"
        return (
            f"{act} {chose}",
            "it is flat there: start elsewhere, or use a smooth one (logaddexp for a maximum)",
        )
    if v.operation == "setitem" and position == 0:
        return (
            f"{act} writes over {name}{where}",
            "leave it out, or write what is computed from the old value",
        )
    if v.operation in READERS:
        return f"{act} does not read the elements of {name} that could change it", ""
    factors = v.operation in FACTORS and len(v.operands) == 2
    if factors and is_zero(v.operands[1 - position].value):
        called = words.operand(v, 1 - position)
        factor = "the other factor" if called in ("0", "0.0") else f"the other factor, {called},"
        return f"in {act} {factor} is 0{where}", "give it another value"
    if x.value is None or isinstance(x.value, tuple):
        return f"the slope of {act} with respect to {name} is 0 here", ""
    if v.operation in FLATTENERS:
        size = number(float(np.max(np.abs(np.asarray(x.value)), initial=0.0)), 3)
        return (
            f"{act} is saturated: at {name} of size {size} its slope is 0 to all digits",
            "scale its operand down (normalise, or start with smaller weights)",
        )
    if v.operation in POINTED:
        softer = ", or round the kink off: np.sqrt(x**2 + tiny) for |x|"
        return (
            f"{act} has a kink at {name} = {brief(x.value)}, where its slope counts as 0",
            f"start elsewhere{softer if v.operation != 'arctan2' else ''}",
        )
    if v.operation in ("power", "square"):
        return f"{act} is level at {name} = {brief(x.value)}", "start elsewhere"
    if v.operation == "prod":
        return f"{act} has more than one factor that is 0", ""
    return f"the slope of {act} with respect to {name} is 0 here", ""


def why_partly(x: Vertex, way: list[Vertex]) -> list[Finding]:
    """A note where more than half of the elements have a gradient of zero, and what made them so.

    `way` leads from `x` to the output.
    """
    a = np.asarray(x.gradient)
    zeros = int(a.size - np.count_nonzero(a))
    if a.size < 2 or not is_sparse(x):
        return []
    dropper = next((v for v in way[1:] if not is_sparse(v)), None)
    why, line = "", None
    if dropper is not None:
        act, line = words.actor(dropper), dropper.line
        if dropper.operation in CHOOSERS:
            why = f": {act} did not choose them"
        elif dropper.operation in READERS:
            why = f": {act} does not read them"
        else:
            why = f": {act} passes nothing on to them"
    return [Finding(x.title, "partly zero", f"{zeros} of {a.size} elements are 0{why}", "", line)]


def is_sparse(v: Vertex) -> bool:
    """Whether more than half of the elements of a gradient are zero."""
    a = np.asarray(v.gradient)
    return bool(2 * np.count_nonzero(a) < a.size)
