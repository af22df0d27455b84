"""Loops tried as structured ones: a step is traced once instead of as often as it is taken.

A `for` loop of known length would be unrolled by the trace.  Where its step only computes
(`effects.py`), it is first traced with a symbol for the number of the step: from the start, and if
what it carries has other types after a step than before, from the second step on.  Where anything
speaks against it (the step asks for the number itself, say), all is put back, and the loop is one
of Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import Tracer
from ...core.modes import modes
from .carrying import Loop, Returned
from .courses import steps
from .loops import element
from .outcomes import end_trial
from .sites import Cells, Site
from .state import State, regions
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
    count, captured = len(outer.equations), dict(outer.captured)
    state = State(cells)
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


class Columns:
    """What `zip` and `enumerate` of arrays go through, as far as the shortest is long."""

    def __init__(self, columns: Sequence[Any]) -> None:
        length = min(map(len, columns))
        self.columns = [c[:length] for c in columns]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Any]:
        return zip(*self.columns, strict=True)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Columns([c[at] for c in self.columns])
        return tuple(c[at] for c in self.columns)


def columns(function: Any, args: Sequence[Any]) -> Columns | None:
    """What `zip(*args)` or `enumerate(*args)` goes through; None where that is not arrays."""
    if not modes.tracing or not args:
        return None
    if function is enumerate and is_steady(args[0]):
        start = args[1] if len(args) == 2 else 0
        if type(start) is int and len(args) < 3:
            return Columns([range(start, start + len(args[0])), args[0]])
    if function is zip and all(map(is_steady, args)):
        return Columns(args)
    return None


def is_steady(values: Any) -> bool:
    """Whether the steps of a loop through these values are alike."""
    if isinstance(values, np.ndarray | Tracer):
        return len(values.shape) > 0
    return isinstance(values, range | Columns)


def reader(values: Any) -> Callable[[Value], Any]:
    """What step k goes through."""
    if isinstance(values, Columns):
        each = [reader(c) for c in values.columns]
        return lambda k: tuple(read(k) for read in each)
    if isinstance(values, range):
        return lambda k: values.start + k * values.step if values != range(len(values)) else k
    return lambda k: element(values, k)


def tried(site: Site, values: Any, here: Any, marks: bool) -> Any:
    """The course of a `for` loop whose step only computes."""
    if not is_steady(values) or not modes.tracing or modes.recording is None:
        return steps(values, here, marks)
    if len(values) < FEWEST or site.refused >= STUBBORN:
        return steps(values, here, marks)
    return Trial(site, values, here)
