"""Watching the tape while it is written: for `qd.graph` and selective checkpoints.

While anyone watches, in whatever thread, tensors take the long road, on which each operation asks
the watchers of its own thread; the short roads of `fast.py` do not know of watchers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from ..core.avals import Value
from ..core.modes import modes
from ..core.node import Equation, place_of
from ..core.primitive import Primitive
from ..core.views import tie
from .operators import leave_short_roads, take_short_roads
from .record import record
from .tensor import Tensor, TensorView


class Watcher:
    """A `with` block in which this thread's operations on tensors are watched."""

    def __enter__(self) -> Self:
        modes.watchers = (*modes.watchers, self)
        with _lock:
            _threads.append(1)
            if len(_threads) == 1:
                leave_short_roads()
                Tensor.process = process_watched  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        modes.watchers = tuple(w for w in modes.watchers if w is not self)
        with _lock:
            _threads.pop()
            if not _threads:
                Tensor.process = _process  # type: ignore[method-assign]
                take_short_roads()

    def compute(self, primitive: Primitive, values: Sequence[Value], level: float) -> Any:
        """The value of an operation on tensors of this level, or NotImplemented to have it
        computed.
        """
        return NotImplemented

    def made(self, node: Equation) -> None:
        """An equation has been recorded."""


_process: Callable[..., Value] = Tensor.process
_lock = threading.Lock()
_threads: list[int] = []  # one entry for each block that is open, in any thread


def process_watched(self: Tensor, primitive: Primitive, xs: tuple[Value, ...]) -> Value:
    """`Tensor.process`, with the watchers of this thread asked and told."""
    watchers: tuple[Watcher, ...] = modes.watchers
    if not watchers:
        return _process(self, primitive, xs)
    values, parents, like = self.apart(xs)
    out = computed(watchers, primitive, values, self.level)
    result = record(primitive, values, parents, out, like)
    made = recorded(result, self.level)
    if made is not None:
        for watcher in watchers:
            watcher.made(made)
    return tie(result, self, primitive, TensorView) if primitive.is_view else result


def computed(
    watchers: tuple[Watcher, ...], primitive: Primitive, values: Sequence[Value], level: float
) -> Any:
    """The value of an operation, from the last watcher that has one."""
    for watcher in reversed(watchers):
        out = watcher.compute(primitive, values, level)
        if out is not NotImplemented:
            return out
    return primitive(*values)


def recorded(result: Any, level: float) -> Equation | None:
    """The equation behind what `record` returned."""
    y = result[0] if isinstance(result, tuple) else result
    node = y.node if isinstance(y, Tensor) and y.level == level else None
    return node if isinstance(result, Tensor) else place_of(node)[0]  # type: ignore[return-value]
