"""What is known of a value that decides: all of it, or only that it differs between examples."""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from ...core.dispatch import Tracer, examples
from ...core.living import Live
from ...core.modes import modes
from ..batch import Batch
from ..trace import Symbol


def layers(x: Value) -> list[Tracer]:
    """The tracers that a value is wrapped in, outermost first."""
    found: list[Tracer] = []
    while isinstance(x, Tracer):
        found.append(x)
        x = next(iter(x.parts()), None)
    return found


def is_known(x: Value) -> bool:
    """Whether a value is one number now: neither traced nor one of a batch."""
    return not any(isinstance(layer, Symbol | Batch) for layer in layers(x))


def is_batched(x: Value) -> bool:
    """Whether a value differs between the examples of a batch, and is known for each."""
    found = layers(x)
    return any(isinstance(layer, Batch) for layer in found) and not isinstance(found[-1], Symbol)


def in_any_example(x: Value) -> bool:
    """Whether a condition holds in some example."""
    return bool(np.any(examples(x)))


def taking_part(flag: Value) -> Live:
    """Within the block only those examples take part, of those that did, for which a flag holds."""
    return Live(flag if modes.live is None else np.logical_and(modes.live, flag))


def for_the_live(going: Value) -> Value:
    """The condition of a loop, which holds for no example that does not take part."""
    live = modes.live
    if live is None:
        return going
    if is_known(going):  # it is the same for all of them
        return going and in_any_example(live)
    return np.logical_and(live, going)
