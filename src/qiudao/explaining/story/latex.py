"""The story in LaTeX: the table of the ways, and the chain rule in aligned equations."""

from __future__ import annotations

from .chain import Factor, Link, Product, Sum
from .symbols import latex_name, latex_number, words
from .text import costs, derivative
from .told import Told

ROOM = 80  # letters of numbers in a row of a sum


def latex(told: Told) -> str:
    """A document for pdfLaTeX; names beyond Latin and Greek letters need XeLaTeX or LuaLaTeX."""
    links, sums = told.chain.links, told.chain.sums
    parts = [
        r"\documentclass{article}",
        r"\usepackage[margin=2.5cm]{geometry}",
        r"\usepackage{amsmath}",
        r"\allowdisplaybreaks",
        r"\begin{document}",
        rf"\section*{{The derivative of \texttt{{{words(told.title)}}}}}",
        rf"A{words(told.point[1:])}.",
        "",
        *table(told),
        r"\subsection*{Forward: one value at a time, with its local derivatives}",
        *aligned([row for link in links for row in link_rows(link)]),
        r"\subsection*{Backward: each adjoint is a sum over the uses of its value}",
        *aligned([row for s in sums for row in sum_rows(s)]),
    ]
    if told.corrections:
        parts += [r"\subsection*{What is easily got wrong}", r"\begin{itemize}"]
        parts += [rf"\item \emph{{Not so: {words(c.error)}}} {words(c.truth)}"
                  for c in told.corrections]  # fmt: skip
        parts.append(r"\end{itemize}")
    return "\n".join([*parts, r"\end{document}"]) + "\n"


def table(told: Told) -> list[str]:
    """The ways with their values, errors and costs."""
    rows = [
        " & ".join(
            [row.way, words(derivative(row, 2)), *(rf"${latex_number(c)}$" if k == 0 and c else c
                                                   for k, c in enumerate(costs(row)))]
        )
        for row in told.rows
    ]  # fmt: skip
    return [
        r"\begin{center}\small\begin{tabular}{llrrrr}",
        r"way & derivative & error & runs of $f$ & operations & time \\[2pt] \hline",
        r"\noalign{\vskip 2pt}",
        *(rf"{row} \\" for row in rows),
        r"\end{tabular}\end{center}",
    ]


def aligned(rows: list[str]) -> list[str]:
    """Rows of equations; nothing where there are none."""
    if not rows:
        return []
    return [r"\begin{align*}", (" \\\\\n").join(rows), r"\end{align*}"]


def link_rows(link: Link) -> list[str]:
    """A value with its formula and number, and its local derivatives."""
    name = latex_name(link.symbol)
    value = latex_number(link.value)
    if link.many:
        return [rf"{name} &= \text{{{words(link.words)} ({link.many:,} operations)}} = {value}"]
    return [f"{name} &= {link.latex} = {value}", *(factor_row(f) for f in link.factors)]


def factor_row(f: Factor) -> str:
    """A local derivative, as a formula and a number."""
    parts = [p for p in (f.latex, latex_number(f.number)) if p] or [r"\text{a linear map}"]
    return rf"{slope(f.of, f.by, f.use)} &= {' = '.join(parts)}"


def slope(of: str, by: str, use: int) -> str:
    """A partial derivative as a fraction; which operand stands as an index."""
    which = rf"\Big|_{{\text{{use {use}}}}}" if use else ""
    return rf"\frac{{\partial {latex_name(of)}}}{{\partial {latex_name(by)}}}{which}"


def sum_rows(s: Sum) -> list[str]:
    """An adjoint in symbols, then in numbers; a row for each few terms where one would be long."""
    symbols = [product(p) for p in s.products]
    numbers = [latex_number(p.value) or r"\cdots" for p in s.products]
    total = latex_number(s.total)
    if len(symbols) == 1:
        told = dict.fromkeys([symbols[0], total or numbers[0]])
        return [f"{bar(s.symbol)} &= {' = '.join(told)}"]
    letters = max(len(n) for n in numbers)
    each = max(1, min(ROOM // letters, len(numbers)))
    rows = [*chunks(symbols, 3), *chunks(numbers, each)]
    rows[0] = f"{bar(s.symbol)} {rows[0]}"
    return [*rows, f"&= {total}"] if total else rows


def chunks(terms: list[str], each: int) -> list[str]:
    """A sum in rows of a few terms."""
    sums = [" + ".join(terms[k : k + each]) for k in range(0, len(terms), each)]
    rows = [f"&= {sums[0]}", *(rf"&\quad + {more}" for more in sums[1:])]
    return [row.replace("+ -", "- ") for row in rows]


def product(p: Product) -> str:
    """A term of an adjoint."""
    if p.through:
        many = f"{p.many} terms " if p.many > 1 else ""
        return rf"(\text{{{many}through }} {latex_name(p.through)})"
    if p.reader is None:
        return "1"
    return rf"{bar(p.reader)}\,{slope(p.reader, p.by, p.use)}"


def bar(name: str) -> str:
    """The adjoint of a value: its letter with a bar, its index without."""
    shown = latex_name(name)
    letter, low, index = shown.partition("_{")
    return rf"\bar{{{letter}}}{low}{index}" if len(letter) == 1 else rf"\overline{{{shown}}}"
