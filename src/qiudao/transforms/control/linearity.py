"""Loops and switches of tangents that are not known yet: what is linear apart from what is known.

A dual scan carries values and tangents together.  On slots its known part runs as a scan of its
own, and the linear part becomes a scan over the record of that, which is recorded on the slots.
So it is with a loop on a condition, whose record has room for more steps than it takes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import Tracer, level_of, snapshot
from ...core.modes import new_level
from ...core.node import Node
from ...core.parts import Part
from ...core.program import Program, apply
from ...core.slot import NotLinearError, Slot
from ...core.source import caller
from ...ops.control import Scan, Structured, Switch, While
from .applying import scan_with, switch_with
from .dependence import fixpoint, moved, pruned
from .running import chosen, program_of, split, zeros


def is_zero(x: Value) -> bool:
    """Whether a value is known to be zero everywhere."""
    return not isinstance(x, Tracer | Node) and not np.any(x)


def is_linear_in(program: Program, given: Sequence[bool]) -> bool:
    """Whether all outputs are linear in the `given` inputs together."""
    answers = []

    def run(*values: Value) -> list[Value]:
        try:
            ys = program(*with_slots(program, values, given))
        except NotLinearError:
            answers.append(False)
        else:
            answers.append(all(isinstance(y, Slot) or is_zero(y) for y in ys))
        return []

    program_of(run, chosen(program.avals, not_of(given)))
    return answers[0]


def with_slots(program: Program, values: Sequence[Value], given: Sequence[bool]) -> list[Value]:
    """Inputs for a program: slots where `given`, and the values in the other places."""
    level, rest = new_level(), iter(values)
    return [
        Slot(aval.shape, aval.dtype, level) if flag else next(rest)
        for aval, flag in zip(program.avals, given)
    ]


def on_top(xs: Sequence[Value]) -> list[bool]:
    """Which operands are slots of the highest level among them."""
    level = max(map(level_of, xs))
    return [isinstance(x, Slot) and x.level == level for x in xs]


def not_of(flags: Sequence[bool]) -> list[bool]:
    """The flags turned round."""
    return [not flag for flag in flags]


def on_slots(primitive: Structured, xs: Sequence[Value], linear: bool) -> list[Value]:
    """The results of a linear primitive, recorded on slots."""
    if not linear:
        raise NotLinearError(primitive.label)
    operands = [x.node if mine else snapshot(x) for x, mine in zip(xs, on_top(xs))]
    whole = apply(primitive, operands, None)
    whole.code, whole.offset = caller()
    results: list[Value] = []
    avals, level = primitive.shape(), max(map(level_of, xs))
    for k, aval in enumerate(avals):
        made = Slot(aval.shape, aval.dtype, level)
        made.node = apply(Part(k, len(avals)), (whole,), aval, whole)
        results.append(made)
    return results


def placed(known: Sequence[Value], lines: Sequence[Value], flags: Sequence[bool]) -> Value:
    """Known and linear results, each in its place."""
    sources = iter(known), iter(lines)
    return tuple(next(sources[flag]) for flag in flags)


def scan_on_slots(scan: Scan, body: Program, xs: Sequence[Value]) -> Value:
    """A scan, with `body` for the record spelled out, on operands of which some are slots."""
    c, n = scan.constants, scan.carries
    mine = on_top(xs)
    of_constants, of_carry, of_xs = split(mine, c, n)
    of_carry = fixpoint(
        lambda carry: moved(body, [*of_constants, *carry, *of_xs], smooth=False)[:n], of_carry
    )
    flags = [*of_constants, *of_carry, *of_xs]
    out_flags = [*of_carry, *moved(body, flags, smooth=False)[n:]]
    constants, carry, arrays = split(xs, c, n)
    into_constants, into_carry, into_xs = split(body.inputs, c, n)
    fixed = not_of(of_carry)

    def known_step(*values: Value) -> list[Value]:
        inputs = with_slots(body, values, flags)
        ys = body(*inputs)
        last, slices = split(chosen(ys, not_of(out_flags)), sum(fixed))
        return [*last, *slices, *chosen(inputs[c : c + n], fixed)]

    groups = (
        chosen(constants, not_of(of_constants)),
        chosen(carry, fixed),
        chosen(arrays, not_of(of_xs)),
    )
    step = program_of(known_step, chosen(body.avals, not_of(flags)))
    known = scan_with(step, *groups, scan.length, scan.reverse)
    known, record = split(known, sum(not_of(out_flags)))
    starts = zip(chosen(carry, of_carry), chosen(mine[c:], of_carry))
    if any(not is_slot and not is_zero(x) for x, is_slot in starts):
        raise NotLinearError(scan.label)
    lines = Scan(
        pruned(
            Program(
                [
                    *into_constants,
                    *chosen(into_carry, of_carry),
                    *into_xs,
                    *chosen(into_carry, fixed),
                ],
                body.equations,
                chosen(body.outputs, out_flags),
            )
        ),
        c,
        sum(of_carry),
        scan.length,
        scan.reverse,
    )
    operands = [*constants, *chosen(carry, of_carry), *arrays, *record]
    given = [*of_constants, *[True] * sum(of_carry), *of_xs, *[False] * len(record)]
    made = on_slots(lines, operands, is_linear_in(lines.body, given))
    return placed(known, made, out_flags)


def while_on_slots(loop: While, xs: Sequence[Value]) -> Value:
    """A loop on a condition, on operands of which some are slots."""
    body, c = loop.body, loop.constants
    of_constants, of_carry = split(on_top(xs), c)
    constants, carry = split(xs, c)
    starts = [is_slot or is_zero(x) for x, is_slot in zip(carry, of_carry)]
    of_carry = fixpoint(lambda carry: moved(body, [*of_constants, *carry], smooth=False), of_carry)
    fixed, flags = not_of(of_carry), [*of_constants, *of_carry]
    ends_by_lines = any(moved(loop.condition, flags, smooth=False))
    if ends_by_lines or not all(chosen(starts, of_carry)):
        raise NotLinearError(loop.label)

    def goes_on(*values: Value) -> list[Value]:
        return loop.condition(*with_slots(loop.condition, values, flags))

    def known_step(*values: Value) -> list[Value]:
        return chosen(body(*with_slots(body, values, flags)), fixed)

    avals = chosen(body.avals, not_of(flags))
    known = While(
        program_of(goes_on, avals), program_of(known_step, avals),
        sum(not_of(of_constants)), sum(fixed), loop.capacity, loop.bound,
    )  # fmt: skip
    firm = chosen(xs, not_of(flags))
    capacity, found = known.remembering(lambda loop: (loop.capacity, loop(*firm)))
    last, count, record = split(found, sum(fixed), 1)
    lines = scan_of_lines(loop, of_carry, capacity)
    operands = [*count, *constants, *chosen(carry, of_carry), *record, np.arange(capacity)]
    given = [False, *flags[:c], *[True] * sum(of_carry), *[False] * (len(record) + 1)]
    made = on_slots(lines, operands, is_linear_in(lines.body, given))
    last_lines, stacks = split(made, sum(of_carry))
    stacked = placed(record, stacks, of_carry) if loop.capacity else ()
    return (*placed(last, last_lines, of_carry), *count, *stacked)


def scan_of_lines(loop: While, of_carry: Sequence[bool], capacity: int) -> Scan:
    """The linear part of a loop over the record of the rest: rows that no step filled are passed.

    constants the number of steps, the loop's own; xs the rest of the carry, the row's number.
    """
    body, c, m = loop.body, loop.constants, sum(of_carry)
    into_constants, into_carry = split(body.inputs, c)
    inputs = [*into_constants, *chosen(into_carry, of_carry), *chosen(into_carry, not_of(of_carry))]
    forward = Program(inputs, body.equations, chosen(body.outputs, of_carry))
    still = program_of(lambda *values: list(values[c : c + m]), forward.avals)

    def step(*values: Value) -> list[Value]:
        count, *operands, place = values
        taken = (place < count).astype(np.int64)
        before = operands[c : c + m] if loop.capacity else []
        return [*switch_with(taken, [still, forward], operands), *before]

    number = Aval((), np.dtype(np.int64))
    return Scan(program_of(step, [number, *forward.avals, number]), 1 + c, m, capacity)


def switch_on_slots(switch: Switch, xs: Sequence[Value]) -> Value:
    """A switch on operands of which some are slots."""
    index, *operands = xs
    chooses, *mine = on_top(xs)
    if chooses:
        raise NotLinearError(switch.label)
    columns = [moved(branch, mine, smooth=False) for branch in switch.branches]
    flags = [any(column) for column in zip(*columns)]

    def known_part(branch: Program) -> Program:
        def run(*values: Value) -> list[Value]:
            return chosen(branch(*with_slots(branch, values, mine)), not_of(flags))

        return program_of(run, chosen(branch.avals, not_of(mine)))

    firm = chosen(operands, not_of(mine))
    known = switch_with(index, [known_part(branch) for branch in switch.branches], firm)
    lines = Switch(
        tuple(
            pruned(Program(b.inputs, b.equations, chosen(b.outputs, flags)))
            for b in switch.branches
        )
    )
    linear = all(is_linear_in(branch, mine) for branch in lines.branches)
    return placed(known, on_slots(lines, xs, linear), flags)


def without_nodes(xs: Sequence[Value]) -> list[Value]:
    """Operands as a pullback reads them: of a linear one it does not read the value."""
    return [zeros(x) if isinstance(x, Node) else x for x in xs]
