"""`qd.why`: why a gradient is none, zero, not finite or extreme."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from ...core.errors import GradientError
from ...core.trees import flatten
from ...tape.tensor import Tensor
from ..graph import Graph, Vertex, build, title_of
from ..tape import read_tape
from ..witness import observe
from .answer import Answer, Finding
from .diagnosis import diagnose, diagnose_all


def why(outputs: Any, /, *args: Any, **kwargs: Any) -> Answer:
    """Why the gradient of an output is as it is: none, zero, NaN, infinite, tiny, huge, or well.

    `why(f, *args, **kwargs)` asks about every float or complex argument of a function,
    `why(output, inputs)` about tensors: `inputs` is a tensor, or a container of them whose paths
    name them; left out, all leaves are asked about.  Each finding has one sentence with the
    user's expression, the numbers and the line, and says what to do.

    Raises what `f` raises; `GradientError` for an output with no graph behind it.

    >>> import qiudao as qd
    >>> qd.why(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 4.0])).findings[0].kind
    'inf'
    >>> x = qd.tensor(40.0, requires_grad=True)
    >>> print(qd.why(x * x, {"x": x}))
    x: nothing is wrong: the gradient is 80, the sum of 2 terms
    """
    if isinstance(outputs, Tensor):
        return why_of_tensors(outputs, *args, **kwargs)
    if not callable(outputs):
        raise TypeError(
            f"why: {type(outputs).__name__} {outputs!r} is neither a function nor a tensor; ask "
            "why(f, *args), or why(output, inputs)"
        )
    graph = build(observe(outputs, args, kwargs), title_of(outputs))
    return Answer(diagnose_all(graph, graph.inputs))


def why_of_tensors(output: Tensor, inputs: Any = None) -> Answer:
    """The answer about tensors of the tape."""
    leaves, tree = flatten(inputs)
    names = {
        name_of(path, k): x for k, (x, path) in enumerate(zip(leaves, tree.paths, strict=True))
    }
    if len(names) == 1 and not tree.is_nested and inputs is leaves[0]:
        names = {"this tensor": leaves[0]}
    for name, x in names.items():
        if not isinstance(x, Tensor):
            raise GradientError(
                f"why: {name} is {type(x).__name__}, which has no gradient to ask about; pass "
                "tensors made by qd.tensor(x, requires_grad=True)"
            )
    if output.node is None:
        asked = names or {"this tensor": output}
        return Answer([cut_output(output, name) for name in asked])
    seen, notes = read_tape([output], names if inputs is not None else {}, "why")
    graph = build(seen, "the tape behind a tensor", notes)
    if inputs is None:
        return Answer(diagnose_all(graph, graph.inputs))
    findings: list[Finding] = []
    for name, x in names.items():
        v = vertex_of(graph, x)
        if v is None:
            findings.append(not_behind(graph, output, x, name))
        else:
            v.name = name
            findings += diagnose(graph, v)
    return Answer(findings)


def name_of(path: str, k: int) -> str:
    """A path into the inputs as a name: `['w']` of a dict is `w`."""
    bare = path.removeprefix("['").removesuffix("']")
    return bare if bare.isidentifier() else f"inputs{path}" if path else f"inputs[{k}]"


def vertex_of(graph: Graph, x: Tensor) -> Vertex | None:
    """The place of a tensor in a graph; None where it has none."""
    number = None if x.node is None else x.node.number
    found = (v for v in graph.vertices if v.step is not None and v.step.node.number == number)
    return next(found, None)


def cut_output(output: Tensor, name: str) -> Finding:
    """About an output with no graph."""
    if output.cut is None:
        return Finding(
            name,
            "cut",
            "no gradient: the output does not require grad, nor does anything it was computed from",
            "make the inputs with qd.tensor(x, requires_grad=True)",
        )
    return Finding(name, "cut", f"no gradient: the output was cut from the graph by {output.cut}",
                   "leave that out, or ask about what it was made from")  # fmt: skip


def not_behind(graph: Graph, output: Tensor, x: Tensor, name: str) -> Finding:
    """About a tensor that is not in the graph of an output."""
    if x.node is None:
        act = "it was never asked to" if x.cut is None else f"it was cut by {x.cut}"
        return Finding(name, "cut", f"no gradient: it does not require grad; {act}",
                       "x.requires_grad_() before computing from it")  # fmt: skip
    cut = likely_cut(graph)
    if cut is not None:
        where, reader = cut
        return Finding(
            name,
            "cut",
            f"no gradient: the output is computed without it; {reader.title} reads a value that "
            f"was cut from the graph by {where}",
            "leave that cut out if the gradient should pass there",
            reader.line,
        )
    return Finding(
        name,
        "unused",
        "no gradient: nothing that the output was computed from reads it",
        "it may have been written to or made anew since; use this very tensor",
    )


def likely_cut(graph: Graph) -> tuple[str, Vertex] | None:
    """A constant of the graph that equals a living tensor which was cut from a graph."""
    constants = [v for v in graph.vertices if v.kind == "constant" and v.value is not None]
    if not constants:
        return None
    for each in gc.get_objects():
        if isinstance(each, Tensor) and each.node is None and each.cut is not None:
            if each.cut.where is None:
                continue
            for v in constants:
                if v.shape == each.shape and np.array_equal(np.asarray(v.value), each.value):
                    reader = next((r for r in graph.vertices if v in r.operands), v)
                    return str(each.cut), reader
    return None
