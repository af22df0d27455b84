"""Slots for the user's own code: what it multiplies a tangent by may change before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.node import Equation
from ..core.slot import Slot
from ..tape.guard import Guard
from ..tape.record import held


class HeldSlot(Slot):
    """A tangent not yet known, whose record keeps the caller's arrays as they are now.

    A function may fill one buffer again and again, and each use of it reads what was in it then.
    """

    __slots__ = ()

    def kept(self, equation: Equation, x: Value) -> Value:
        return held(equation, x) if isinstance(x, np.ndarray) else super().kept(equation, x)


def slots_like(values: Sequence[Any], level: float) -> list[Slot]:
    """A slot of one level for each value."""
    return [HeldSlot(tuple(np.shape(x)), np.result_type(x), level) for x in values]


def guards_of(equations: Iterable[Equation]) -> list[Guard]:
    """What watches the arrays among the operands that were too large to be copied."""
    noted = [e.notes for e in equations if e.notes is not None]
    return [guard for notes in noted for guard in notes.guards]
