"""The slopes of operations as formulas, in plain text and in LaTeX."""

from __future__ import annotations

# For each operand: text and LaTeX, with {a} and {b} for the operands and {v} for the result.
SLOPES: dict[str, tuple[tuple[str, str], ...]] = {
    "add": (("1", "1"), ("1", "1")),
    "subtract": (("1", "1"), ("-1", "-1")),
    "multiply": (("{b}", "{b}"), ("{a}", "{a}")),
    "divide": (("1/{b}", r"\frac{{1}}{{{b}}}"), ("-{v}/{b}", r"-\frac{{{v}}}{{{b}}}")),
    "power": (
        ("{b}*{a}**({b} - 1)", r"{b}\,{a}^{{{b} - 1}}"),
        ("{v}*log({a})", r"{v}\ln {a}"),
    ),
    "negative": (("-1", "-1"),),
    "square": (("2*{a}", "2{a}"),),
    "reciprocal": (("-{v}**2", "-{v}^2"),),
    "sqrt": (("1/(2*{v})", r"\frac{{1}}{{2{v}}}"),),
    "exp": (("{v}", "{v}"),),
    "exp2": (("log(2)*{v}", r"\ln 2\,{v}"),),
    "expm1": (("{v} + 1", "{v} + 1"),),
    "log": (("1/{a}", r"\frac{{1}}{{{a}}}"),),
    "log1p": (("1/(1 + {a})", r"\frac{{1}}{{1 + {a}}}"),),
    "log2": (("1/({a}*log(2))", r"\frac{{1}}{{{a}\ln 2}}"),),
    "log10": (("1/({a}*log(10))", r"\frac{{1}}{{{a}\ln 10}}"),),
    "sin": (("cos({a})", r"\cos {a}"),),
    "cos": (("-sin({a})", r"-\sin {a}"),),
    "tan": (("1 + {v}**2", "1 + {v}^2"),),
    "arcsin": (("1/sqrt(1 - {a}**2)", r"\frac{{1}}{{\sqrt{{1 - {a}^2}}}}"),),
    "arccos": (("-1/sqrt(1 - {a}**2)", r"-\frac{{1}}{{\sqrt{{1 - {a}^2}}}}"),),
    "arctan": (("1/(1 + {a}**2)", r"\frac{{1}}{{1 + {a}^2}}"),),
    "sinh": (("cosh({a})", r"\cosh {a}"),),
    "cosh": (("sinh({a})", r"\sinh {a}"),),
    "tanh": (("1 - {v}**2", "1 - {v}^2"),),
    "absolute": (("sign({a})", r"\operatorname{{sign}} {a}"),),
    "sum": (("1", "1"),),
}


def slope_formula(operation: str | None, position: int, names: dict[str, str]) -> tuple[str, str]:
    """The slope with respect to one operand in text and in LaTeX, ("", "") where none is known."""
    known = SLOPES.get(operation or "")
    if known is None or position >= len(known):
        return "", ""
    text, latex = known[position]
    return text.format(**names), latex.format(**names)
