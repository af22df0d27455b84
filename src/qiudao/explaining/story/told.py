"""What a story tells, before it is set as text, page or LaTeX."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from .chain import Chain
from .corrections import Correction
from .curve import Curve, Point
from .methods import Row


class Told(NamedTuple):
    """A title, the point, the ways, what to know of them, the curve, the chain, the corrections.

    `names` are those of the coordinates of the inputs: `x`, `w[0, 1]`.
    """

    title: str
    point: str
    names: list[str]
    rows: list[Row]
    notes: list[str]
    curve: Curve | None
    chain: Chain
    corrections: list[Correction]

    def json(self) -> dict[str, Any]:
        """Plain data; a number that is not finite is a string, as "nan"."""
        return {
            "title": self.title,
            "point": self.point,
            "names": self.names,
            "ways": [
                {
                    "way": r.way,
                    "gradient": None if r.gradient is None else [told(g) for g in r.gradient],
                    "error": None if r.error is None else told(r.error),
                    "evaluations": r.evaluations,
                    "operations": r.operations,
                    "seconds": r.seconds,
                    "note": r.note,
                }
                for r in self.rows
            ],
            "notes": self.notes,
            "curve": None if self.curve is None else curve_json(self.curve, self.names),
            "chain": {
                "values": [
                    {
                        "symbol": link.symbol,
                        "formula": link.text,
                        "latex": link.latex,
                        "expression": link.words,
                        "value": link.value,
                        "stands_for": link.many or 1,
                        "slopes": [f._asdict() for f in link.factors],
                    }
                    for link in self.chain.links
                ],
                "adjoints": [
                    {
                        "symbol": s.symbol,
                        "terms": [p._asdict() for p in s.products],
                        "total": s.total,
                    }
                    for s in self.chain.sums
                ],
            },
            "corrections": [c._asdict() for c in self.corrections],
        }


def told(x: float) -> float | str:
    """A number as JSON has it."""
    return float(x) if math.isfinite(x) else str(float(x))


def curve_json(curve: Curve, names: list[str]) -> dict[str, Any]:
    """The points of the V, the best of each limit, and where theory puts it."""

    def step_of(p: Point | None) -> float | None:
        return None if p is None else p.step

    one, two = curve.best
    return {
        "element": names[curve.element],
        "points": [[told(x) for x in p] for p in curve.points],
        "best": {"one_sided": step_of(one), "two_sided": step_of(two)},
        "theory": dict(zip(("one_sided", "two_sided"), curve.theory, strict=True)),
    }
