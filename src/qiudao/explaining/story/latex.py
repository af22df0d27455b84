"""The chain rule in LaTeX: an `align` environment for each direction."""

from __future__ import annotations

import re

from .told import Told

SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
           "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
           "\\": r"\textbackslash{}"}  # fmt: skip


def latex(told: Told) -> str:
    """A document of its own, which pdflatex compiles."""
    forward = [forward_row(link.symbol, link.expression, link.value) for link in told.chain.links]
    factors = [
        rf"\frac{{\partial {symbol(f.of)}}}{{\partial {symbol(f.by)}}} &= "
        + " = ".join(
            p for p in (formula(f.latex), "" if f.shown == f.text else value(f.number)) if p
        )
        for link in told.chain.links
        for f in link.factors
        if f.latex or f.number
    ]
    backward = [
        rf"\bar{{{symbol(s.symbol)}}} &= "
        + " + ".join(product(p) for p in s.products)
        + " = "
        + " + ".join(value(t) for t in s.terms)
        + (f" = {value(s.total)}" if len(s.terms) > 1 else "")
        for s in told.chain.sums
    ]
    parts = [
        r"\documentclass{article}",
        r"\usepackage{amsmath}",
        r"\allowdisplaybreaks",
        r"\begin{document}",
        rf"\section*{{The derivative of \texttt{{{words(told.title)}}}}}",
        rf"At {words(told.point)}. Forward, one value at a time:",
        *aligned(forward),
        "The local derivatives:",
        *aligned(factors),
        "Backward, each adjoint the sum over the uses of its value:",
        *aligned(backward),
        r"\end{document}",
    ]
    return "\n".join(parts) + "\n"


def aligned(rows: list[str]) -> list[str]:
    """Rows of equations; nothing where there are none."""
    if not rows:
        return []
    return [r"\begin{align*}", (" \\\\\n").join(rows), r"\end{align*}"]


def forward_row(name: str, expression: str, shown: str) -> str:
    """A value with its expression and number."""
    return rf"{symbol(name)} &= \texttt{{{words(expression)}}} = {value(shown)}"


def symbol(name: str) -> str:
    """`v_{3}` for v3, a number as it is, a name in upright letters."""
    if re.fullmatch(r"v\d+", name):
        return f"v_{{{name[1:]}}}"
    if re.fullmatch(r"-?[\d.]+(e-?\d+)?", name):
        return value(name)
    return name if re.fullmatch("[a-zA-Z]", name) else rf"\mathrm{{{words(name)}}}"


def formula(text: str) -> str:
    """A formula whose symbols are v1, v2...: with indices."""
    return re.sub(r"\bv(\d+)\b", r"v_{\1}", text)


def product(text: str) -> str:
    r"""`adj(v3)*dv3/dx` as a bar and a fraction."""
    found = re.fullmatch(r"adj\((.+)\)\*d(.+)/d(.+)", text)
    if found is None:
        return "1" if text == "1" else rf"\text{{{words(text)}}}"
    of, _, by = found.groups()
    return rf"\bar{{{symbol(of)}}}\,\frac{{\partial {symbol(of)}}}{{\partial {symbol(by)}}}"


def value(text: str) -> str:
    """A number, its power of ten set as one; an array in small letters."""
    if not text:
        return ""
    found = re.fullmatch(r"(-?[\d.]+)e(-?)\+?(\d+)", text)
    if found is not None:
        return rf"{found[1]}\cdot 10^{{{found[2]}{found[3]}}}"
    return text if re.fullmatch(r"-?[\d.]+", text) else rf"\text{{{words(text)}}}"


def words(text: str) -> str:
    """A text with LaTeX's own letters escaped."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)
