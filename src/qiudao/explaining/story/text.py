"""The story for a terminal."""

from __future__ import annotations

import importlib
import io
import math
from typing import Any

from ..summary import number
from ..text import MissingError
from .chain import Chain
from .curve import Curve
from .methods import Row
from .told import Told

BARS = " ▁▂▃▄▅▆▇█"


def text(told: Told, width: int = 100, colour: bool = False) -> str:
    """The story as text of `width` columns.  Raises `MissingError` where rich is not installed."""
    try:
        console_of = importlib.import_module("rich.console").Console
        words = importlib.import_module("rich.text").Text
        padding = importlib.import_module("rich.padding").Padding
    except ModuleNotFoundError as error:
        raise MissingError(
            "story: text needs the library rich, which is not installed; "
            "`pip install qiudao[cli]` brings it"
        ) from error
    console = console_of(
        file=io.StringIO(), width=width, force_terminal=colour, no_color=not colour, highlight=False
    )

    def head(title: str) -> None:
        console.print()
        console.print(words(title, style="bold"))

    console.print(words(f"The derivative of {told.title}", style="bold"))
    console.print(words(told.point, style="dim"))
    head("Four ways to it")
    console.print(table_of(told.rows))
    if told.curve is not None:
        head(f"The error of a limit by {told.names[told.curve.element]}, as its step shrinks")
        console.print(words("\n".join(curve_lines(told.curve))))
    head("The chain rule, forward")
    console.print(words("\n".join(forward_lines(told.chain))))
    head("The chain rule, backward: each adjoint sums one product for each use")
    console.print(words("\n".join(backward_lines(told.chain))))
    if told.corrections:
        head("Three things that are easily got wrong")
        for c in told.corrections:
            console.print(words(f"• It is not so that {c.error}:"))
            console.print(padding(words(c.truth), (0, 0, 0, 2)))
    written: str = console.file.getvalue()
    return "\n".join(line.rstrip() for line in written.splitlines()) + "\n"


def table_of(rows: list[Row]) -> Any:
    """The ways with their values, errors and costs."""
    table = importlib.import_module("rich.table").Table(
        box=importlib.import_module("rich.box").SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("way")
    table.add_column("derivative", overflow="fold")
    for title in ("error", "f runs", "operations", "time"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(row.way, first_of(row), *cells(row))
    return table


def first_of(row: Row, most: int = 3) -> str:
    """The first few elements of a gradient, or why there is none."""
    if row.gradient is None:
        return row.note
    shown = ", ".join(number(g, 8) for g in row.gradient[:most])
    return shown + (", …" if row.gradient.size > most else "")


def cells(row: Row) -> list[str]:
    """Error, evaluations, operations and time."""
    if row.gradient is None:
        return ["", "", "", ""]
    error = "exact" if row.error == 0 else number(row.error, 2)
    return [error, f"{row.evaluations:,}", f"{row.operations:,}", duration(row.seconds)]


def duration(s: float) -> str:
    """`12 us`."""
    for unit, scale in (("us", 1e-6), ("ms", 1e-3)):
        if s < 1000 * scale:
            return f"{number(s / scale, 3)} {unit}"
    return f"{number(s, 3)} s"


def curve_lines(curve: Curve) -> list[str]:
    """Two rows of bars, high where the error is large, and the steps of least error."""
    low, high = -16.0, 0.0

    def bars(errors: list[float]) -> str:
        heights = [(min(math.log10(e), high) - low) / (high - low) for e in errors]
        return "".join(BARS[round(h * (len(BARS) - 1))] for h in heights)

    steps = [p.step for p in curve.points]
    one, two = curve.best
    theory_one, theory_two = curve.theory
    first = f"least at h = {number(one, 2)} (theory: sqrt(eps) = {number(theory_one, 2)})"
    second = f"least at h = {number(two, 2)} (theory: cbrt(eps) = {number(theory_two, 2)})"
    ends = f"steps from {number(steps[0], 2)} down to {number(steps[-1], 2)}"
    return [
        f"one-sided  {bars([p.one_sided for p in curve.points])}  {first}",
        f"two-sided  {bars([p.two_sided for p in curve.points])}  {second}",
        f"{ends}; errors from 1 (full) to 1e-16 (empty)",
    ]


def forward_lines(chain: Chain) -> list[str]:
    """A line a value, with the local derivatives."""
    lines = [f"({chain.left_out} values before these)"] if chain.left_out else []
    for link in chain.links:
        lines.append(f"{link.symbol} = {link.expression} = {link.value}")
        lines += [f"    d{f.of}/d{f.by} = {f.shown}" for f in link.factors]
    return lines


def backward_lines(chain: Chain) -> list[str]:
    """A line an adjoint."""
    lines = []
    for s in chain.sums:
        products = " + ".join(s.products)
        terms = " + ".join(s.terms).replace("+ -", "- ")
        total = f" = {s.total}" if len(s.terms) > 1 else ""
        lines.append(f"adj({s.symbol}) = {products} = {terms}{total}")
    return lines
