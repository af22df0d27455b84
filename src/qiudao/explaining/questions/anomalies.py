"""Names the operation that made a number which is not finite; `core/anomalies.py` asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ...core.avals import Value
from ...core.dispatch import concrete
from ...core.errors import NonFiniteError, QiudaoError
from ...core.node import Node
from ...core.trees import map_tree
from ...tape.tensor import Tensor
from ..graph import Graph, build, title_of
from ..labels import line_of
from ..tape import read_nodes
from ..witness import Step, observe
from .cures import cure_of
from .cuts import ancestors
from .nonfinite import Origin, bad, origin_of

WHAT = {"nan": "a NaN", "inf": "a NaN or an infinity"}


def raise_for_function(
    name: str, check: str, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> NoReturn:
    """Run `f` under observation, and raise for the first number that is not finite."""
    try:
        args, kwargs = map_tree(plain, (tuple(args), kwargs))
        seen = observe(f, args, kwargs)
    except QiudaoError:  # within another transform, whose values are not known
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
            f"{name}: {WHAT[check]} in the gradient, which going through it again does not show: a "
            "hook made it, or the function gives another result each time"
        )
    before = infinity_before(graph, origin) if check == "nan" else None
    if before is None:
        raise NonFiniteError(f"{name}: {WHAT[check]}: {told(origin)}; {cured(origin)}")
    same = before.vertex.line == origin.vertex.line
    raise NonFiniteError(
        f"{name}: {WHAT[check]}: {told(origin)}; the infinity was made before: "
        f"{before.sentence if same else told(before)}; {cured(before)}"
    )


def plain(x: Any) -> Any:
    """The value of a tensor, at whatever level."""
    while isinstance(x, Tensor):
        x = x.value
    return x


def infinity_before(graph: Graph, origin: Origin) -> Origin | None:
    """Where an infinity was made that the first NaN came of, where it came of one."""
    v = origin.vertex
    if origin.backward and bad(v.gradient):
        return origin_of(graph, ancestors(graph.outputs))
    if any(bad(x.value) for x in v.operands):
        return origin_of(graph, ancestors([v]))
    return None


def told(origin: Origin) -> str:
    """The sentence and the line."""
    line = origin.vertex.line
    return origin.sentence + ("" if line is None else f", at {line_of(line)} (`{line.text}`)")


def cured(origin: Origin) -> str:
    """What to do."""
    return cure_of(origin) or "look at the scale of its operands"
