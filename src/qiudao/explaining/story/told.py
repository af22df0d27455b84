"""What a story tells, before it is set as text, page or LaTeX."""

from __future__ import annotations

from typing import Any, NamedTuple

from .chain import Chain
from .corrections import Correction
from .curve import Curve
from .methods import Row


class Told(NamedTuple):
    """A title, the point, the ways, the curve, the chain, and the corrections.

    `names` are those of the elements of the inputs: `x`, `w[0, 1]`.
    """

    title: str
    point: str
    names: list[str]
    rows: list[Row]
    curve: Curve | None
    chain: Chain
    corrections: list[Correction]

    def json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "title": self.title,
            "point": self.point,
            "names": self.names,
            "ways": [
                {
                    "way": r.way,
                    "gradient": None if r.gradient is None else r.gradient.tolist(),
                    "error": r.error,
                    "evaluations": r.evaluations,
                    "operations": r.operations,
                    "seconds": r.seconds,
                    "note": r.note,
                }
                for r in self.rows
            ],
            "curve": None
            if self.curve is None
            else {
                "element": self.names[self.curve.element],
                "points": [list(p) for p in self.curve.points],
            },
            "corrections": [c._asdict() for c in self.corrections],
        }
