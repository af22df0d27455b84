"""`qd.why`: why a gradient is none, zero, not finite or extreme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.errors import FreedError, GradientError
from ...core.node import Equation, Freed
from ...core.trees import flatten
from ...tape.tensor import Tensor
from ..graph import Graph, Vertex, build, title_of
from ..tape import read_tape
from ..witness import Observation, observe
from .absent import cut_output, not_behind, plain_output
from .answer import Answer, Finding
from .cuts import cuts_of
from .diagnosis import diagnose, diagnose_all


def why(outputs: Any, /, *args: Any, **kwargs: Any) -> Answer:
    """Why the gradient of an output is as it is: none, zero, NaN, infinite, tiny, huge, or well.

    `why(f, *args, **kwargs)` asks about every float or complex argument of a function,
    `why(outputs, inputs)` about tensors: `outputs` is a tensor or a container of them, of which
    the sum counts, and `inputs` a tensor, or a container of them whose paths name them; left out,
    all leaves are asked about.  Each finding has one sentence with the user's expression, the
    numbers and the line, and says what to do.

    Raises what `f` raises; `FreedError` where a backward sweep has freed the tape; `GradientError`
    for inputs that are no tensors; `TypeError` for what is neither a function nor tensors.

    >>> import qiudao as qd
    >>> qd.why(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 4.0])).findings[0].kind
    'inf'
    >>> x = qd.tensor(40.0, requires_grad=True)
    >>> print(qd.why(x * x, {"x": x}))
    x: nothing is wrong: the gradient is 80, the sum of 2 terms
    """
    leaves, _ = flatten(outputs)
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    if tensors and len(tensors) == len(leaves):
        return why_of_tensors(tensors, *args, **kwargs)
    if not callable(outputs):
        asked = named(*args, **kwargs)
        if leaves and any(isinstance(x, Tensor) for x in asked.values()):
            return Answer([plain_output(outputs, name) for name in asked])
        raise TypeError(
            f"why: {type(outputs).__name__} {outputs!r} is neither a function nor a tensor; ask "
            "why(f, *args), or why(output, inputs)"
        )
    graph = build(observe(outputs, args, kwargs), title_of(outputs))
    return Answer(diagnose_all(graph, graph.inputs))


def why_of_tensors(outputs: Sequence[Tensor], inputs: Any = None) -> Answer:
    """The answer about tensors of the tape."""
    names = named(inputs)
    for name, x in names.items():
        if not isinstance(x, Tensor):
            raise GradientError(
                f"why: {name} is {type(x).__name__}, which has no gradient to ask about; pass "
                "tensors made by qd.tensor(x, requires_grad=True)"
            )
    recorded = [y for y in outputs if y.node is not None]
    if not recorded:
        asked = names or {"this tensor": outputs[0]}
        return Answer([cut_output(outputs[0], name) for name in asked])
    seen, notes = read_tape(recorded, names if inputs is not None else {}, "why")
    refuse_freed(seen, "why")
    ones = [(s, np.ones(s.node.shape, s.node.dtype)[()]) for s in seen.outputs]
    graph = build(seen, "the tape behind a tensor", notes, seeds=ones)
    if inputs is None:
        return Answer(diagnose_all(graph, graph.inputs))
    findings: list[Finding] = []
    cuts = cuts_of(graph)
    for name, x in names.items():
        v = vertex_of(graph, x)
        if v is None:
            findings.append(not_behind(graph, x, name))
        else:
            v.name = name
            findings += diagnose(graph, v, cuts)
    return Answer(findings)


def refuse_freed(seen: Observation, name: str) -> None:
    """Raise `FreedError` where a sweep has let go of what a tape kept."""
    for step in seen.steps:
        node = step.node
        if isinstance(node, Equation) and isinstance(node.operands, Freed):
            raise FreedError(
                f"{name}: the tape behind this output was freed by the backward sweep at "
                f"{node.operands.line}; ask before the sweep, or sweep with retain_graph=True"
            )


def named(inputs: Any = None) -> dict[str, Any]:
    """The leaves of the inputs that are asked about, by their names."""
    leaves, tree = flatten(inputs)
    if len(leaves) == 1 and not tree.is_nested and inputs is leaves[0]:
        return {"this tensor": leaves[0]}
    return {name_of(path, k): x for k, (x, path) in enumerate(zip(leaves, tree.paths, strict=True))}


def name_of(path: str, k: int) -> str:
    """A path into the inputs as a name: `['w']` of a dict is `w`."""
    bare = path.removeprefix("['").removesuffix("']")
    return bare if bare.isidentifier() else f"inputs{path}" if path else f"inputs[{k}]"


def vertex_of(graph: Graph, x: Tensor) -> Vertex | None:
    """The place of a tensor in a graph; None where it has none."""
    number = None if x.node is None else x.node.number
    found = (v for v in graph.vertices if v.step is not None and v.step.node.number == number)
    return next(found, None)
