"""How control left a piece of code, and the errors of capture."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn, Protocol

from ...core.errors import TraceError
from ..trace import OutsideError

FELL, ON, OFF, BACK = 0, 1, 2, 3  # at its end; by `continue`, `break`, `return`
EXPLICIT = (
    "write it with qd.cond(condition, f, g, x), np.where, qd.while_loop, qd.fori_loop or qd.scan"
)

INNER = (
    "a value of an inner transform is written into an array that other names hold too",
    "make the array inside, np.zeros_like(value)",
)


class CaptureError(TraceError):
    """Python's control flow on a value unknown while tracing cannot be captured."""


class OutsideWriteError(CaptureError, OutsideError):
    """A piece writes into a tracer from outside it, which a loop might carry."""

    def __init__(self, line: str, target: Any) -> None:
        OutsideError.__init__(
            self,
            f"capture: {line}: an array is written into under a condition that is not known while "
            "tracing, and it is not one of the function's variables; give it a name in the "
            "function, or return the new value",
            target,
        )


class Missing:
    """Stands for a value that is not there."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = Missing()


class Outcome(NamedTuple):
    """How control left: the `signal` is known, or a tracer; `possible` are those it may be.

    `value` is what is returned, where that is possible.
    """

    signal: Any
    value: Any = MISSING
    possible: frozenset[int] = frozenset()


def outcome(signal: int, value: Any = MISSING) -> Outcome:
    """A known way out."""
    return Outcome(signal, value, frozenset([signal]))


END = outcome(FELL)
BREAK = outcome(OFF)
CONTINUE = outcome(ON)


def Return(value: Any) -> Outcome:
    """What `return value` leaves."""
    return outcome(BACK, value)


def returned(left: Outcome) -> Any:
    """The value of a function all of whose ways lead to a `return`."""
    return left.value


class Spot(Protocol):
    """Where in the user's source something is decided."""

    @property
    def line(self) -> str:
        """The line, for messages."""
        ...

    @property
    def name(self) -> str:
        """The name of the function that it is in."""
        ...

    @property
    def file(self) -> str:
        """The file of that function."""
        ...


def refusal(site: Spot, reason: str, instead: str = EXPLICIT) -> CaptureError:
    """The error that says why a place cannot be captured."""
    return CaptureError(f"capture: {site.line}: {reason}; {instead}")


def refuse(site: Spot, reason: str, instead: str = EXPLICIT) -> NoReturn:
    """Refuse to capture."""
    raise refusal(site, reason, instead)


def end_trial(reason: str) -> NoReturn:
    """Give up the trial of a loop, which Python then runs: the reason is told nobody."""
    raise CaptureError(f"capture: {reason}")


def refuse_block(site: Spot) -> NoReturn:
    """A jump out of a `with` or `try` that more code follows."""
    refuse(
        site,
        "a value that is not known while tracing decides whether control jumps out of a `with` or "
        "`try` block, and code follows the block",
        "move the decision out of the block, or choose values with np.where",
    )


def refuse_raise(site: Spot) -> NoReturn:
    """A `raise` that hangs on a traced value."""
    refuse(
        site,
        "whether this raises is decided by a value that is not known while tracing, and a traced "
        "program cannot raise",
        "check the values before the traced function, or return a flag beside the result",
    )


def refuse_assert(site: Spot) -> NoReturn:
    """An `assert` of a traced value."""
    refuse(
        site,
        "whether this assertion holds is decided by a value that is not known while tracing, and a "
        "traced program cannot raise",
        "check the values before the traced function, or return a flag beside the result",
    )
