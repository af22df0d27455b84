"""Decisions that let control jump: what follows them, up to the end of their unit."""

from __future__ import annotations

from typing import Any

from ...core.avals import Value
from .branch import proceed, split
from .jumps import always_jumps
from .loops import run_loop
from .outcomes import BACK, END, FELL, Outcome, outcome, refusal
from .sides import Run
from .sites import Cells, Site


def finish(site: Site, pred: Value, here: Any) -> Outcome:
    """`if pred: ... else: ...` and what follows it, where a side jumps.

    What follows goes with the side that does not jump; where either may fall through, it is a
    decision of its own.
    """
    cells = Cells(here)

    def piece(name: str) -> Run:
        found: Run = site.piece(name, cells)
        return found

    if always_jumps(site.node.body):
        sides = piece("true"), ended(site, piece("false, rest"))
    elif always_jumps(site.node.orelse):
        sides = ended(site, piece("true, rest")), piece("false")
    else:
        left = split(site, pred, cells, piece("true"), piece("false"), site.live)
        return whole(site, proceed(site, left, cells, ended(site, piece("rest")), site.end))
    return whole(site, split(site, pred, cells, *sides, site.end))


def finish_loop(site: Site, it: Any, here: Any) -> Outcome:
    """A loop with a `return` in it, and what follows."""
    cells = Cells(here)
    left = run_loop(site, it, cells)
    return whole(site, proceed(site, left, cells, ended(site, site.piece("rest", cells)), site.end))


def ended(site: Site, run: Run) -> Run:
    """A piece that goes to the end of its unit: a function returns None there."""
    end = outcome(BACK, None) if site.in_function else END
    return lambda: run() or end


def whole(site: Site, left: Outcome) -> Outcome:
    """The way out of a unit: all paths of a function return."""
    if not site.in_function or left.possible <= {BACK}:
        return left
    if left.possible == {FELL}:
        return outcome(BACK, None)
    raise refusal(
        site,
        "one path returns a value and another comes to the end of the function, and which is "
        "taken is not known while tracing",
        "return a value on every path",
    )
