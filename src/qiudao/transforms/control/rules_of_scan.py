"""Derivatives and batches of `Scan`: scans of the body's dual, its pullback, its batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.avals import Value, is_inexact
from ...core.living import Guarded
from ...core.primitive import Parents, Terms, Values, reach_of_any, stretch
from ...core.program import Program
from ...ops.control import Rules, Scan
from .applying import scan_with
from .dependence import fixpoint, moved, reached
from .guarding import guarded
from .linearity import scan_on_slots, without_nodes
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


def spelled(scan: Scan) -> Program:
    """The body with the record, if there is one, as the last of ys."""
    body, c, n = scan.body, scan.constants, scan.carries
    record = body.inputs[c : c + n] if scan.record else ()
    return Program(body.inputs, body.equations, (*body.outputs, *record))


def dual(scan: Scan, xs: Values, dxs: Terms) -> tuple[Value, Value]:
    """A scan that carries the tangents beside the values.

    A carry has a tangent where its start has one, or the body gives it one from what has.
    """
    body, c, n = spelled(scan), scan.constants, scan.carries
    outputs = len(body.outputs)
    d_constants, d_carry, d_xs = split(dxs, c, n)
    given, has, stepped = split([dx is not None for dx in dxs], c, n)
    has = fixpoint(lambda carry: moved(body, [*given, *carry, *stepped])[:n], has)
    out_has = [*has, *moved(body, [*given, *has, *stepped])[n:]]

    def step(*values: Value) -> list[Value]:
        counts = (c, sum(given), n, sum(has), len(stepped))
        constants, dc, carry, dv, slices, ds = split(values, *counts)
        changes = [*spread(dc, given), *spread(dv, has), *spread(ds, stepped)]
        ys, dys = with_tangents(body, [*constants, *carry, *slices], changes)
        dys = [zeros(y) if dy is None else dy for y, dy in zip(ys, dys)]
        return [*ys[:n], *chosen(dys[:n], has), *ys[n:], *chosen(dys[n:], out_has[n:])]

    constants, carry, arrays = split(xs, c, n)
    starts = [zeros(x) if dx is None else dx for x, dx in zip(carry, d_carry)]
    groups = (
        [*constants, *chosen(d_constants, given)],
        [*carry, *chosen(starts, has)],
        [*arrays, *chosen(d_xs, stepped)],
    )
    made = scan_with(program_of(step, step_avals(*groups)), *groups, scan.length, scan.reverse)
    last, d_last, ys, dys = split(made, n, sum(has), outputs - n)
    changes = [*spread(d_last, has), *spread(dys, out_has[n:])]
    return (*last, *ys), tuple(changes)


def step_avals(constants: Values, carry: Values, arrays: Values) -> list[Any]:
    """The types of what one step is given."""
    slices = [a._replace(shape=a.shape[1:]) for a in avals_of(arrays)]
    return [*avals_of(constants, carry), *slices]


def back(sense: Sense, scan: Scan, ct: Value, out: Value, xs: Values, parents: Parents) -> Terms:
    """A scan the other way, over the record, that runs the body of each step backwards.

    It carries the cotangents of the carry and, summed so far, those of the constants; those of xs
    are its ys.  So it is with live lanes.
    """
    body, c, n = spelled(scan), scan.constants, scan.carries
    xs, results = without_nodes(xs), scan.shape()
    wanted = [p is not None and is_inexact(x.dtype) for p, x in zip(parents, xs)]
    from_constants, from_start, from_xs = split(wanted, c, n)
    varies = fixpoint(
        lambda carry: moved(body, [*from_constants, *carry, *from_xs])[:n], from_start
    )
    inputs = [*from_constants, *varies, *from_xs]
    arrived = [g is not None and is_inexact(y.dtype) for g, y in zip(ct, results)]
    ct_last, ct_ys = split(ct, n)
    alive = fixpoint(
        lambda carry: reached(body, inputs, [*carry, *arrived[n:]])[c : c + n],
        [a and b for a, b in zip(arrived[:n], varies)],
    )
    reach = reached(body, inputs, [*alive, *arrived[n:]])
    to_constants, _, to_xs = split(reach, c, n)

    def step(*values: Value) -> list[Value]:
        counts = (c, sum(alive), sum(to_constants), n, len(from_xs))
        constants, cts, sums, carry, slices, ct_slices = split(values, *counts)
        found = sense.through(
            body,
            [*constants, *carry, *slices],
            reach,
            [*spread(cts, alive), *spread(ct_slices, arrived[n:])],
        )
        found = [sense.none(x) if g is None else g
                 for g, x in zip(found, [*constants, *carry, *slices])]  # fmt: skip
        terms, cts, ct_slices = split(found, c, n)
        sums = [sense.both(total, term) for total, term in zip(sums, chosen(terms, to_constants))]
        return [*chosen(cts, alive), *sums, *chosen(ct_slices, to_xs)]

    constants, carry, arrays = split(xs, c, n)
    record = list(out[len(out) - n :]) if out is not None else unread_record(scan)
    seeds = [sense.none(x) if not a else g for g, x, a in zip(ct_last, carry, arrived)]
    groups = (
        constants,
        [*chosen(seeds, alive), *map(sense.none, chosen(constants, to_constants))],
        [*record, *arrays, *chosen(ct_ys, arrived[n:])],
    )
    made = scan_with(program_of(step, step_avals(*groups)), *groups, scan.length, not scan.reverse)
    cts, sums, ct_arrays = split(made, sum(alive), sum(to_constants))
    return [*spread(sums, to_constants), *spread(cts, alive), *spread(ct_arrays, to_xs)]


def unread_record(scan: Scan) -> list[Value]:
    """The record of a linear scan, whose pullback does not read it."""
    carry = scan.body.results[: scan.carries]
    return [np.zeros((scan.length, *c.shape), c.dtype) for c in carry]


def lanes(scan: Scan, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
    """The lanes go back as cotangents do, over the record: without one, to all that is read."""
    if not scan.record:
        return reach_of_any(alive, parents)
    return back(LANES, scan, alive, out, xs, parents)


def batch(scan: Scan, size: int, mapped: Sequence[bool], xs: Values) -> Value:
    """A scan of the batched body.  A carry is batched where its start is, or the body makes it."""
    body, c, n = spelled(scan), scan.constants, scan.carries
    of_constants, of_carry, of_xs = split(mapped, c, n)
    of_carry = fixpoint(
        lambda carry: moved(body, [*of_constants, *carry, *of_xs], smooth=False, whole=True)[:n],
        of_carry,
    )
    inputs = [*of_constants, *of_carry, *of_xs]
    of_results = [*of_carry, *moved(body, inputs, smooth=False, whole=True)[n:]]

    def step(*values: Value) -> list[Value]:
        ys, found = over_batch(body, values, inputs)
        return [stretch(y, size) if m and not f else y for y, m, f in zip(ys, of_results, found)]

    constants, carry, arrays = split(xs, c, n)
    groups = (
        constants,
        [stretch(x, size) if m and not was else x
         for x, m, was in zip(carry, of_carry, mapped[c:])],
        [np.moveaxis(x, 0, 1) if m else x for x, m in zip(arrays, of_xs)],
    )  # fmt: skip
    made = scan_with(program_of(step, step_avals(*groups)), *groups, scan.length, scan.reverse)
    last, ys = split(made, n)
    stacked = [np.moveaxis(y, 1, 0) if m else y for y, m in zip(ys, of_results[n:])]
    return tuple(y if m else stretch(y, size) for y, m in zip([*last, *stacked], of_results))


def slots(scan: Scan, xs: Values) -> Value:
    """A scan of the known part, and a linear one over its record."""
    return scan_on_slots(scan, spelled(scan), xs)


def guard(scan: Scan, live: Any, xs: Sequence[Any]) -> Guarded | None:
    """A scan of the guarded body."""
    body = guarded(scan.body)
    if body is None:
        return None
    made = Scan(body, scan.constants + 1, scan.carries, scan.length, scan.reverse, scan.record)
    return made, (live, *xs)


Scan.rules = Rules(dual, partial(back, COTANGENTS), lanes, batch, slots, guard)
