"""What a loop of Python goes through, and how it turns into a structured one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.dispatch import Tracer
from ...core.modes import modes
from .columns import Columns
from .outcomes import MISSING, end_trial
from .sites import Cells
from .state import State, regions, unknown
from .writes import refuse_here


class Range:
    """A `range` of which an end is not known while tracing."""

    def __init__(self, start: Any, stop: Any, step: Any) -> None:
        self.start, self.stop, self.step = start, stop, step

    def __iter__(self) -> Iterator[Any]:
        refuse_here(
            "this goes through a range whose length is not known while tracing",
            "loop over it with `for i in range(n):`, or use a known length and a mask",
        )

    @property
    def length(self) -> Value:
        """How many numbers it has."""
        span = self.stop - self.start
        return np.maximum((span + self.step - np.sign(self.step)) // self.step, 0)

    def at(self, k: Value) -> Value:
        """Its number k."""
        return self.start + k * self.step


class Plain:
    """What a loop goes through that stays a loop of Python."""

    turned = False

    def __init__(self, values: Any) -> None:
        self.values = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class Course:
    """A loop that runs in Python for as long as it can, and remembers where its step began."""

    def __init__(self, here: Any, marks: bool) -> None:
        self.turned = False
        self.rewound = False
        self.test: Any = MISSING
        self.cells = Cells(here)
        self.marks = marks and modes.tracing
        self.state: State | None = None

    def mark(self) -> bool:
        """A step begins; False where the loop has turned."""
        if self.turned:
            return False
        if self.marks:
            self.state = None  # before the next is made: it holds arrays, and holders are counted
            self.state = State(self.cells)
            self.state.remember()
        return True

    def rewind(self) -> None:
        """Go back to where this step began, and turn into a structured loop."""
        self.turned = self.rewound = True
        if self.state is not None:
            self.state.restore()

    def known(self, test: Any) -> bool:
        """Whether the condition of a `while` is known; if not, the loop turns."""
        if unknown(test):
            self.turned, self.test = True, test
            return False
        return True


class Steps(Course):
    """A `for` loop through known values."""

    def __init__(self, values: Any, here: Any) -> None:
        super().__init__(here, True)
        self.values = values
        self.position = -1
        self.iterator = iter(values)

    def __iter__(self) -> Steps:
        return self

    def __next__(self) -> Any:
        if not self.mark():
            raise StopIteration
        item = next(self.iterator)
        self.position += 1
        self.item = item
        return item

    @property
    def remaining(self) -> Any:
        """What the structured loop goes through: the values from the step that was begun anew."""
        values: Any = self.values
        if isinstance(values, range | list | tuple | np.ndarray | Tracer | Columns):
            return values[self.position :]  # type: ignore[index]
        return [self.item, *self.iterator]


class Turned(Course):
    """A `for` loop that is structured from the start."""

    def __init__(self, values: Range, here: Any) -> None:
        super().__init__(here, False)
        self.turned = True
        self.remaining = values

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def is_used_up(x: Any) -> bool:
    """Whether going through a value changes it for others."""
    return hasattr(x, "__next__") and not isinstance(x, zip | enumerate | reversed)


def rounds(here: Any, marks: bool) -> Course:
    """The course of a `while` loop."""
    return Course(here, marks)


def steps(values: Any, here: Any, marks: bool) -> Any:
    """The course of a `for` loop."""
    if isinstance(values, Range):
        return Turned(values, here)
    if regions.trials and is_used_up(values):
        end_trial("an iterator would be used up")
    return Steps(values, here) if marks and modes.tracing else Plain(values)
