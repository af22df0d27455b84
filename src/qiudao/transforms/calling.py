"""How a transform calls the function that it is of.

While a trace is under way the function is traced by itself first, and its repetitions become
loops; so a transform sees loops rather than their copies.  What traces is met through `modes`: a
program that never traces does not import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.avals import Value
from ..core.dispatch import Tracer
from ..core.modes import modes


def run(
    f: Callable[..., Any],
    tracers: Sequence[Tracer],
    build: Callable[[list[Any]], Any],
    values: Sequence[Value],
) -> Any:
    """Call `f` on the tracers of a transform, which stand for the values one level down.

    `build` makes its (args, kwargs) from the tracers.
    """
    if modes.tracing and any(map(modes.recording.is_symbolic, values)):
        f = f if modes.capture is None else modes.capture(f)
        made = modes.recording.with_loops(f, values, build)
        if made is not None:
            return made(*tracers)
    args, kwargs = build(list(tracers))
    return f(*args, **kwargs)
