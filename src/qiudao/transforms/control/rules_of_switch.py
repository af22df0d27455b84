"""Derivatives and batches of `Switch`: a switch of the branches' duals, pullbacks, batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.avals import Value, is_inexact
from ...core.living import Guarded
from ...core.primitive import Parents, Terms, Values, stretch
from ...core.program import Program
from ...ops.control import Rules, Switch
from .applying import switch_with
from .dependence import moved, reached
from .guarding import along, chooses, guarded, over_live, unread
from .linearity import switch_on_slots, without_nodes
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


def in_any(flags: Sequence[Sequence[bool]]) -> list[bool]:
    """What is so in some branch."""
    return [any(column) for column in zip(*flags, strict=True)]


def dual(switch: Switch, xs: Values, dxs: Terms) -> tuple[Value, Value]:
    """A result has a tangent where some branch gives it one."""
    index, *operands = xs
    given = [dx is not None for dx in dxs[1:]]
    has = in_any([moved(branch, given) for branch in switch.branches])

    def ahead(branch: Program) -> Program:
        def run(*values: Value) -> list[Value]:
            primals, changes = split(values, len(operands))
            ys, dys = with_tangents(branch, primals, spread(changes, given))
            dys = [zeros(y) if dy is None else dy for y, dy in zip(ys, dys)]
            return [*ys, *chosen(dys, has)]

        return program_of(run, avals_of(operands, chosen(dxs[1:], given)))

    made = switch_with(
        index, list(map(ahead, switch.branches)), [*operands, *chosen(dxs[1:], given)]
    )
    ys, dys = split(made, len(has))
    return tuple(ys), tuple(spread(dys, has))


def back(
    sense: Sense, switch: Switch, ct: Value, out: Value, xs: Values, parents: Parents
) -> Terms:
    """Each branch run again, backwards."""
    index, *operands = without_nodes(xs)
    wanted = [p is not None and is_inexact(x.dtype) for p, x in zip(parents[1:], operands)]
    results = switch.branches[0].results
    arrived = [g is not None and is_inexact(y.dtype) for g, y in zip(ct, results)]
    reach = in_any([reached(branch, wanted, arrived) for branch in switch.branches])
    cts = chosen(ct, arrived)

    def turned(branch: Program) -> Program:
        def run(*values: Value) -> list[Value]:
            primals, given = split(values, len(operands))
            found = sense.through(branch, primals, reach, spread(given, arrived))
            found = [sense.none(x) if g is None else g for g, x in zip(found, primals)]
            return chosen(found, reach)

        return program_of(run, avals_of(operands, cts))

    if not any(reach):
        return [None] * len(xs)
    made = switch_with(index, list(map(turned, switch.branches)), [*operands, *cts])
    return [None, *spread(made, reach)]


def batch(switch: Switch, size: int, mapped: Sequence[bool], xs: Values) -> Value:
    """The batched branch; where the examples choose for themselves, all of them and a selection."""
    index, *operands = xs
    if mapped[0]:
        return every_branch(switch, size, mapped, xs)
    has = in_any(
        [moved(branch, mapped[1:], smooth=False, whole=True) for branch in switch.branches]
    )

    def many(branch: Program) -> Program:
        def run(*values: Value) -> list[Value]:
            ys, found = over_batch(branch, values, mapped[1:])
            return [stretch(y, size) if m and not f else y for y, m, f in zip(ys, has, found)]

        return program_of(run, avals_of(operands))

    made = switch_with(index, list(map(many, switch.branches)), operands)
    return tuple(y if m else stretch(y, size) for y, m in zip(made, has))


def every_branch(switch: Switch, size: int, mapped: Sequence[bool], xs: Values) -> Value:
    """All branches, each result chosen example by example."""
    index, *operands = xs
    results = []
    with np.errstate(all="ignore"):  # a branch may warn of examples that do not choose it
        for k, branch in enumerate(switch.branches):
            live = chooses(index, k, len(switch.branches))
            ys, found = over_live(branch, live, operands, mapped[1:])
            results.append([y if f else stretch(y, size) for y, f in zip(ys, found)])
    *others, last = results
    chosen_ones = last
    for k, ys in reversed(list(enumerate(others))):
        here = index <= k
        chosen_ones = [np.where(along(here, y), y, rest) for y, rest in zip(ys, chosen_ones)]
    return tuple(chosen_ones)


def guard(switch: Switch, live: Any, xs: Sequence[Any]) -> Guarded | None:
    """A switch of the guarded branches."""
    made = list(map(guarded, switch.branches))
    if not any(made):
        return None
    branches = (inside or unread(b) for inside, b in zip(made, switch.branches))
    return Switch(tuple(branches)), (xs[0], live, *xs[1:])


Switch.rules = Rules(
    dual, partial(back, COTANGENTS), partial(back, LANES), batch, switch_on_slots, guard
)
