"""The V of the limits in letters: 1 for the one-sided limit, 2 for the two-sided, * for both."""

from __future__ import annotations

import math

from ..summary import number
from .curve import Curve, Point

SIDES = (("1", "one-sided", "sqrt"), ("2", "two-sided", "cbrt"))
EDGE = 8  # columns left of the plot


def plot(curve: Curve, width: int) -> list[str]:
    """A row for each decade of error, a column or two for each half decade of the step."""
    columns = {round(-2 * math.log10(p.step)): p for p in curve.points}
    marks = marks_of(columns)
    first, last = min(columns), max(columns)
    each = 2 if EDGE + 2 * (last - first + 1) <= width else 1
    bottom = min((row for row, _ in marks), default=0)
    lines = []
    for row in range(0, bottom - 1, -1):
        cells = (marks.get((row, k), " ").ljust(each) for k in range(first, last + 1))
        line = "".join(cells).rstrip()
        if line or row in (0, bottom):
            lines.append(f"{ten(row):>6} |{line}")
        elif not lines[-1].endswith(":"):
            lines.append("       :")
    lines.append(f"       +{'-' * each * (last - first + 1)}")
    lines.append(f"step h  {axis(first, last, each, width - EDGE)}")
    for (mark, side, root), best, theory in zip(SIDES, curve.best, curve.theory, strict=True):
        told = f"{best_words(best)}; theory: {root}(eps) = {number(theory, 2)}"
        lines.append(f"{mark} {side}: {told}")
    return lines


def marks_of(columns: dict[int, Point]) -> dict[tuple[int, int], str]:
    """What stands where: by the decade of the error and the half decade of the step."""
    marks: dict[tuple[int, int], str] = {}
    for k, p in columns.items():
        for mark, error in (("1", p.one_sided), ("2", p.two_sided)):
            if math.isfinite(error):
                row = min(math.floor(math.log10(error)), 0)
                marks[row, k] = "*" if (row, k) in marks else mark
    return marks


def axis(first: int, last: int, each: int, room: int) -> str:
    """The steps under the plot, where there is room for them."""
    letters = [" "] * (each * (last - first) + 8)
    for k in range(first, last + 1):
        if k % (8 // each) == 0:
            label, at = ten(-k // 2), each * (k - first)
            if at + len(label) > room:
                break
            letters[at : at + len(label)] = label
    return "".join(letters).rstrip()


def ten(power: int) -> str:
    """`1e-4`."""
    return f"1e{power}" if power else "1"


def best_words(best: Point | None) -> str:
    """Where the error is least."""
    return "no finite error" if best is None else f"least error at h = {number(best.step, 2)}"
