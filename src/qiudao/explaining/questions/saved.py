"""`qd.saved`: what the tape behind a tensor keeps for the backward sweep, in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.node import Equation, Freed
from ...core.source import Line
from ...tape.reaching import age, walk
from ...tape.tensor import Tensor
from ...transforms.checkpoint import Recompute
from ..expressions import expression_at
from ..labels import line_of
from ..summary import counted


@dataclass(slots=True)
class SavedBy:
    """What the operations of one place in the source keep: their number, and bytes."""

    operation: str
    expression: str
    line: Line
    operations: int
    bytes: int


class Saved:
    """What a tape keeps: `total` bytes, `places` with a `SavedBy` each, the largest first.

    Arrays that several operations keep are counted once, at the first; `freed` is the number of
    operations whose values a backward sweep has let go.
    """

    def __init__(self, places: list[SavedBy], freed: int) -> None:
        self.places = places
        self.freed = freed

    @property
    def total(self) -> int:
        """All bytes together."""
        return sum(p.bytes for p in self.places)

    def __repr__(self) -> str:
        count = sum(p.operations for p in self.places)
        rows = [f"{self.total:,} bytes kept for {counted(count, 'operation')}"]
        rows += [
            f"  {p.bytes:>12,}  {p.operations:>5} x {p.operation:<12} {p.expression}"
            f"  {line_of(p.line)}"
            for p in self.places
            if p.bytes
        ]
        if self.freed:
            were = counted(self.freed, "operation was", "operations were")
            rows.append(f"  {were} freed by a backward sweep")
        if self.total:
            rows.append(
                "  a backward sweep frees it (unless retain_graph=True); qd.checkpoint keeps only "
                "inputs and computes the rest again"
            )
        return "\n".join(rows)


def saved(output: Tensor) -> Saved:
    """What the tape behind a tensor keeps so that it can be swept: bytes by operation and line.

    Raises `TypeError` for what is no tensor.

    >>> import qiudao as qd
    >>> x = qd.tensor(np.ones(1000), requires_grad=True)
    >>> qd.saved(np.sum(np.sin(x))).total  # sin keeps its operand; sum keeps nothing
    8000
    """
    if not isinstance(output, Tensor):
        raise TypeError(
            f"saved: {type(output).__name__} {output!r} is not a tensor; of a function ask "
            "qd.profile(f, *args)"
        )
    node = output.node
    nodes = [] if node is None else sorted(walk([node]), key=age)
    places: dict[Any, SavedBy] = {}
    counted: set[int] = set()
    freed = 0
    for n in nodes:
        if not isinstance(n, Equation):
            continue
        if isinstance(n.operands, Freed):
            freed += 1
            continue
        key = n.code, n.offset, n.primitive.label
        if key not in places:
            words = expression_at(n.code, n.offset) or ""
            places[key] = SavedBy(n.primitive.label, words, n.line, 0, 0)
        place = places[key]
        place.operations += 1
        inside = n.primitive.kept_results() if isinstance(n.primitive, Recompute) else ()
        for a in kept_arrays((*n.operands, n.out, *inside)):
            owner: Any = a if a.base is None else a.base
            if id(owner) not in counted:
                counted.add(id(owner))
                place.bytes += getattr(owner, "nbytes", a.nbytes)
    return Saved(sorted(places.values(), key=lambda p: -p.bytes), freed)


def kept_arrays(xs: Any) -> list[np.ndarray[Any, Any]]:
    """The arrays among what an equation keeps."""
    found: list[np.ndarray[Any, Any]] = []
    for x in xs:
        if isinstance(x, tuple):
            found += kept_arrays(x)
        elif isinstance(x, np.ndarray):
            found.append(x)
        elif isinstance(x, np.generic):
            found.append(np.asarray(x))
    return found
