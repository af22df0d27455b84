"""The V of the limits as a picture: errors over steps, drawn by hand as SVG."""

from __future__ import annotations

import math

from ..summary import number
from .curve import Curve, Point
from .plot import ten

WIDE, HIGH = 640.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 28.0, 16.0, 68.0
DEEPEST = 16.5  # decades of error that the picture holds
NAME = "errors of the one-sided and the two-sided limit over the step, both logarithmic"


class Axes:
    """Places in the picture; the short steps are on the right."""

    def __init__(self, curve: Curve) -> None:
        steps = [math.log10(p.step) for p in curve.points]
        self.first, self.last = max(steps), min(steps)

    def x(self, step: float) -> float:
        """Where a step is."""
        share = (self.first - math.log10(step)) / max(self.first - self.last, 1e-9)
        return LEFT + share * (WIDE - LEFT - RIGHT)

    def y(self, error: float) -> float:
        """Where an error is; what is above 3 stands at the edge."""
        share = 0.5 - min(math.log10(error), 0.5)
        return TOP + min(share / (DEEPEST + 0.5), 1.0) * (HIGH - TOP - BOTTOM)


def picture(curve: Curve) -> str:
    """An SVG element with both curves, the best step of each, and where theory puts it."""
    axes = Axes(curve)
    parts = [f'<svg viewBox="0 0 {WIDE:.0f} {HIGH:.0f}" role="img" aria-label="{NAME}">']
    for k in range(0, 17, 4):
        y = axes.y(10.0**-k)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDE - RIGHT}"/>')
        parts.append(words(LEFT - 8, y + 4, ten(-k), "", "end"))
    parts += [
        words(axes.x(10.0**-k), HIGH - BOTTOM + 18, ten(-k), "")
        for k in range(2, 17, 2)
        if axes.last <= -k <= axes.first
    ]
    middle = (LEFT + WIDE - RIGHT) / 2
    parts.append(words(middle, HIGH - 4, "step h, in units of max(|x|, 1)", ""))
    y = axes.y(curve.eps / 2)
    parts.append(f'<path class="sweep" d="M{LEFT} {y:.1f}H{WIDE - RIGHT}"/>')
    parts.append(words(LEFT + 6, y - 6, "a sweep", "sweep", "start"))
    for kind, name, root, best, theory, errors in (
        ("one", "one-sided", "√eps", curve.best[0], curve.theory[0],
         [p.one_sided for p in curve.points]),
        ("two", "two-sided", "∛eps", curve.best[1], curve.theory[1],
         [p.two_sided for p in curve.points]),
    ):  # fmt: skip
        at = axes.x(theory)
        parts.append(f'<path class="{kind} theory" d="M{at:.1f} {TOP}V{HIGH - BOTTOM + 42}"/>')
        side, shift = ("start", 4) if kind == "one" else ("end", -4)
        name_of_theory = f"{root} = {number(theory, 2)}"
        parts.append(words(at + shift, HIGH - BOTTOM + 41, name_of_theory, kind, side))
        parts.append(f'<path class="{kind}" d="{line(axes, curve.points, errors)}"/>')
        if best is not None:
            least = best.one_sided if kind == "one" else best.two_sided
            x, y = axes.x(best.step), axes.y(least)
            parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
            below = -30 if kind == "one" else 20  # within its own V, and below both
            parts.append(words(x, y + below, f"{name}: {number(best.step, 2)}", f"{kind} halo"))
    return "".join([*parts, "</svg>"])


def line(axes: Axes, points: list[Point], errors: list[float]) -> str:
    """A path through the finite errors, broken at the others."""
    path, pen = "", "M"
    for p, e in zip(points, errors, strict=True):
        if math.isfinite(e):
            path += f"{pen}{axes.x(p.step):.1f} {axes.y(e):.1f}"
        pen = "L" if math.isfinite(e) else "M"
    return path


def words(x: float, y: float, text: str, kind: str, anchor: str = "middle") -> str:
    """A text in the picture."""
    classes = f' class="{kind}"' if kind else ""
    return f'<text{classes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
