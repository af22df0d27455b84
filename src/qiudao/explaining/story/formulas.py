"""Operations and their slopes as formulas, in plain text and in LaTeX."""

from __future__ import annotations

import re
from typing import NamedTuple

Pair = tuple[str, str]  # a formula in plain text, and in LaTeX

# An operation, then its slope by each operand: in text and LaTeX, with {a} and {b} for the
# operands and {v} for the result.
FORMULAS: dict[str, tuple[Pair, ...]] = {
    "add": (("{a} + {b}", "{a} + {b}"), ("1", "1"), ("1", "1")),
    "subtract": (("{a} - {b}", "{a} - {b}"), ("1", "1"), ("-1", "-1")),
    "multiply": (("{a}*{b}", r"{a}\,{b}"), ("{b}", "{b}"), ("{a}", "{a}")),
    "divide": (
        ("{a}/{b}", r"\frac{{{a}}}{{{b}}}"),
        ("1/{b}", r"\frac{{1}}{{{b}}}"),
        ("-{v}/{b}", r"-\frac{{{v}}}{{{b}}}"),
    ),
    "power": (
        ("{a}**{b}", "{a}^{{{b}}}"),
        ("{b}*{a}**({b} - 1)", r"{b}\,{a}^{{{b} - 1}}"),
        ("{v}*log({a})", r"{v}\ln {a}"),
    ),
    "negative": (("-{a}", "-{a}"), ("-1", "-1")),
    "square": (("{a}**2", "{a}^2"), ("2*{a}", r"2\,{a}")),
    "reciprocal": (("1/{a}", r"\frac{{1}}{{{a}}}"), ("-{v}**2", "-{v}^2")),
    "sqrt": (("sqrt({a})", r"\sqrt{{{a}}}"), ("1/(2*{v})", r"\frac{{1}}{{2\,{v}}}")),
    "exp": (("exp({a})", r"\exp {a}"), ("{v}", "{v}")),
    "exp2": (("2**{a}", "2^{{{a}}}"), ("log(2)*{v}", r"\ln 2\,{v}")),
    "expm1": (("exp({a}) - 1", r"\exp {a} - 1"), ("{v} + 1", "{v} + 1")),
    "log": (("log({a})", r"\ln {a}"), ("1/{a}", r"\frac{{1}}{{{a}}}")),
    "log1p": (("log(1 + {a})", r"\ln(1 + {a})"), ("1/(1 + {a})", r"\frac{{1}}{{1 + {a}}}")),
    "log2": (
        ("log2({a})", r"\log_2 {a}"),
        ("1/({a}*log(2))", r"\frac{{1}}{{{a}\ln 2}}"),
    ),
    "log10": (
        ("log10({a})", r"\log_{{10}} {a}"),
        ("1/({a}*log(10))", r"\frac{{1}}{{{a}\ln 10}}"),
    ),
    "sin": (("sin({a})", r"\sin {a}"), ("cos({a})", r"\cos {a}")),
    "cos": (("cos({a})", r"\cos {a}"), ("-sin({a})", r"-\sin {a}")),
    "tan": (("tan({a})", r"\tan {a}"), ("1 + {v}**2", "1 + {v}^2")),
    "arcsin": (
        ("arcsin({a})", r"\arcsin {a}"),
        ("1/sqrt(1 - {a}**2)", r"\frac{{1}}{{\sqrt{{1 - {a}^2}}}}"),
    ),
    "arccos": (
        ("arccos({a})", r"\arccos {a}"),
        ("-1/sqrt(1 - {a}**2)", r"-\frac{{1}}{{\sqrt{{1 - {a}^2}}}}"),
    ),
    "arctan": (
        ("arctan({a})", r"\arctan {a}"),
        ("1/(1 + {a}**2)", r"\frac{{1}}{{1 + {a}^2}}"),
    ),
    "sinh": (("sinh({a})", r"\sinh {a}"), ("cosh({a})", r"\cosh {a}")),
    "cosh": (("cosh({a})", r"\cosh {a}"), ("sinh({a})", r"\sinh {a}")),
    "tanh": (("tanh({a})", r"\tanh {a}"), ("1 - {v}**2", "1 - {v}^2")),
    "absolute": (("abs({a})", "|{a}|"), ("sign({a})", r"\operatorname{{sign}} {a}")),
    "matmul": (("{a} @ {b}", r"{a}\,{b}"),),
    "sum": (("sum({a})", r"\sum {a}"), ("1", "1")),
}


class Operand(NamedTuple):
    """An operand in a formula: as text, as LaTeX, and its number where it is a constant."""

    text: str
    latex: str
    constant: float | None = None


def formula_of(operation: str, operands: list[Operand]) -> Pair:
    """The operation as a formula; by its name where no formula is known."""
    power = constant_power(operation, operands)
    if power is not None:
        return powered(operands[0], power)
    known = FORMULAS.get(operation)
    if known is None or len(operands) > 2:
        texts, latexes = ", ".join(x.text for x in operands), ", ".join(x.latex for x in operands)
        name = operation.replace("_", r"\_")
        return f"{operation}({texts})", rf"\operatorname{{{name}}}({latexes})"
    return filled(known[0], operands, Operand("", ""))


def slope_of(operation: str, position: int, operands: list[Operand], result: Operand) -> Pair:
    """The slope by one operand as a formula, ("", "") where none is known."""
    power = constant_power(operation, operands)
    if power is not None and position == 0:
        if power == 1:
            return "1", "1"
        text, latex = powered(operands[0], power - 1)
        factor = plain(power)
        return f"{factor}*{text}", rf"{factor}\,{latex}"
    known = FORMULAS.get(operation)
    if known is None or position + 1 >= len(known):
        return "", ""
    return filled(known[position + 1], operands, result)


def constant_power(operation: str, operands: list[Operand]) -> float | None:
    """The exponent of a power, where it is a constant."""
    return operands[1].constant if operation == "power" and len(operands) == 2 else None


def powered(x: Operand, n: float) -> Pair:
    """A power of an operand; the operand itself for n = 1."""
    if n == 1:
        return x.text, x.latex
    exponent = plain(n)
    return f"{atom(x.text)}**{atom(exponent)}", f"{atom(x.latex)}^{{{exponent}}}"


def filled(pair: Pair, operands: list[Operand], result: Operand) -> Pair:
    """A formula with names in it; a name that is not one word goes into brackets."""
    a, b = (*operands, Operand("", ""), Operand("", ""))[:2]
    text, latex = pair
    wrap = atom if re.search(r"[*/+@-]", text) else str
    return (
        text.format(a=wrap(a.text), b=wrap(b.text), v=result.text),
        latex.format(a=wrap(a.latex), b=wrap(b.latex), v=result.latex),
    )


def atom(text: str) -> str:
    """A text in brackets where it is a sum, a product or a negative number."""
    if re.fullmatch(r"\w[\w.]*(\[[^\[\]]*\])*|\\text\{[^{}]*\}", text):
        return text
    return f"({text})" if re.search(r"^-|(?<!e)[+*/@-]|[^,] ", text) else text


def plain(n: float) -> str:
    """An exponent: `2`, `-0.5`."""
    return f"{n:.6g}"
