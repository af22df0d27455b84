"""The structured forms that captured code becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.avals import Value, aval_of
from ...core.dispatch import Tracer
from ...core.node import Node
from ...core.program import Program, operands_of
from ...ops.control import Switch, While
from ..trace import Symbol, Traced, traced


def replay(program: Program, xs: Sequence[Value]) -> list[Value]:
    """The outputs of a program for these inputs; what is recorded keeps the user's lines."""
    values: dict[Node, Value] = dict(zip(program.inputs, xs, strict=True))
    for equation in program.equations:
        operands = [values[x] if isinstance(x, Node) else x for x in operands_of(equation)]
        result = values[equation] = equation.primitive(*operands)
        for each in result if isinstance(result, tuple) else (result,):
            node = getattr(each, "node", None) if isinstance(each, Symbol) else None
            while node is not None:
                node.code, node.offset = equation.code, equation.offset
                node = operands_of(node)[0] if node.primitive.name == "part" else None
    return [values[y] if isinstance(y, Node) else y for y in program.outputs]


def trace_of(f: Callable[..., Any], operands: Sequence[Value]) -> Traced:
    """A function of these operands traced."""
    return traced(f, [aval_of(x) for x in operands], lambda xs: (xs, {}))


def joined(pieces: Sequence[Traced]) -> list[Tracer]:
    """The tracers that any of several traced pieces reads."""
    found: dict[int, Tracer] = {}
    for each in pieces:
        found.update((id(c), c) for c in each.captured)
    return list(found.values())


def with_captured(piece: Traced, captured: Sequence[Tracer], leading: int) -> Program:
    """The program of a piece that takes all of `captured` before (or after) its own inputs."""
    own = len(piece.program.inputs) - len(piece.captured)
    places = {id(c): k for k, c in enumerate(captured)}

    def whole(*xs: Value) -> list[Value]:
        shared, given = xs[:leading], xs[leading:]
        picked = [shared[places[id(c)]] for c in piece.captured]
        return replay(piece.program, [*given[:own], *picked])

    avals = [*map(aval_of, captured), *(aval_of(x) for x in piece.program.inputs[:own])]
    return traced(whole, avals, lambda xs: (xs, {})).program


def cond(pred: Value, true_fn: Callable[..., Any], false_fn: Callable[..., Any],
         *operands: Value) -> Any:  # fmt: skip
    """`true_fn(*operands)` where `pred` holds, else `false_fn(*operands)`; both give a list."""
    pieces = [trace_of(false_fn, operands), trace_of(true_fn, operands)]
    captured = joined(pieces)
    programs = tuple(with_captured(p, captured, len(captured)) for p in pieces)
    results = Switch(programs)(np.where(pred, 1, 0), *captured, *operands)
    return list(results)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], init: list[Value]) -> Any:
    """`init` taken on by `body_fn` for as long as `cond_fn` holds."""
    pieces = [
        trace_of(lambda *xs: [cond_fn(list(xs))], init),
        trace_of(lambda *xs: body_fn(list(xs)), init),
    ]
    captured = joined(pieces)
    condition, body = (with_captured(p, captured, len(captured)) for p in pieces)
    results = While(condition, body, len(captured), len(init))(*captured, *init)
    return list(results[: len(init)])
