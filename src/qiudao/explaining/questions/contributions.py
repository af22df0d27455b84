"""`qd.contributions`: the terms that a gradient is the sum of, one for each use of the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.errors import GradientError
from ...core.source import Line
from ...tape.tensor import Tensor
from ..graph import Vertex, build
from ..labels import brief, line_of
from ..summary import number
from ..tape import read_tape
from .why import vertex_of


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one use of a value adds to its gradient.

    `expression` reads the value as its operand `position`; `share` is the size of `term` (the sum
    of absolute elements) as a part of those of all terms.
    """

    expression: str
    position: int
    line: Line | None
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
                    "term": np.asarray(t.term).tolist(),
                    "share": t.share,
                }
                for t in self.terms
            ],
        }

    def __repr__(self) -> str:
        rows = [f"gradient of {self.value} = {brief(self.gradient)}"]
        for t in self.terms:
            place = "" if t.line is None else f"  {line_of(t.line)}"
            share = f"{number(100 * t.share, 3)} %"
            rows.append(f"  + {brief(t.term):<24} {share:>7}  through {t.expression}{place}")
        return "\n".join(rows)


def contributions(output: Tensor, value: Tensor) -> Contributions:
    """The terms whose sum is the gradient of `output` with respect to `value`, one for each use.

    `output` is a tensor (the sum of its elements counts) and `value` a tensor that it was computed
    from, a leaf or not.  The tape behind `output` must not have been freed, and stays as it is.

    Raises `GradientError` where there is no graph, or no way from `value` to `output`.

    >>> import qiudao as qd
    >>> x = qd.tensor(3.0, requires_grad=True)
    >>> [float(t.term) for t in qd.contributions(x * x + x, x).terms]
    [1.0, 3.0, 3.0]
    """
    seen, notes = read_tape([output], {}, "contributions")
    graph = build(seen, "the tape behind a tensor", notes)
    v = vertex_of(graph, value)
    if v is None or v.gradient is None:
        reason = notes[0] if v is not None and notes else "the output was computed without it"
        raise GradientError(
            f"contributions: no gradient arrives at this value, for {reason}; ask qd.why"
        )
    return of_vertex(v)


def of_vertex(v: Vertex) -> Contributions:
    """The contributions to the gradient of a vertex."""
    known = [t for t in v.terms if t.value is not None]
    sizes = [float(np.sum(np.abs(np.asarray(t.value)))) for t in known]
    total = sum(sizes)
    terms = [
        Contribution(
            "the output itself" if t.reader is None else t.reader.title,
            t.position,
            None if t.reader is None else t.reader.line,
            t.value,
            size / total if total else 0.0,
        )
        for t, size in zip(known, sizes, strict=True)
    ]
    return Contributions(v.title, v.gradient, terms)
