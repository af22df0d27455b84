"""Which examples of a batch take part in what is running.

A branch that some examples choose is computed for all of them, and so is another step of a loop of
which some are at the end; what it gives for the others is dropped.  But a loop on a condition
inside it might go on for ever for those others.  So it goes on only for the examples that take
part: `modes.live` says which these are while a branch or a step is run by Python, and a primitive
that may have such a loop inside takes that flag as one more operand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .avals import Value
from .modes import modes
from .primitive import Primitive

Guarded = tuple[Primitive, Sequence[Any]]  # a primitive and its operands, the flag among them


class Live:
    """Within the block those examples take part for which `live` holds; None: all."""

    __slots__ = ("before", "live")

    def __init__(self, live: Value | None) -> None:
        self.live = live

    def __enter__(self) -> None:
        self.before, modes.live = modes.live, self.live

    def __exit__(self, *error: object) -> None:
        modes.live = self.before


def for_all(f: Callable[..., Value]) -> Callable[..., Value]:
    """`f`, run where all examples take part."""

    def run(*args: Any) -> Value:
        with Live(None):
            return f(*args)

    return run


class MayLoop(Primitive):
    """Base of the primitives that may have a loop on a condition inside."""

    def __call__(self, *xs: Value) -> Value:
        if modes.live is not None:
            return self.for_the_live(modes.live, xs)
        return super().__call__(*xs)

    def for_the_live(self, live: Value, xs: tuple[Value, ...]) -> Value:
        """Apply to operands, the loops inside going on only for the examples that take part."""
        primitive, operands = self.guarded(live, xs) or (self, xs)
        with Live(None):  # who takes part is the flag's to say from here on
            return primitive(*operands)

    def guarded(self, live: Any, xs: Sequence[Any]) -> Guarded | None:
        """The same on these operands and the flag; None where nothing inside waits for a condition.

        Operands are values, or atoms of a program.
        """
        raise NotImplementedError
