"""The story for a terminal: plain text, in which colour only makes headings bold."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ..summary import number
from .chain import Chain, Factor, Link, Product, Sum
from .methods import Row, duration
from .plot import plot
from .told import Told

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
HEADS = ("way", "derivative", "error", "runs of f", "operations", "time")


def text(told: Told, width: int = 100, colour: bool = False) -> str:
    """The story as text of at most `width` columns; `colour` adds a terminal's escape codes."""

    def head(title: str) -> list[str]:
        lines = wrapped(title, width)
        return ["", *((f"{BOLD}{line}{PLAIN}" for line in lines) if colour else lines)]

    def aside(words: str) -> list[str]:
        lines = wrapped(words, width)
        return [f"{DIM}{line}{PLAIN}" for line in lines] if colour else lines

    lines = [*head(f"The derivative of {told.title}")[1:], *aside(told.point)]
    lines += head("The ways to it")
    lines += table(told.rows, width)
    for note in told.notes:
        lines += aside(f"({note})")
    if told.curve is not None:
        lines += head(f"The error of a limit by {told.names[told.curve.element]}, by its step")
        for line in plot(told.curve, width):
            lines += [line] if len(line) <= width else wrapped(line, width, "  ")
    lines += head("The chain rule, forward")
    for link in told.chain.links:
        lines += link_lines(link, told.chain, width)
    lines += head("The chain rule, backward")
    lines += aside("(adj(v) is the derivative of the result by v: one term for each use of v)")
    for s in told.chain.sums:
        lines += wrapped(sum_line(s), width, "    ")
    if told.corrections:
        lines += head("What is easily got wrong")
        for c in told.corrections:
            lines += wrapped(f"Not so: {c.error}", width)
            lines += ["  " + line for line in wrapped(c.truth, width - 2)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def wrapped(words: str, width: int, after: str = "") -> list[str]:
    """A paragraph in lines; those after the first begin with `after`."""
    return textwrap.wrap(words, max(width, 20), subsequent_indent=after, break_on_hyphens=False)


def table(rows: Sequence[Row], width: int) -> list[str]:
    """The ways with their values, errors and costs, the derivative in what room is left."""
    cells = [[row.way, "", *costs(row)] for row in rows]
    wide = [max(len(r[k]) for r in [list(HEADS), *cells]) for k in range(len(HEADS))]
    room = width - sum(wide) + wide[1] - 2 * (len(HEADS) - 1)
    if room < 16:  # too narrow for a table: a block for each way
        return [line for row in rows for line in block(row, width)]
    shown = [textwrap.wrap(derivative(row, max(2, room // 12)), room) or [""] for row in rows]
    wide[1] = max(len(line) for lines in [[HEADS[1]], *shown] for line in lines)

    def set_out(values: Sequence[str]) -> str:
        left = [v.ljust(w) for v, w in zip(values[:2], wide[:2], strict=True)]
        right = [v.rjust(w) for v, w in zip(values[2:], wide[2:], strict=True)]
        return "  ".join([*left, *right])

    lines = [set_out(HEADS), "-" * (sum(wide) + 2 * (len(wide) - 1))]
    for row, (first, *more) in zip(cells, shown, strict=True):
        lines.append(set_out([row[0], first, *row[2:]]))
        lines += [set_out(["", line, "", "", "", ""]) for line in more]
    return lines


def block(row: Row, width: int) -> list[str]:
    """A way in lines of its own."""
    told = "; ".join(f"{head} {c}" for head, c in zip(HEADS[2:], costs(row), strict=True) if c)
    return [row.way, *(f"  {line}" for words in (derivative(row, 3), told)
                       for line in wrapped(words, width - 2))]  # fmt: skip


def derivative(row: Row, most: int) -> str:
    """The first few elements of a gradient, or why there is none."""
    if row.gradient is None:
        return row.note
    most = min(most, 4)
    shown = ", ".join(number(g, 8) for g in row.gradient[:most])
    return shown + (", ..." if row.gradient.size > most else "")


def costs(row: Row) -> list[str]:
    """Error, evaluations, operations and time."""
    if row.gradient is None or row.error is None:
        return ["", "", "", ""]
    return [
        number(row.error, 2), f"{row.evaluations:,}", f"{row.operations:,}", duration(row.seconds),
    ]  # fmt: skip


def link_lines(link: Link, chain: Chain, width: int) -> list[str]:
    """A value with the local derivatives; many values as one sentence."""
    if link.many:
        return wrapped(f"... {link.words} ({link.many:,} operations), {link.symbol} = {link.value}",
                       width, "    ")  # fmt: skip
    words = f"    [{link.words}]" if link.words else ""
    lines = wrapped(f"{link.symbol} = {link.text} = {link.value}{words}", width, "    ")
    for f in link.factors:
        lines += wrapped(f"    {slope(f)} = {slope_value(f)}", width, "        ")
    return lines


def slope(f: Factor | Product, of: str = "") -> str:
    """`dv2/dx`, and which operand where an operation takes a value twice."""
    of = f.of if isinstance(f, Factor) else of
    which = f" (use {f.use})" if f.use else ""
    return f"d{of}/d{f.by}{which}"


def slope_value(f: Factor) -> str:
    """The formula and the number, once where they are the same."""
    return " = ".join(p for p in (f.text, f.number) if p) or "a linear map"


def sum_line(s: Sum) -> str:
    """An adjoint as the sum of its products, in symbols and in numbers."""
    products = " + ".join(product(p) for p in s.products)
    numbers = added([p.value or "..." for p in s.products])
    parts = [p for p in (products, numbers, s.total) if p]
    told = dict.fromkeys(parts)  # a sum of one term is its term
    return f"adj({s.symbol}) = " + " = ".join(told)


def product(p: Product) -> str:
    """A term of an adjoint: `adj(v2)*dv2/dx`, `1` for the result itself."""
    if p.through:
        return f"({p.many} terms through {p.through})" if p.many > 1 else f"(through {p.through})"
    return "1" if p.reader is None else f"adj({p.reader})*{slope(p, p.reader)}"


def added(terms: list[str]) -> str:
    """`1 + 0.932 - 2`."""
    return " + ".join(terms).replace("+ -", "- ")
