"""Loops tried as structured ones: a step is traced once instead of as often as it is taken.

A `for` loop of known length would be unrolled by the trace.  Where its step only computes
(`effects.py`), it is first traced with a symbol for the number of the step: from the start, and if
what it carries has other types after a step than before, from the second step on.  Where anything
speaks against it (the step asks for the number itself, say), all is put back, and the loop is one
of Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...core.avals import Aval
from ...core.modes import modes
from .carrying import Loop
from .columns import is_steady, reader
from .courses import steps
from .outcomes import end_trial
from .sites import Cells, Site
from .state import State, regions
from .step import Returned
from .stepping import TriedStep

FEWEST = 32  # steps from which a loop is tried
STUBBORN = 4  # attempts that may fail before a loop is left to Python


class TriedLoop(Loop):
    """A loop of known length whose step may turn out to need the number of the step."""

    def __init__(self, site: Site, cells: Cells, step: Callable[[Any], Any], length: int) -> None:
        super().__init__(site, cells, step, lambda k: k < length, True, True)
        self.count = True
        self.bound = length
        self.narrow = False
        if self.jumps:
            end_trial("control may leave the loop")

    def traced_step(self, avals: dict[Any, Aval], value: Returned | None) -> TriedStep:
        return TriedStep(self, avals, value)

    def share(self, left: dict[tuple[str, int], Any], handles: list[Any]) -> bool:
        again = super().share(left, handles)
        if self.groups:
            end_trial("a step leaves one array to several names, which may be written into later")
        return again


class Trial:
    """The course of a loop that is tried as a structured one."""

    turned = False

    def __init__(self, site: Site, values: Any, here: Any) -> None:
        self.site = site
        self.values = values
        self.cells = Cells(here)

    def __iter__(self) -> Iterator[Any]:
        if attempt(self.site, self.values, self.cells):
            return
        yield self.values[0]
        if not attempt(self.site, self.values[1:], self.cells):
            for k in range(1, len(self.values)):  # steps alike to the first, so that they roll
                yield self.values[k]


def attempt(site: Site, values: Any, cells: Cells) -> bool:
    """Trace the loop as a structured one; False, and nothing changed, where it cannot be one."""
    if site.refused >= STUBBORN:
        return False
    outer = modes.recording
    state = State(cells)
    state.renew()
    count, captured = len(outer.equations), dict(outer.captured)
    regions.trials += 1
    try:
        step = site.piece("step", cells)
        at = reader(values)
        TriedLoop(site, cells, lambda k: step(at(k)), len(values)).run()
    except Exception:  # whatever is wrong with the loop shows when Python runs it
        site.refused += 1
        state.restore()
        del outer.equations[count:]
        outer.captured.clear()
        outer.captured.update(captured)
        return False
    finally:
        regions.trials -= 1
    return True


def tried(site: Site, values: Any, here: Any, marks: bool) -> Any:
    """The course of a `for` loop whose step only computes."""
    if not is_steady(values) or not modes.tracing or modes.recording is None:
        return steps(values, here, marks)
    if len(values) < FEWEST or site.refused >= STUBBORN:
        return steps(values, here, marks)
    return Trial(site, values, here)
