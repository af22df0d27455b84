"""Loops of plain Python, which tracing unrolls, as loops again.

A `for` over 1,000 steps traces to 1,000 copies of its body.  The repetition is found in the
equations (`periods.py`), each operand is told apart by how it moves from copy to copy (`loops.py`),
and one `Scan` takes the place of all the copies:

    the same value in every copy            a constant of the loop
    a value of the same copy                inside the body
    a value of an earlier copy              a carry
    x[i], numbers, elements of a list       a slice of a stack
    z[i] = v                                a stacked result, written into z after the loop

The widest repetition is rolled first, and then what is repeated inside its body.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

from ..core.program import Program
from .filling import fills
from .listing import Listing
from .loops import Plan
from .periods import REPEATS, SAVED, Run, all_runs, pays, regular
from .rewriting import Writer, line_of_place
from .roles import Refusal

LONG = 500  # operations from which a report says that there is no loop
STUBBORN = 64  # attempts that may fail before a program is left as it is


class Rolled(NamedTuple):
    """A program whose repetitions are loops, and a line on each loop, or why there is none."""

    program: Program
    report: tuple[str, ...]


def roll(program: Program) -> Program:
    """The program with its repetitions as loops."""
    return rolled(program).program


def rolled(program: Program) -> Rolled:
    """The program with its repetitions as loops, and what was done."""
    if len(program.equations) <= SAVED:
        return Rolled(program, ())
    listing = Listing(program)
    plans, report = planned(listing)
    if not plans:
        return Rolled(program, tuple(report))
    writer = Writer(listing, lambda body: rolled(body))
    program = writer.written(plans)
    return Rolled(program, (*writer.report, *report))


def planned(listing: Listing) -> tuple[list[Plan], list[str]]:
    """The loops of a program, those that save most chosen first, and why the rest are none."""
    found = all_runs(listing.tokens)
    queue = [(-run.saved, run.period, run, False) for run in found]
    heapq.heapify(queue)
    taken: list[Plan] = []
    refused: list[str] = []
    while queue and len(refused) < STUBBORN:
        _, _, run, is_regular = heapq.heappop(queue)
        clash = next((p for p in taken if p.start < run.end and run.start < p.end), None)
        if clash is not None:
            for part in (Run(run.period, run.start, clash.start),
                         Run(run.period, clash.end, run.end)):  # fmt: skip
                if pays(part, slack=2 if is_regular else 0):
                    heapq.heappush(queue, (-part.saved, part.period, part, is_regular))
        elif not is_regular:
            for part in regular(listing, run):
                heapq.heappush(queue, (-part.saved, part.period, part, True))
        else:
            floor = max((p.end for p in taken if p.end <= run.start), default=0)
            try:
                plan = Plan(listing, run, floor)
                plan.fills = fills(plan)
                plan.settle()
                taken.append(plan)
            except Refusal as refusal:
                refused.append(f"{line_of_place(listing, run.start)}: not rolled: {refusal}")
    taken.sort(key=lambda plan: plan.start)
    left = listing.count - sum(plan.end - plan.start for plan in taken)
    if left < LONG:
        return taken, [] if taken else list(dict.fromkeys(refused))
    said = f"none repeat {REPEATS} times in a row with operands that move evenly"
    return taken, list(dict.fromkeys(refused)) or [f"{left} operations, among which {said}"]
