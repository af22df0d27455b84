"""What a transform is called with: the values as they are then, whatever happens to them later.

A function may overwrite the very array that it is differentiated at.  Its derivative is taken at
the values that the transform was called with, so every array from outside is copied as it enters,
or watched where it is huge.  A transform inside another is given tracers, and they stand for what
the outermost one has copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..core.avals import Value
from ..core.dispatch import Tracer
from ..core.errors import MutationError
from ..core.modes import TAPE, has_ended, modes
from ..core.outliving import living
from ..tape.guard import COPIED, Array, Guard
from ..tape.tensor import Tensor


def as_it_lies(array: Array) -> Array:
    """A copy in the layout of the array, which tells views from copies."""
    return array.copy("K")


def entering(
    values: Iterable[Value], copy: Callable[[Array], Array] = as_it_lies
) -> tuple[list[Value], list[Guard]]:
    """The values as they are now, and what watches those that were too large to be copied."""
    guards: list[Guard] = []
    found: list[Value] = []
    for x in values:
        if isinstance(x, np.ndarray):
            if x.nbytes > COPIED and x.dtype.char in "fdFD":
                guards.append(Guard(x))
            else:
                x = copy(x)
        elif isinstance(x, Tracer):
            x = taken(x)
        found.append(x)
    return found, guards


def taken(x: Value) -> Value:
    """A tracer as it enters: one of a transform that is running, or an array of another library.

    To the transform that is running now, what a gradient within it has kept is a value as others.
    """
    while isinstance(x, Tensor) and x.level > modes.inside > TAPE and has_ended(x.level):
        x = x.value
    x = living(x)
    return x.taken() if isinstance(x, Tracer) else x


def check_unchanged(name: str, guards: Sequence[Guard]) -> None:
    """Refuse a result of arguments that changed while the function ran, or before its last use."""
    if any(guard.is_broken() for guard in guards):
        raise MutationError(
            f"{name}: an argument was changed while the function ran; pass a copy, np.array(x), "
            "or change it afterwards"
        )
