"""Why a value has no graph behind it: how it left, and the user's instruction that did it."""

from __future__ import annotations

from types import CodeType, FrameType

from ..core.modes import modes
from ..core.source import line_of

INFERENCE = "qd.inference_mode()"


class Cut:
    """How a value left the graph, and where (a code object and an instruction offset)."""

    __slots__ = ("act", "where")

    def __init__(self, act: str, where: tuple[CodeType, int] | None) -> None:
        self.act = act
        self.where = where

    def __str__(self) -> str:
        return self.act if self.where is None else f"{self.act} at {line_of(*self.where)}"


SETTLED = Cut("a recorded sweep that left a constant", None)  # its derivative is 0


def unrecorded(frame: FrameType) -> Cut:
    """The cut that an operation makes while recording is off."""
    return Cut(mode_that_cuts(), (frame.f_code, frame.f_lasti))


def mode_that_cuts() -> str:
    """What turned recording off in this thread."""
    return INFERENCE if modes.inference else "qd.no_grad()"
