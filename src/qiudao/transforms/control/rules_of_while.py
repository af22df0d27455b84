"""Derivatives and batches of `While`: of the body's dual, its batch, its pullback."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.avals import Value, is_inexact
from ...core.living import Guarded
from ...core.primitive import Parents, Terms, Values, reach_of_any, stretch
from ...core.program import Program
from ...ops.control import Rules, While
from .applying import scan_with, switch_with, while_with
from .dependence import fixpoint, moved, reached
from .guarding import FLAG, along, over_live, with_flag
from .linearity import while_on_slots
from .running import (
    COTANGENTS,
    LANES,
    Sense,
    avals_of,
    chosen,
    over_batch,
    program_of,
    split,
    spread,
    with_tangents,
    zeros,
)


def dual(loop: While, xs: Values, dxs: Terms) -> tuple[Value, Value]:
    """A loop that carries the tangents beside the values, on the condition of the values."""
    body, c, n = loop.body, loop.constants, loop.carries
    given, has = split([dx is not None for dx in dxs], c)
    has = fixpoint(lambda carry: moved(body, [*given, *carry]), has)
    counts = (c, sum(given), n)

    def goes_on(*values: Value) -> list[Value]:
        constants, _, carry, _ = split(values, *counts)
        return loop.condition(*constants, *carry)

    def step(*values: Value) -> list[Value]:
        constants, dc, carry, dv = split(values, *counts)
        changes = [*spread(dc, given), *spread(dv, has)]
        ys, dys = with_tangents(body, [*constants, *carry], changes)
        dys = [zeros(y) if dy is None else dy for y, dy in zip(ys, dys)]
        return [*ys, *chosen(dys, has)]

    constants, carry = split(xs, c)
    starts = [zeros(x) if dx is None else dx for x, dx in zip(carry, dxs[c:])]
    groups = (
        [*constants, *chosen(dxs[:c], given)],
        [*carry, *chosen(starts, has)],
    )
    avals = avals_of(*groups)
    made = while_with(
        program_of(goes_on, avals), program_of(step, avals), *groups, loop.capacity, loop.bound
    )
    ys, dys, count, record, d_record = split(made, n, sum(has), 1, n if loop.capacity else 0)
    d_record = spread(d_record, has) if loop.capacity else []
    return (*ys, *count, *record), (*spread(dys, has), None, *d_record)


def back(sense: Sense, loop: While, ct: Value, out: Value, xs: Values, parents: Parents) -> Terms:
    """A scan from the end of the record, which passes over the rows that no step has filled.

    It carries the cotangents of the carry and, summed so far, those of the constants.  So it is
    with live lanes.
    """
    body, c, n = loop.body, loop.constants, loop.carries
    body = Program(body.inputs, body.equations, (*body.outputs, *body.inputs[c:]))
    wanted = [p is not None and is_inexact(x.dtype) for p, x in zip(parents, xs)]
    from_constants, from_start = split(wanted, c)
    varies = fixpoint(lambda carry: moved(body, [*from_constants, *carry])[:n], from_start)
    inputs = [*from_constants, *varies]
    ct_last, _, ct_record = split(ct, n, 1)
    record = list(out[n + 1 :])
    float_carry = [is_inexact(x.dtype) for x in xs[c:]]
    arrived = [g is not None and f for g, f in zip(ct_last, float_carry)]
    noted = [g is not None and f for g, f in zip(ct_record, float_carry)]
    alive = fixpoint(
        lambda carry: reached(body, inputs, [*carry, *noted])[c:],
        [a and b for a, b in zip(arrived, varies)],
    )
    reach = reached(body, inputs, [*alive, *noted])
    to_constants, _ = split(reach, c)

    def step_back(*values: Value) -> list[Value]:
        constants, cts, sums, carry, ct_rows = split(values, c, sum(alive), sum(to_constants), n)
        xs = [*constants, *carry]
        cotangents = [*spread(cts, alive), *spread(ct_rows, noted)]
        found = sense.through(body, xs, reach, cotangents)
        found = [sense.none(x) if g is None else g for g, x in zip(found, xs)]
        terms, cts = split(found, c)
        sums = [sense.both(total, term) for total, term in zip(sums, chosen(terms, to_constants))]
        return [*chosen(cts, alive), *sums]

    def stand_still(*values: Value) -> list[Value]:
        _, cts, _ = split(values, c, sum(alive) + sum(to_constants))
        return cts

    def step(*values: Value) -> list[Value]:
        count, *operands = values
        *operands, place = operands
        avals = avals_of(operands)
        branches = [program_of(stand_still, avals), program_of(step_back, avals)]
        return switch_with((place < count).astype(np.int64), branches, operands)

    constants, carry = split(xs, c)
    seeds = [sense.none(x) if not a else g for g, x, a in zip(ct_last, carry, arrived)]
    groups = (
        [out[n], *constants],
        [*chosen(seeds, alive), *map(sense.none, chosen(constants, to_constants))],
        [*record, *chosen(ct_record, noted), np.arange(loop.capacity)],
    )
    slices = [a._replace(shape=a.shape[1:]) for a in avals_of(groups[2])]
    traced_step = program_of(step, [*avals_of(*groups[:2]), *slices])
    made = scan_with(traced_step, *groups, loop.capacity, True)
    cts, sums = split(made, sum(alive))
    return [*spread(sums, to_constants), *spread(cts, alive)]


def lanes(loop: While, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
    """The lanes go back as cotangents do, over the record: without one, to all that is read."""
    if not loop.capacity:
        return reach_of_any(alive, parents)
    return back(LANES, loop, alive, out, xs, parents)


def batch(loop: While, size: int, mapped: Sequence[bool], xs: Values) -> Value:
    """A loop of the batched body."""
    c = loop.constants
    of_constants, of_carry = split(mapped, c)
    of_carry = fixpoint(
        lambda carry: moved(loop.body, [*of_constants, *carry], smooth=False, whole=True), of_carry
    )
    if any(moved(loop.condition, [*of_constants, *of_carry], smooth=False, whole=True)):
        return until_all_are_done(loop, size, mapped, xs)

    def step(*values: Value) -> list[Value]:
        ys, found = over_batch(loop.body, values, [*of_constants, *of_carry])
        return [stretch(y, size) if m and not f else y for y, m, f in zip(ys, of_carry, found)]

    constants, carry = split(xs, c)
    carry = [
        stretch(x, size) if m and not was else x for x, m, was in zip(carry, of_carry, mapped[c:])
    ]
    avals = avals_of(constants, carry)
    # the condition reads nothing that is batched, so it takes the operands as they are
    condition = program_of(
        lambda *values: condition_of(loop, values, of_constants, of_carry), avals
    )
    made = while_with(
        condition, program_of(step, avals), constants, carry, loop.capacity, loop.bound
    )
    last, count, record = split(made, loop.carries, 1)
    rows = [np.moveaxis(r, 1, 0) if m else stretch(r, size) for r, m in zip(record, of_carry)]
    return (
        *(y if m else stretch(y, size) for y, m in zip(last, of_carry)),
        stretch(count[0], size),
        *rows,
    )


def condition_of(
    loop: While, values: Values, of_constants: Sequence[bool], of_carry: Sequence[bool]
) -> list[Value]:
    """The condition of a batched loop that is the same for all examples."""
    ys, _ = over_batch(loop.condition, values, [*of_constants, *of_carry])
    return ys


def until_all_are_done(loop: While, size: int, mapped: Sequence[bool], xs: Values) -> Value:
    """A loop that goes on while any example does; examples that are done stay as they are.

    Besides the carry it carries which examples go on and how many steps each has taken.
    """
    c, n = loop.constants, loop.carries
    of_constants = mapped[:c]
    everything = [*of_constants, *[True] * n]
    constants, carry = split(xs, c)
    carry = [x if m else stretch(x, size) for x, m in zip(carry, mapped[c:])]

    def goes_on(constants: Values, carry: Values) -> Value:
        (going,), (differs,) = over_batch(loop.condition, [*constants, *carry], everything)
        return going if differs else stretch(going, size)

    def some(*values: Value) -> list[Value]:
        return [np.any(values[c])]

    def step(*values: Value) -> list[Value]:
        constants, (going, steps), carry = split(values, c, 2)
        ys, found = over_live(loop.body, going, [*constants, *carry], everything)
        moved_on = [
            np.where(along(going, x), y if f else stretch(y, size), x)
            for y, f, x in zip(ys, found, carry)
        ]
        still = np.logical_and(going, goes_on(constants, moved_on))
        return [still, steps + going, *moved_on]

    start = [np.copy(goes_on(constants, carry)), np.zeros(size, np.int64), *carry]
    avals = avals_of(constants, start)
    made = while_with(
        program_of(some, avals), program_of(step, avals), constants, start,
        loop.capacity, loop.bound,
    )  # fmt: skip
    _, steps, last, _, _, record = split(made, 1, 1, n, 1, 2 if loop.capacity else 0)
    return (*last, *steps, *(np.moveaxis(r, 1, 0) for r in record))


def guard(loop: While, live: Any, xs: Sequence[Any]) -> Guarded:
    """A loop that goes on where the flag holds besides its condition."""

    def goes_on(live: Value, *values: Value) -> list[Value]:
        return [np.logical_and(live, *loop.condition(*values))]

    condition = program_of(goes_on, [FLAG, *loop.condition.avals])
    made = While(
        condition, with_flag(loop.body), loop.constants + 1, loop.carries, loop.capacity, loop.bound
    )
    return made, (live, *xs)


While.rules = Rules(dual, partial(back, COTANGENTS), lanes, batch, while_on_slots, guard)
