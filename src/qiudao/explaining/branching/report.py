"""`qd.branches`: which branches and kinks stand near a derivative."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..graph import title_of
from ..labels import line_of
from ..summary import number
from ..witness import Subject
from .kinks import Kink, kinks_of
from .switches import Branch, branches_of

LINES = 20  # with branches, that are followed to their switch


class Branches:
    """The branches and the kinks of one run of a function; printed, a report.

    `branches` has a `Branch` for each place where a value decided, `kinks` a `Kink` for each
    operation that has one, and `notes` what could not be seen.
    """

    def __init__(
        self, title: str, branches: list[Branch], kinks: list[Kink], notes: list[str]
    ) -> None:
        self.title = title
        self.branches = branches
        self.kinks = kinks
        self.notes = notes

    @property
    def touched(self) -> list[Kink]:
        """The kinks that some element is exactly on."""
        return [k for k in self.kinks if k.touched]

    def json(self) -> dict[str, Any]:
        """Plain data: `title`, `branches`, `kinks`, `notes`, with the fields of their classes."""
        return {
            "title": self.title,
            "branches": [dataclasses.asdict(b) for b in self.branches],
            "kinks": [dataclasses.asdict(k) for k in self.kinks],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        rows = [f"branches of {self.title}"]
        if not self.branches:
            rows.append("  no branch depended on a differentiated value")
        for branch in self.branches:
            rows += [f"  {row}" for row in told(branch)]
        rows.append("kinks")
        if not self.kinks:
            rows.append("  no operation with a kink was met")
        for kink in self.kinks:
            rows += [f"  {row}" for row in told_kink(kink)]
        return "\n".join([*rows, *(f"note: {note}" for note in self.notes)])


def told(branch: Branch) -> list[str]:
    """A branch in a few lines."""
    ran = branch.taken + branch.refused
    if ran == 1:
        how = "true" if branch.taken else "false"
    else:
        how = f"true {branch.taken} and false {branch.refused} times"
    rows = [f"{line_of(branch.line)}: {branch.condition} was {how}"]
    if branch.margin is not None:
        far = ""
        if branch.distance is not None:
            far = f"; it switches when the inputs move by {number(branch.distance, 3)}"
        rows.append(f"    margin {number(branch.margin, 3)}{far}")
    if branch.values is not None and branch.slopes is not None and branch.jump is not None:
        (low, high), (before, after) = branch.values, branch.slopes
        jumps = abs(branch.jump) > 1e-9 * max(abs(low), abs(high))
        value = (
            f"the value jumps from {number(low)} (false) to {number(high)} (true)"
            if jumps
            else f"the value is {number(low)} on both sides"
        )
        bends = abs(after - before) > 1e-9 * max(abs(before), abs(after))
        slope = (
            f"the slope from {number(before, 4)} to {number(after, 4)}"
            if bends
            else f"the slope is {number(before, 4)} on both"
        )
        rows.append(f"    at the switch {value}, {slope}")
    return rows


def told_kink(kink: Kink) -> list[str]:
    """A kink in a few lines."""
    on = f"{kink.touched} of {kink.elements} elements on the kink"
    near = "" if kink.nearest is None else f", the nearest other {number(kink.nearest, 3)} away"
    rows = [f"{line_of(kink.line)}: {kink.expression}: {on}{near}"]
    if kink.touched:
        rows.append(f"    {kink.convention}")
    return rows


def branches(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Branches:
    """The branches of `f` that depended on a differentiated value, and the kinks that it met.

    `f(*args, **kwargs)` is run on its real values.  For each place where a value decided (`if`,
    `while`, `and`, `bool(x)`), the report has how often it went which way, the margin to the
    switch, how far the inputs must move to reach it (to first order, then by Newton's method), and
    the jump of the value and of the slope there; for each operation with a kink (`abs`, `maximum`,
    `clip`, `max`, a norm...), how many elements are exactly on it, the convention used there
    (docs/conventions.md), and how near the others are.  Results that are arrays are summed.

    Raises what `f` raises, and `GradientError` inside a transform.

    >>> import qiudao as qd
    >>> def price(x):
    ...     return 2.0 * x if x > 1.0 else x
    >>> (branch,) = qd.branches(price, 1.5).branches
    >>> branch.margin, branch.values, branch.slopes
    (0.5, (1.0, 2.0), (1.0, 2.0))
    """
    subject = Subject(f, args, kwargs)
    seen = subject.run()
    found = branches_of(subject, seen, LINES)
    notes = [
        f"{reading.act} takes a value out of the computation; branches on it are not seen"
        for reading in seen.readings[:1]
    ]
    if len(found) == LINES:
        notes.append(f"only the first {LINES} places with branches are listed")
    return Branches(title_of(f), found, kinks_of(seen), notes)
