"""The story as one page: a table, the V of the limits as a picture, the chain, the corrections."""

from __future__ import annotations

import functools
import math
from html import escape
from importlib import resources

from ..summary import number
from .curve import Curve
from .text import cells, first_of
from .told import Told

WIDE, HIGH = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 16.0, 16.0, 44.0


def html(told: Told) -> str:
    """A page that needs no network; light or dark as the reader's system."""
    curve = ""
    if told.curve is not None:
        element = escape(told.names[told.curve.element])
        curve = (
            f"<h2>The error of a limit by <code>{element}</code> as its step shrinks</h2>"
            f"<p>Too long a step and the curve bends; too short and the subtraction cancels "
            f"digits. A sweep has no step.</p><div class=wide>{picture(told.curve)}</div>"
        )
    corrections = "".join(
        f"<li><p>It is <em>not</em> so that {escape(c.error)}:</p><p>{escape(c.truth)}.</p></li>"
        for c in told.corrections
    )
    wrong = f"<h2>What is easily got wrong</h2><ul>{corrections}</ul>" if corrections else ""
    left_out = (
        f"<p>{told.chain.left_out} values before these are left out.</p>"
        if told.chain.left_out
        else ""
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(told.title)} · story</title><style>{style()}</style></head><body><main>"
        f"<h1>The derivative of <code>{escape(told.title)}</code></h1>"
        f"<p>{escape(told.point)}</p><h2>Four ways to it</h2>{table(told)}{curve}"
        f"<h2>The chain rule, forward</h2>{left_out}{forward(told)}"
        f"<h2>The chain rule, backward</h2><p>Each adjoint sums one product for each use of its "
        f"value.</p>{backward(told)}{wrong}</main></body></html>\n"
    )


@functools.cache
def style() -> str:
    """The page's style sheet."""
    return (resources.files(__package__) / "style.css").read_text(encoding="utf-8")


def table(told: Told) -> str:
    """The ways with their values, errors and costs."""
    head = "".join(
        f"<th scope=col>{t}</th>"
        for t in ("way", "derivative", "error", "runs of f", "operations", "time")
    )
    rows = "".join(
        f"<tr><th scope=row>{escape(r.way)}</th><td>{escape(first_of(r))}</td>"
        + "".join(f"<td class=n>{escape(c)}</td>" for c in cells(r))
        + "</tr>"
        for r in told.rows
    )
    return (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def forward(told: Told) -> str:
    """A row a value."""
    rows = []
    for link in told.chain.links:
        factors = "".join(
            f"<div>∂{escape(f.of)}/∂{escape(f.by)} = {escape(f.shown)}</div>" for f in link.factors
        )
        rows.append(
            f"<tr><th scope=row>{escape(link.symbol)}</th><td>{escape(link.expression)}</td>"
            f"<td>{escape(link.value)}</td><td class=s>{factors}</td></tr>"
        )
    return f"<div class=wide><table class=chain><tbody>{''.join(rows)}</tbody></table></div>"


def backward(told: Told) -> str:
    """A row an adjoint."""
    rows = []
    for s in told.chain.sums:
        products = " + ".join(s.products)
        terms = " + ".join(s.terms).replace("+ -", "− ")
        total = f" = {s.total}" if len(s.terms) > 1 else ""
        rows.append(
            f"<tr><th scope=row>adj({escape(s.symbol)})</th><td>{escape(products)}</td>"
            f"<td class=s>{escape(terms + total)}</td></tr>"
        )
    return f"<div class=wide><table class=chain><tbody>{''.join(rows)}</tbody></table></div>"


def picture(curve: Curve) -> str:
    """Errors over steps, both on logarithmic scales, the short steps on the right."""
    steps = [math.log10(p.step) for p in curve.points]
    first, last = max(steps), min(steps)

    def x(step: float) -> float:
        share = (first - math.log10(step)) / max(first - last, 1e-9)
        return LEFT + share * (WIDE - LEFT - RIGHT)

    def y(error: float) -> float:
        share = -min(math.log10(error), 0.5) / 16.5
        return TOP + (share + 0.5 / 16.5) * (HIGH - TOP - BOTTOM)

    def line(errors: list[float], kind: str) -> str:
        places = [(x(p.step), y(e)) for p, e in zip(curve.points, errors, strict=True)]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        return f'<path class="{kind}" d="{path}"/>'

    label = "errors of the one-sided and the two-sided limit over the step, both logarithmic"
    parts = [f'<svg viewBox="0 0 {WIDE:.0f} {HIGH:.0f}" role="img" aria-label="{label}">']
    for k in range(0, 17, 4):
        h = y(10.0**-k)
        parts.append(f'<path class="grid" d="M{LEFT} {h:.1f}H{WIDE - RIGHT}"/>')
        label = "1" if k == 0 else f"1e-{k}"
        parts.append(f'<text x="{LEFT - 8}" y="{h + 4:.1f}" text-anchor="end">{label}</text>')
    for k in range(2, 17, 2):
        if last <= -k <= first:
            at = x(10.0**-k)
            parts.append(
                f'<text x="{at:.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">1e-{k}</text>'
            )
    middle = (LEFT + WIDE - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HIGH - 6}" text-anchor="middle">step h</text>')
    one, two = [p.one_sided for p in curve.points], [p.two_sided for p in curve.points]
    parts += [line(one, "one"), line(two, "two")]
    for step, errors, kind, name, below in (
        (curve.best[0], one, "one", "one-sided", -12),
        (curve.best[1], two, "two", "two-sided", 18),
    ):
        place, height = x(step), y(min(errors))
        parts.append(f'<circle class="{kind}" cx="{place:.1f}" cy="{height:.1f}" r="3.5"/>')
        parts.append(
            f'<text class="{kind}" x="{place:.1f}" y="{height + below:.1f}" text-anchor="middle">'
            f"{name}, {number(step, 2)}</text>"
        )
    sweep = y(10.0**-16)
    parts.append(f'<path class="sweep" d="M{LEFT} {sweep:.1f}H{WIDE - RIGHT}"/>')
    parts.append(f'<text class="sweep" x="{LEFT + 6}" y="{sweep - 5:.1f}">the sweeps</text>')
    return "".join([*parts, "</svg>"])
