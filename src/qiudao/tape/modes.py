"""Turning recording off and on: context managers that are decorators too, for this thread only."""

from __future__ import annotations

import contextlib
from types import TracebackType

from ..core.modes import TAPE, modes, new_level


class no_grad(contextlib.ContextDecorator):
    """Within, operations on tensors that exist are not recorded.  Gradients of functions
    (`qd.grad(f)`) taken inside are unaffected.

    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> with qd.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    _wanted = False

    def __enter__(self) -> None:
        self._before = modes.floor
        modes.floor = TAPE if self._wanted else new_level()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.floor = self._before

    def _recreate_cm(self) -> no_grad:
        return type(self)()


class enable_grad(no_grad):
    """Within, operations are recorded, also inside a `no_grad` block."""

    _wanted = True


class set_grad_enabled(no_grad):
    """Turn recording on or off: at once when called, and until the end of the block as a context
    manager."""

    def __init__(self, mode: bool) -> None:
        self._wanted = bool(mode)
        self._entered = modes.floor
        modes.floor = TAPE if mode else new_level()

    def __enter__(self) -> None:
        self._before = self._entered

    def _recreate_cm(self) -> no_grad:
        return enable_grad() if self._wanted else no_grad()


def is_grad_enabled() -> bool:
    """Whether operations on tensors are recorded in this thread now."""
    return modes.floor <= TAPE
