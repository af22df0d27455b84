"""Levels and the recording mode.

Each transform takes a level of its own, and levels only ever grow: a transform that starts later
stands above one that started earlier, so an inner derivative never mistakes an outer one's tracer
for its own (perturbation confusion).  The eager tape is level 0.

Recording is one number a thread, the `floor`: a tensor records where its level is not below it.
`no_grad` raises the floor above every level that exists; transforms that start inside stand above
it and record as ever.
"""

from __future__ import annotations

import itertools
import threading

TAPE = 0.0  # the level of the eager tape

_levels = itertools.count(1)


class Modes(threading.local):
    """What differs between threads."""

    floor: float = TAPE


modes = Modes()


def new_level() -> float:
    """A level above all others so far."""
    return float(next(_levels))
