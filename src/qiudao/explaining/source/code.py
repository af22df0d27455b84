"""Expressions of Python as text, with the level that tells where parentheses are needed."""

from __future__ import annotations

import re
from typing import NamedTuple

COMPARISON, OR, XOR, AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)
LEVELS = {
    "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "==": COMPARISON, "!=": COMPARISON, "|": OR, "^": XOR, "&": AND, "<<": SHIFT, ">>": SHIFT,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT,
    "**": POWER,
}  # fmt: skip
ASSOCIATIVE = {"+": "+-", "*": "*/"}  # a + (b - c) is a + b - c, but for rounding
NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")


class Code(NamedTuple):
    """The text of an expression, how tightly it binds, and its outermost infix operator."""

    text: str
    level: int = ATOM
    operator: str = ""

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def is_name(self) -> bool:
        """Whether this is a variable: it may be written any number of times."""
        return self.text.isidentifier()

    @property
    def names(self) -> set[str]:
        """The variables that the expression reads."""
        return set(NAME.findall(self.text))


def infix(operator: str, left: Code, right: Code) -> Code:
    """`left operator right`, with as few parentheses as keep the meaning."""
    level = LEVELS[operator]
    if operator == "**":
        return Code(f"{left.at(ATOM)}**{right.at(UNARY)}", POWER, "**")
    if level == COMPARISON:
        return Code(f"{left.at(OR)} {operator} {right.at(OR)}", COMPARISON, operator)
    if operator == "@" and left.level == level and left.operator != "@":
        return Code(f"({left.text}) @ {right.at(level + 1)}", level, operator)
    loose = right.level == level and right.operator in ASSOCIATIVE.get(operator, "?")
    second = right.text if loose else right.at(level + 1)
    if operator == "+" and second.startswith("-"):
        return Code(f"{left.at(level)} - {second[1:]}", level, "-")
    kept = left.operator if left.operator in ("//", "%") and left.level == level else operator
    return Code(f"{left.at(level)} {operator} {second}", level, kept)


def prefix(operator: str, operand: Code) -> Code:
    """`-x` or `~x`.  A minus goes before a whole product."""
    if operator == "-" and operand.level == PRODUCT and operand.operator in "*/":
        return Code(f"-{operand.text}", PRODUCT, operand.operator)
    return Code(f"{operator}{operand.at(UNARY)}", UNARY)


def call(function: str, *arguments: Code | str, **named: object) -> Code:
    """`function(a, b, axis=0)`."""
    words = [a if isinstance(a, str) else a.text for a in arguments]
    words += [f"{k}={v}" for k, v in named.items()]
    return Code(f"{function}({', '.join(words)})")


def method(x: Code, rest: str) -> Code:
    """`x.rest`, or `x[index]`."""
    return Code(x.at(ATOM) + rest)


def tuple_of(parts: tuple[object, ...]) -> str:
    """A tuple as Python writes it."""
    words = ", ".join(map(str, parts))
    return f"({words},)" if len(parts) == 1 else f"({words})"
