"""A traced piece run again, within the trace of the construct that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.avals import Value
from ...core.node import Equation, Node
from ...core.program import Program, operands_of
from ..trace import Symbol


def replay(program: Program, xs: Sequence[Value]) -> list[Value]:
    """The outputs of a program for these inputs; what is recorded keeps the user's lines."""
    values: dict[Node, Value] = dict(zip(program.inputs, xs, strict=True))
    for equation in program.equations:
        operands = [values[x] if isinstance(x, Node) else x for x in operands_of(equation)]
        result = values[equation] = equation.primitive(*operands)
        for each in result if isinstance(result, tuple) else (result,):
            if isinstance(each, Symbol):
                attribute(each.node, equation)
    return [values[y] if isinstance(y, Node) else y for y in program.outputs]


def attribute(node: Node, like: Equation) -> None:
    """Give an equation, and the one that it is a part of, the user's line of another."""
    if isinstance(node, Equation):
        node.code, node.offset = like.code, like.offset
        if node.primitive.name == "part":
            attribute(operands_of(node)[0], like)
