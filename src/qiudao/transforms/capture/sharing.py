"""Values that share memory in NumPy although what tells which memory is not known while tracing.

row        `x[i]` at an unknown i: a view, as at a known one
severed    a value that may be a view, of what is not known: it can be read as long as nothing
is written into what it may show, and not be written into
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ...core.dispatch import Tracer, overrides
from ...core.modes import modes
from ...core.views import Tie, View
from ..results import owner
from ..trace import is_symbolic
from .outcomes import CaptureError


class Row:
    """Reading at an index that is not known, as what a view follows."""

    def __init__(self, index: Any) -> None:
        self.index = index

    def __call__(self, base: Any) -> Any:
        return row(base, self.index)

    def write(self, base: Any, new: Any) -> Any:
        """`base` with this part of it replaced."""
        return overrides[operator.setitem](base, self.index, new)


class Severed:
    """What a value follows that may be a view of what is not known.

    With `held`, the arrays that it may show, it is one for only as long as others show them too.
    Of a decision `of` the `sides` are which of them it is on either side.
    """

    def __init__(
        self,
        reason: str,
        held: Sequence[Any] = (),
        sides: Sequence[Sequence[Any]] = (),
        of: Any = None,
    ) -> None:
        self.reason = reason
        self.held = held
        self.sides = sides
        self.of = of
        self.ties: list[Tie] = []

    def meets(self, other: Severed) -> bool:
        """Whether this and another may be one array."""
        if self.of is not None and self.of is other.of:
            pairs = zip(self.sides, other.sides, strict=True)
            return any(x is y for xs, ys in pairs for x in xs for y in ys)
        return any(x is y for x in self.held for y in other.held)

    def outdate(self) -> None:
        """One of the arrays was written into: what may show it is not to be read any more."""
        for tie in self.ties:
            tie.seen = None

    def refuse(self) -> NoReturn:
        """Say what is shared."""
        raise CaptureError(f"capture: {self.reason}")

    def __call__(self, base: Any) -> NoReturn:
        self.refuse()

    def write(self, base: Any, new: Any) -> NoReturn:
        """Refuse."""
        self.refuse()


def row(x: Any, index: Any) -> Any:
    """`x[index]` with parts that are not known: a view where NumPy makes one."""
    made = overrides[operator.getitem](x, index)
    if not isinstance(made, Tracer) or not made.shape or not is_view(index):
        return made
    if not isinstance(x, Tracer):
        return severed(
            made, None, Severed(
                "an element of a plain array, read at an index that is not known while tracing, is "
                "written into; write into the array itself, z[i, j] = v"
            ),
        )  # fmt: skip
    tied(made, x, Row(index), root_of(x))
    return made


def is_view(index: Any) -> bool:
    """Whether NumPy makes a view of an array at this index: of integers and slices."""
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        if is_symbolic(part):
            if part.shape or part.dtype.kind == "b":
                return False
        elif isinstance(part, bool | np.bool_ | list) or np.ndim(part) > 0:
            return False
    return True


def severed(made: Any, root: Any, how: Severed) -> Any:
    """A value that follows `root`, so that reading it after a write there is refused."""
    base = made.snapshot()
    tied(made, base, how, base if root is None else root)
    if isinstance(made, View):
        how.ties.append(made.tied)
    return made


def tied(made: Any, base: Any, how: Any, root: Any) -> None:
    """Let a new tracer follow another, where their kinds allow it."""
    kinds = (
        k for k in View.__subclasses__() if k.plain is type(made) and isinstance(root, k.plain)
    )
    kind = next(kinds, None)
    if kind is not None:
        recorded = root.level >= modes.floor
        made.tied = Tie(base, how, root, kind.state(root), recorded)
        made.__class__ = kind


def root_of(x: Any) -> Any:
    """The tracer that a value is a view of, or itself."""
    return x.tied.root if isinstance(x, View) else x


def arrays_of(x: Any) -> Sequence[Any]:
    """The arrays that a value shows: itself, what it is a view of, or what it may be."""
    while isinstance(x, View):
        if isinstance(x.tied.how, Severed):
            return x.tied.how.held
        x = x.tied.base
    return (owner(x) if type(x) is np.ndarray else x,)
