"""`qd.contributions`: the terms that a gradient is the sum of, one for each use of the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.errors import GradientError
from ...core.source import Line
from ...tape.tensor import Tensor
from ..graph import Graph, Vertex, build
from ..labels import brief, line_of
from ..summary import number
from ..tape import read_tape
from .why import refuse_freed, vertex_of
from .words import actor

MOST = 24  # terms that are printed


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use of a value adds to its gradient.

    `expression` reads the value as its operand `position`, in the loop's `turn` if it is in one;
    `share` is the size of `term` (the sum of absolute elements) as a part of those of all terms.
    """

    expression: str
    position: int
    line: Line | None
    turn: str | None
    term: Value
    share: float


class Contributions:
    """The terms of one gradient, in the order in which the sweep adds them; printed, a table."""

    def __init__(self, value: str, gradient: Value, terms: list[Contribution]) -> None:
        self.value = value
        self.gradient = gradient
        self.terms = terms

    def json(self) -> dict[str, Any]:
        """Plain data: the value's name, its gradient, and the terms with their places."""
        return {
            "value": self.value,
            "gradient": np.asarray(self.gradient).tolist(),
            "terms": [
                {
                    "expression": t.expression,
                    "position": t.position,
                    "line": None if t.line is None else t.line._asdict(),
                    "turn": t.turn,
                    "term": np.asarray(t.term).tolist(),
                    "share": t.share,
                }
                for t in self.terms
            ],
        }

    def __repr__(self) -> str:
        rows = [f"gradient of {self.value} = {brief(self.gradient)}"]
        shown = self.terms[:MOST]
        room = max((len(brief(t.term)) for t in shown), default=0)
        for t in shown:
            place = "" if t.line is None else f"  {line_of(t.line)}"
            turn = "" if t.turn is None else f", {t.turn}"
            share = f"{number(100 * t.share, 3)} %"
            words = f"through {t.expression}{place}{turn}"
            rows.append(f"  + {brief(t.term):<{room}}  {share:>7}  {words}")
        rest = self.terms[MOST:]
        if rest:
            share = number(100 * sum(t.share for t in rest), 3)
            rows.append(f"  + {len(rest)} more terms, {share} % together")
        return "\n".join(rows)


def contributions(output: Tensor, value: Tensor) -> Contributions:
    """The terms whose sum is the gradient of `output` with respect to `value`, one for each use.

    `output` is a tensor (the sum of its elements counts) and `value` a tensor that it was computed
    from, a leaf or not.  The tape behind `output` must not have been freed, and stays as it is.

    Raises `GradientError` where there is no graph, or no way from `value` to `output`;
    `FreedError` where a sweep has freed the tape; `TypeError` for what is no tensor.

    >>> import qiudao as qd
    >>> x = qd.tensor(3.0, requires_grad=True)
    >>> [float(t.term) for t in qd.contributions(x * x + x, x).terms]
    [1.0, 3.0, 3.0]
    """
    for x in (output, value):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"contributions: {type(x).__name__} {x!r} is not a tensor; of a function ask "
                "qd.explain(f, *args).contributions(name)"
            )
    seen, notes = read_tape([output], {}, "contributions")
    refuse_freed(seen, "contributions")
    v = vertex_of(build(seen, "the tape behind a tensor", notes), value)
    if v is None:
        raise GradientError(
            "contributions: no gradient arrives at this value, for the output was computed "
            "without it; ask qd.why"
        )
    return of_vertex(v)


def of_name(graph: Graph, name: str) -> Contributions:
    """The contributions to the first value of a graph that has this name or expression."""
    named = [v for v in graph.vertices if name in (v.name, v.expression)]
    if not named:
        known = ", ".join(dict.fromkeys(v.name for v in graph.vertices if v.name is not None))
        raise GradientError(
            f"contributions: no value is called {name!r}; ask for one of {known or 'none'}, or an "
            "expression as it stands in the source"
        )
    return of_vertex(named[0])


def of_vertex(v: Vertex) -> Contributions:
    """The contributions to the gradient of a vertex."""
    if v.gradient is None:
        raise GradientError(
            f"contributions: no gradient arrives at {v.title}, for no derivative passes on from "
            "it to the output; ask qd.why"
        )
    known = [t for t in v.terms if t.value is not None]
    sizes = [float(np.sum(np.abs(np.asarray(t.value)))) for t in known]
    total = sum(sizes)
    terms = [
        Contribution(
            "the output itself" if t.reader is None else whole(t.reader),
            t.position,
            None if t.reader is None else t.reader.line,
            None if t.reader is None else turn_of(t.reader),
            t.value,
            size / total if total else 0.0,
        )
        for t, size in zip(known, sizes, strict=True)
    ]
    return Contributions(v.title, v.gradient, terms)


def whole(v: Vertex) -> str:
    """What the user wrote there, whatever name it was given."""
    return v.expression or actor(v)


def turn_of(v: Vertex) -> str | None:
    """The turn of the innermost loop that a value was made in: `i = 3`."""
    group = v.group
    while group is not None and group.kind != "iteration":
        group = group.parent
    return None if group is None else group.title
