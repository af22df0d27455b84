"""Arrays that a loop goes through, read by the number of the step.

They stay arrays, so that a step reads what the steps before have written into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.dispatch import Tracer
from ...core.modes import modes
from .sharing import row
from .state import region


def element(x: Value, k: Value) -> Value:
    """`x[k]` as x is where it is read, where k may not be known."""
    here = region()
    held = here.stand_in(x) if here is not None and isinstance(x, Tracer) else x
    found: Value = row(held, k)
    return found


class Columns:
    """What `zip` and `enumerate` of arrays go through, as far as the shortest is long."""

    def __init__(self, columns: Sequence[Any]) -> None:
        length = min(map(len, columns))
        self.columns = [c if len(c) == length else c[:length] for c in columns]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Any]:
        return zip(*self.columns, strict=True)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Columns([c[at] for c in self.columns])
        return tuple(c[at] for c in self.columns)


def columns(function: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """What `zip`, `enumerate` or `reversed` goes through; None where that is not arrays."""
    if not modes.tracing or not args or not all(map(is_steady, args[:1])):
        return None
    if function is enumerate and len(args) + len(options) < 3 and options.keys() <= {"start"}:
        start = args[1] if len(args) == 2 else options.get("start", 0)
        if type(start) is int:
            return Columns([range(start, start + len(args[0])), args[0]])
    if function is zip and all(map(is_steady, args)) and options.keys() <= {"strict"}:
        alike = len({len(x) for x in args}) == 1
        return Columns(args) if alike or not options.get("strict") else None
    if function is reversed and len(args) == 1 and not options:
        return args[0][::-1]
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
