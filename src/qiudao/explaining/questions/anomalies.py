"""Names the operation that made a number which is not finite; `core/anomalies.py` asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ...core.avals import Value
from ...core.dispatch import concrete
from ...core.errors import GradientError, NonFiniteError
from ...core.node import Node
from ..graph import Graph, build, title_of
from ..labels import line_of
from ..tape import read_nodes
from ..witness import Step, observe
from .cures import cure_of
from .cuts import ancestors
from .nonfinite import Origin, origin_of

WHAT = {"nan": "a NaN", "inf": "a NaN or an infinity"}


def raise_for_function(
    name: str, check: str, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> NoReturn:
    """Run `f` under observation, and raise for the first number that is not finite."""
    try:
        seen = observe(f, args, kwargs)
    except GradientError:  # within another transform, whose values are not known
        raise NonFiniteError(
            f"{name}: {WHAT[check]} in the gradient of {title_of(f)} within another transform; "
            "take the gradient at one of its points by itself to see which operation made it"
        ) from None
    refuse(name, check, build(seen, title_of(f)))


def raise_for_graph(name: str, check: str, seeds: Sequence[tuple[Node, Value]]) -> NoReturn:
    """Go through a tape again, and raise for the first number that is not finite."""
    seen, steps, notes = read_nodes([node for node, _ in seeds], {})
    started: list[tuple[Step, Value]] = []
    for node, ct in seeds:
        value = concrete(ct.parts()[0]) if hasattr(ct, "parts") and ct.parts() else ct
        fits = np.shape(value) == node.shape
        started.append((steps[node], value if fits else np.ones(node.shape, node.dtype)[()]))
    refuse(name, check, build(seen, "the tape", notes, seeds=started))


def refuse(name: str, check: str, graph: Graph) -> NoReturn:
    """Raise for the first number of a graph that is not finite."""
    origin = origin_of(graph, ancestors(graph.outputs), check)
    if origin is None:
        raise NonFiniteError(
            f"{name}: {WHAT[check]} in the gradient, which going through it again does not show; "
            "ask qd.why"
        )
    raise NonFiniteError(f"{name}: {WHAT[check]}: {told(origin)}")


def told(origin: Origin) -> str:
    """The sentence, the line and what to do."""
    v = origin.vertex
    place = "" if v.line is None else f", at {line_of(v.line)} (`{v.line.text}`)"
    cure = cure_of(origin)
    return f"{origin.sentence}{place}{'; ' if cure else ''}{cure}"
