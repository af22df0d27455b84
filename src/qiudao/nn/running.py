"""What happens to a model's own arrays and draws while it runs, on the tape and in transforms."""

from __future__ import annotations

from typing import Any

from ..core.dispatch import Tracer, concrete
from ..core.modes import modes
from ..ops.stopping import stop_gradient
from ..transforms.batch import Batch


def is_batched(x: Any) -> bool:
    """Whether a value stands for one example of many, under `qd.vmap`."""
    if isinstance(x, Batch):
        return True
    return isinstance(x, Tracer) and any(map(is_batched, x.parts()))


def is_abstract(x: Any) -> bool:
    """Whether there is no one array underneath: it is being traced, or one example of many."""
    return modes.tracing or is_batched(x)


def settled(x: Any) -> Any:
    """A value without its derivative, as a plain array where there is one underneath."""
    return stop_gradient(x) if is_abstract(x) else concrete(x)
