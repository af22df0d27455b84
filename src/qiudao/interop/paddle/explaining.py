"""`explain` and `why`: a graph of paddle's drawn as our own, and what became of each gradient."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import paddle
from paddle import Tensor

from ...core.errors import GradientError
from ...explaining.explained import Explained
from ...explaining.graph import Graph, Use, Vertex
from ...explaining.labels import brief
from ...explaining.questions.answer import Answer, Finding
from ...explaining.sweeps import Slope
from ...explaining.witness import Observation
from .arrays import array_of
from .places import LEAF, node_of, reaches
from .watching import Behind, Passed, names_of, operands, operation


def explain(loss: Tensor, /, **names: Any) -> Explained:
    """The graph that paddle recorded behind a tensor, with the gradient of each value.

    Keywords give names to tensors and layers; what has no name yet is called as the caller's
    variable that holds it.  Shown are the operations, the values that variables hold, and the
    terms of each gradient, from one sweep, which changes no `.grad` (hooks of the user's do run).
    paddle does not keep where an operation was written, nor show what it keeps of values.

    Raises `GradientError` where `loss` is no tensor, or has no graph.

    >>> w = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    >>> explain((w * w).sum(), w=w).graph.inputs[0].gradient
    array([2., 4.], dtype=float32)
    """
    checked(loss, "explain")
    if node_of(loss) is None:
        raise GradientError(
            "explain: this tensor has no graph, its stop_gradient is True: it was computed under "
            "paddle.no_grad, was detached, or all that it was computed from has stop_gradient=True"
        )
    local = names_of(dict(sys._getframe(1).f_locals))
    return Explained(drawn(Behind(loss, {**names_of(names), **local})))


def drawn(behind: Behind) -> Graph:
    """The neutral graph."""
    vertices: list[Vertex] = []
    of: dict[int, Vertex] = {}
    for number, node in behind.nodes.items():
        name, x = behind.tensors.get(number, (None, None))
        value = None if x is None else np.array(array_of(x))
        if node.name() == LEAF:
            name = name or f"leaf {sum(v.kind == 'input' for v in vertices)}"
            of[number] = vertex(vertices, "input", name, value)
            continue
        read = [
            vertex(vertices, "constant", None, None) if n is None else of[n.node_ptr()]
            for n in operands(node)
        ]
        of[number] = made = vertex(vertices, "operation", name, value)
        made.operation = operation(node)
        made.expression = f"{made.operation}({', '.join(v.name or '·' for v in read)})"
        made.operands = read
        made.slopes = [None if v.kind == "constant" else Slope("map", None) for v in read]
    root = of[node_of(behind.loss).node_ptr()]
    root.output = 0
    if root.value is None:
        root.value = np.array(array_of(behind.loss))
    root.shape, root.dtype = root.value.shape, root.value.dtype
    observation = Observation(sys._getframe(0))
    observation.finish()
    notes = ["paddle keeps no lines, and shows values only where variables hold them"]
    graph = Graph(
        "paddle's graph behind a tensor", vertices, [v for v in vertices if v.kind == "input"],
        [root], root, (0,) * root.value.ndim if root.value.size == 1 else None, [], [],
        observation, notes, [],
    )  # fmt: skip
    note_gradient(behind, graph, of)
    return graph


def vertex(vertices: list[Vertex], kind: str, name: str | None, value: Any) -> Vertex:
    """A vertex, numbered."""
    made = Vertex(
        len(vertices), kind, name, None, "", None, None, [], value, kind != "constant", None, None,
        None if value is None else value.shape, None if value is None else value.dtype,
    )  # fmt: skip
    vertices.append(made)
    return made


def note_gradient(behind: Behind, graph: Graph, of: dict[int, Vertex]) -> None:
    """Give the vertices the terms of their gradients."""
    root = graph.outputs[0]
    root.gradient = np.ones(root.shape or (), root.dtype)
    root.terms = [Use(None, 0, root.gradient)]
    for number, passed in behind.sweep().items():
        reader = of[number]
        graph.order.append(reader)
        read = operands(behind.nodes[number])
        if len(read) != len(passed.operands):
            continue  # an operation whose operands paddle counts in another way
        for position, (node, g) in enumerate(zip(read, passed.operands, strict=True)):
            if node is None or g is None:
                continue
            target, term = of[node.node_ptr()], np.array(array_of(g))
            target.terms.append(Use(reader, position, term))
            whole = target.gradient is None or target.gradient.shape == term.shape
            if whole:  # the results of one operation that gives several are not told apart
                target.gradient = term if target.gradient is None else target.gradient + term
    for v in graph.vertices:
        if v.gradient is not None and v.shape is None:
            v.shape, v.dtype = v.gradient.shape, v.gradient.dtype


def why(loss: Tensor, /, **names: Any) -> Answer:
    """Why the gradients that `loss` gives are as they are: none, zero, not finite, or well.

    Keywords name the tensors, or layers, that are asked about; left out, the caller's variables
    that are leaves with a gradient.  One sweep is run, which changes no `.grad`.

    Raises `GradientError` where `loss` is no tensor.

    >>> w = paddle.to_tensor(2.0, stop_gradient=False)
    >>> v = paddle.to_tensor(3.0, stop_gradient=False)
    >>> print(why(w * v.detach(), v=v))
    v: no gradient: no path leads from the loss to it; what was computed from it was detached, ...
    """
    checked(loss, "why")
    local = names_of(dict(sys._getframe(1).f_locals))
    asked = names_of(names) or {
        name: x for name, x in local.items() if x.is_leaf and not x.stop_gradient and x is not loss
    }
    if node_of(loss) is None:
        return Answer([no_graph(name) for name in asked or {"the loss": loss}])
    behind = Behind(loss, {**asked, **local})
    passed = behind.sweep()
    return Answer([about(behind, passed, name, x) for name, x in asked.items()])


def no_graph(name: str) -> Finding:
    """The finding where the loss has no graph."""
    return Finding(
        name,
        "cut",
        "no gradient: the loss has no graph, its stop_gradient is True",
        "it was computed under paddle.no_grad, was detached, or all that it was computed from has "
        "stop_gradient=True: set x.stop_gradient = False before computing",
    )


def about(behind: Behind, passed: dict[int, Passed], name: str, x: Tensor) -> Finding:
    """The finding about one tensor."""
    target = node_of(x)
    if target is None:
        return Finding(
            name,
            "cut",
            "no gradient: its stop_gradient is True",
            f"{name}.stop_gradient = False before computing from it; what was frozen stays so",
        )
    if not reaches([node_of(behind.loss)], target):
        return Finding(
            name,
            "unused",
            "no gradient: no path leads from the loss to it; what was computed from it was "
            "detached, computed under paddle.no_grad, converted to NumPy or integers, or not used",
            "look for detach(), numpy(), item(), astype('int64') and no_grad between the two",
        )
    (g,) = paddle.grad([behind.loss], [x], retain_graph=True, allow_unused=True)
    value = None if g is None else array_of(g)
    if value is None:
        return Finding(
            name,
            "unused",
            "no gradient: it is behind the loss, and no rule on the way passes a gradient to it",
            "a PyLayer returned None for it",
        )
    if not np.isfinite(value).all():
        kind = "nan" if np.isnan(value).any() else "inf"
        first = first_where(behind, passed, spoils)
        return Finding(
            name,
            kind,
            f"the gradient is not finite ({kind}): it comes from {first}, whose own gradient is "
            "finite and which makes this of it",
            "keep its operand away from the point where its slope is infinite, with a mask before "
            "the operation",
        )
    if not value.any():
        first = first_where(behind, passed, silences)
        return Finding(
            name,
            "zero",
            f"the gradient is zero: {first} passes nothing on of the gradient that it gets",
            "its slope is zero at this value, or it is multiplied by zero",
        )
    return Finding(name, "healthy", f"nothing is wrong: the gradient is {brief(value)}")


def first_where(behind: Behind, passed: dict[int, Passed], does: Any) -> str:
    """The first operation of the sweep that does something to what passes."""
    found = (n for n, each in passed.items() if does(each))
    number = next(found, None)
    return "an operation" if number is None else operation(behind.nodes[number])


def spoils(passed: Passed) -> bool:
    """Whether a node makes what is not finite of what is."""
    return all_finite(passed.results) and not all_finite(passed.operands)


def all_finite(tensors: list[Tensor | None]) -> bool:
    """Whether all numbers are finite."""
    return all(bool(np.isfinite(array_of(x)).all()) for x in tensors if x is not None)


def silences(passed: Passed) -> bool:
    """Whether a node makes zeros of what is not zero."""
    given = any(array_of(x).any() for x in passed.results if x is not None)
    made = [array_of(x).any() for x in passed.operands if x is not None]
    return given and not all(made)


def checked(loss: Any, name: str) -> None:
    """Refuse what is no tensor of paddle's."""
    if not isinstance(loss, Tensor):
        raise GradientError(
            f"{name}: {type(loss).__name__} {loss!r} is no tensor of paddle; for functions and "
            f"tensors of ours, use qd.{name}"
        )
