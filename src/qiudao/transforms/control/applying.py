"""Structured primitives applied, without the operands that their bodies do not read."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.avals import Value
from ...core.program import Program
from ...ops.control import Scan, Switch, While
from .dependence import inputs_read, pruned
from .running import chosen, split

Values = Sequence[Value]


def scan_with(
    body: Program, constants: Values, carry: Values, xs: Values, length: int, reverse: bool
) -> list[Value]:
    """The results of a scan: the last carry and ys."""
    body = pruned(body)
    c, n = len(constants), len(carry)
    read_constants, _, read_xs = split(inputs_read(body), c, n)
    used = [*read_constants, *[True] * n, *read_xs]
    body = Program(chosen(body.inputs, used), body.equations, body.outputs)
    constants = chosen(constants, read_constants)
    scan = Scan(body, len(constants), n, length, reverse)
    return list(scan(*constants, *carry, *chosen(xs, read_xs)))


def while_with(
    condition: Program,
    body: Program,
    constants: Values,
    carry: Values,
    capacity: int = 0,
    bound: int = 0,
) -> list[Value]:
    """The results of a loop: the last carry, the number of steps, and the record, if any."""
    condition, body = pruned(condition), pruned(body)
    c, n = len(constants), len(carry)
    read = [a or b for a, b in zip(inputs_read(condition)[:c], inputs_read(body)[:c])]
    used = [*read, *[True] * n]
    condition, body = (
        Program(chosen(p.inputs, used), p.equations, p.outputs) for p in (condition, body)
    )
    constants = chosen(constants, read)
    return list(While(condition, body, len(constants), n, capacity, bound)(*constants, *carry))


def switch_with(index: Value, branches: Sequence[Program], operands: Values) -> list[Value]:
    """The results of the branch that `index` chooses."""
    branches = [pruned(branch) for branch in branches]
    used = [any(flags) for flags in zip(*map(inputs_read, branches), strict=True)]
    smaller = [Program(chosen(b.inputs, used), b.equations, b.outputs) for b in branches]
    return list(Switch(tuple(smaller))(index, *chosen(operands, used)))
