"""The branches that values decide: how far the switch is, and what jumps there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Value
from ...core.errors import QiudaoError
from ...core.node import Equation
from ...core.source import Line, line_of
from ...core.sweep import fit
from ...ops.rounding import COMPARISONS
from ..expressions import expression_at, span_of
from ..sweeps import backward
from ..witness import Decision, Observation, Step, Subject

STEPS = 30  # of Newton's method, on the way to a switch
NEAR = 1e-12  # of the size of what is compared: there the switch is reached


@dataclass(frozen=True, slots=True)
class Branch:
    """A line where a value decided which way the function goes.

    `margin` is the difference of the two sides compared (the smallest, where the line ran often),
    and `distance` how far the inputs must move, in Euclid's norm and to first order, for it to
    vanish.  At the switch `values` are the results without and with the branch, and `slopes` the
    derivatives of both along the shortest way there.  None stands for what is not known.
    """

    line: Line
    condition: str
    taken: int
    refused: int
    margin: float | None
    distance: float | None
    values: tuple[float, float] | None
    slopes: tuple[float, float] | None

    @property
    def jump(self) -> float | None:
        """How much the value changes at the switch."""
        return None if self.values is None else self.values[1] - self.values[0]


class Gap(NamedTuple):
    """The difference of the sides of a comparison, at the element where it is smallest."""

    comparison: Step
    place: tuple[int, ...]
    difference: float
    size: float  # of the sides


def branches_of(subject: Subject, seen: Observation, most: int) -> list[Branch]:
    """The branches of an observed run, a line each, in the order in which they were met."""
    met: dict[Any, list[int]] = {}
    for k, decision in enumerate(seen.decisions):
        code, offset = decision.where  # the test of a loop is compiled twice, for one expression
        met.setdefault((code, span_of(code, offset) or offset), []).append(k)
    found = []
    for occasions in list(met.values())[:most]:
        where = seen.decisions[occasions[0]].where
        taken = sum(seen.decisions[k].taken for k in occasions)
        gaps = [(k, gap) for k in occasions if (gap := gap_of(seen.decisions[k].step)) is not None]
        near = min(gaps, key=lambda pair: abs(pair[1].difference), default=None)
        distance = values = slopes = None
        if near is not None:
            distance, values, slopes = at_switch(subject, seen, *near)
        found.append(
            Branch(
                line_of(*where),
                condition_of(seen.decisions[occasions[0]], where),
                taken,
                len(occasions) - taken,
                None if near is None else near[1].difference,
                distance,
                values,
                slopes,
            )
        )
    return found


def condition_of(decision: Decision, where: tuple[CodeType, int]) -> str:
    """The user's words for what was decided."""
    node = decision.step.node
    if isinstance(node, Equation):
        words = expression_at(node.code, node.offset)
        if words is not None:
            return words
    return expression_at(*where) or line_of(*where).text


def gap_of(step: Step) -> Gap | None:
    """The smallest gap of the comparisons that a truth value was made from."""
    gaps = [g for g in map(own_gap, comparisons_behind(step)) if g is not None]
    return min(gaps, key=lambda g: abs(g.difference), default=None)


def comparisons_behind(step: Step) -> list[Step]:
    """The comparisons that a truth value was made from; a number stands for `number != 0`."""
    found, waiting = [], [step]
    while waiting:
        each = waiting.pop()
        node = each.node
        if isinstance(node, Equation) and node.primitive.label in COMPARISONS:
            found.append(each)
        elif np.asarray(each.value).dtype.kind == "b":
            waiting.extend(x for x in each.operands if isinstance(x, Step))
    return found


def own_gap(step: Step) -> Gap | None:
    """The gap of one comparison."""
    a, b = (np.asarray(x.value if isinstance(x, Step) else x) for x in step.operands)
    if a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu" or not np.size(step.value):
        return None
    with np.errstate(all="ignore"):
        difference = np.broadcast_to(a.astype(float) - b, np.shape(step.value))
    if np.isnan(difference).any():
        return None
    flat = int(np.argmin(np.abs(difference)))
    index = np.unravel_index(flat, difference.shape)
    size = max(abs(float(np.broadcast_to(side, difference.shape)[index])) for side in (a, b))
    return Gap(step, tuple(map(int, index)), float(difference[index]), size)


def normal_of(seen: Observation, gap: Gap) -> list[Value]:
    """The gradient of the gap with respect to each input."""
    unit = np.zeros(np.shape(gap.comparison.value))
    unit[gap.place] = 1.0
    seeds = []
    for side, sign in zip(gap.comparison.operands, (1.0, -1.0), strict=True):
        if isinstance(side, Step) and side.flows:
            seeds.append((side, fit(sign * unit[()], side.node)))
    done = backward(seen, seeds)
    return [
        np.zeros(np.shape(x.value)) if (g := done.gradient(x)) is None else of_kind(g, x)
        for x in seen.inputs
    ]


