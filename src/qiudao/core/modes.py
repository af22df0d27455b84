"""Levels and the recording mode.

Each transform takes a level of its own, and levels only ever grow: a transform that starts later
stands above one that started earlier, so an inner derivative never mistakes an outer one's tracer
for its own (perturbation confusion).  The eager tape is level 0.

Recording is one number a thread, the `floor`: a tensor records where its level is not below it.
`no_grad` raises the floor above every level that exists; transforms that start inside stand above
it and record as ever.  Reading a thread's own number costs as much as NumPy's product of two
floats, so the operators first ask `raised` whether any thread has raised its floor at all.

Control flow becomes part of the program while one is being traced, `tracing`, and is run by Python
otherwise.

A tape inside a transform (`qd.tensor` in a function under `vmap`) stands half a level above it, so
that what is computed from both lies on the tape.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

TAPE = 0.0  # the level of the eager tape

_levels = itertools.count(1)


class Raised:
    """How many threads have their floor above the tape.

    A thread that ends with its floor raised stays counted, which costs the others a little time.
    """

    __slots__ = ("count", "lock")

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()


raised = Raised()


class Modes(threading.local):
    """What differs between threads."""

    inside: float = TAPE  # the level of the innermost transform that is running
    tracing: bool = False  # whether a function is being traced into a program
    capture: Any = None  # what makes a function's branches and loops part of a trace, or None
    recording: Any = None  # what the innermost trace records
    switched: bool = False  # whether a gradient has to see the function run, not its trace
    dual_levels: tuple[float, ...] = ()  # the levels of `forward_ad` that are open
    inference: int = 0  # how many `inference_mode` blocks are open
    masking: bool = False  # whether a traced sweep carries masks from the start
    check: str | None = None  # what `detect_anomaly` looks for in gradients: "nan" or "inf"
    watchers: tuple[Any, ...] = ()  # who is told of each operation that is recorded
    live: Any = None  # which examples take part in what is running, or None (`living.py`)
    selects: bool = False  # whether a traced sweep came by lanes that masks may save from a NaN
    resumed: tuple[float | None, ...] = ()  # the levels of the sweeps that are running
    _floor: float = TAPE

    def __init__(self) -> None:
        self.outer: list[float] = []  # the floors to go back to, one for each mode that is entered

    @property
    def floor(self) -> float:
        """The level from which on a tensor records."""
        return self._floor

    @floor.setter
    def floor(self, level: float) -> None:
        change = (level > TAPE) - (self._floor > TAPE)
        if change:
            with raised.lock:
                raised.count += change
        self._floor = level


modes = Modes()

running: set[float] = set()  # the levels of the transforms that have not ended, in all threads


class Running:
    """A transform of this level runs within the block, and the floor is put back after it."""

    __slots__ = ("floor", "inside", "level", "tracing", "was_tracing")

    def __init__(self, level: float, tracing: bool = False) -> None:
        self.level = level
        self.tracing = tracing

    def __enter__(self) -> None:
        self.floor, self.inside, self.was_tracing = modes._floor, modes.inside, modes.tracing
        modes.inside = self.level
        modes.tracing = self.was_tracing or self.tracing
        running.add(self.level)

    def __exit__(self, *error: object) -> None:
        modes.inside, modes.tracing = self.inside, self.was_tracing
        if modes._floor != self.floor:
            modes.floor = self.floor
        if self.inside != self.level:
            running.discard(self.level)


class Resumed:
    """Within the block values of a level may be used whose function is no longer running: a sweep
    calls rules and hooks of the user's, which are given some, and may have kept others.  None is
    every level, for what takes the numbers alone.
    """

    __slots__ = ("before", "level")

    def __init__(self, level: float | None) -> None:
        self.level = level

    def __enter__(self) -> None:
        self.before = modes.resumed
        modes.resumed = (*self.before, self.level)

    def __exit__(self, *error: object) -> None:
        modes.resumed = self.before


def has_ended(level: float) -> bool:
    """Whether the transform of this level, or the one that a tape was inside of, has ended."""
    if level <= TAPE or level in running:
        return False
    whole = level // 1
    return whole not in running and not {None, level, whole}.intersection(modes.resumed)


def tape_level() -> float:
    """The level of a new tensor: that of the eager tape, or of the tape inside a transform."""
    return modes.inside + 0.5 if modes.inside > TAPE else TAPE


def new_level() -> float:
    """A level above all others so far."""
    return float(next(_levels))