def of_kind(g: Value, x: Step) -> Value:
    """A gradient as a direction of its input: real numbers do not move off their line."""
    return g if np.asarray(x.value).dtype.kind == "c" else np.real(g)


def norm(parts: Sequence[Value]) -> float:
    """Euclid's norm of all elements together."""
    return float(np.sqrt(sum(float(np.sum(np.square(np.abs(p)))) for p in parts)))


def at_switch(
    subject: Subject, seen: Observation, k: int, gap: Gap
) -> tuple[float | None, tuple[float, float] | None, tuple[float, float] | None]:
    """How far decision `k` is from its switch, and the values and slopes on both sides there.

    Newton's method walks to the switch along the gradient of the gap, with the decisions before
    held as they were; there the function is run as it goes on either side.
    """
    normal = normal_of(seen, gap)
    steep = norm(normal)
    if steep == 0.0 or not np.isfinite(steep):
        return None, None, None
    distance = abs(gap.difference) / steep
    before = [d.taken for d in seen.decisions[:k]]
    inputs = subject.inputs
    try:
        for _ in range(STEPS):
            if abs(gap.difference) <= NEAR * max(gap.size, norm(normal) * norm(inputs)):
                break
            step = gap.difference / norm(normal) ** 2
            inputs = [
                np.asarray(x - step * n, np.asarray(x).dtype)[()]
                for x, n in zip(inputs, normal, strict=True)
            ]
            there = subject.run(inputs, [*before, seen.decisions[k].taken])
            again = gap_of(there.decisions[k].step)
            if again is None:
                return distance, None, None
            gap, normal = again, normal_of(there, again)
            if norm(normal) == 0.0:
                return distance, None, None
        else:
            return distance, None, None
        without, taken = (
            sided(subject, inputs, decided, normal)
            for decided in both_ways(subject, inputs, [*before, seen.decisions[k].taken], normal)
        )
    except (QiudaoError, ArithmeticError, ValueError, TypeError, IndexError):
        return distance, None, None  # the function has no value on the other side
    if without is None or taken is None:
        return distance, None, None
    return distance, (without[0], taken[0]), (without[1], taken[1])


def both_ways(
    subject: Subject, inputs: list[Value], before: list[bool], normal: list[Value]
) -> tuple[Sequence[bool], Sequence[bool]]:
    """What is decided at the switch of the last decision of `before`: without it, and with it.

    A condition that is met several times, as in a loop, turns over everywhere at once: decisions
    that are at their own switch here go as they go a little to either side.
    """
    *held, _ = before
    at_once = [
        gap is not None and abs(gap.difference) <= NEAR * max(gap.size, norm(inputs))
        for gap in (gap_of(d.step) for d in subject.run(inputs, before).decisions[: len(before)])
    ]
    free = [None if tied else taken for tied, taken in zip(at_once[:-1], held, strict=True)]
    eps = max(np.finfo(x.dtype).eps for x in map(np.asarray, inputs) if x.dtype.kind in "fc")
    aside = np.sqrt(eps) * (max(norm(inputs), norm(subject.inputs)) or 1.0) / norm(normal)
    found: dict[bool, Sequence[bool]] = {}
    for side in (aside, -aside):
        moved = [
            np.asarray(x + side * n, np.asarray(x).dtype)[()]
            for x, n in zip(inputs, normal, strict=True)
        ]
        decided = [d.taken for d in subject.run(moved, free).decisions]
        found[decided[len(held)]] = decided
    if len(found) < 2:  # the sides differ in nothing, as of `x == 1.0`
        return [*held, False], [*held, True]
    return found[False], found[True]


def sided(
    subject: Subject, inputs: list[Value], forced: Sequence[bool], normal: list[Value]
) -> tuple[float, float] | None:
    """The result with these decisions, and its derivative along the normal; None: not real."""
    seen = subject.run(inputs, forced)
    out = next((y for y in seen.outputs if np.asarray(y.value).dtype.kind == "f"), None)
    if out is None:
        return None
    done = backward(seen, [(out, np.ones(np.shape(out.value), out.node.dtype)[()])])
    length = norm(normal)
    slope = 0.0
    for x, n in zip(seen.inputs, normal, strict=True):
        g: Any = done.gradient(x)
        if g is not None:
            slope += float(np.sum(np.real(np.conj(g) * n))) / length
    return float(np.sum(out.value)), slope
