"""`explain`: a graph of torch's, drawn as our own are."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

from ...core.errors import GradientError
from ...explaining.explained import Explained
from ...explaining.graph import Graph, Use, Vertex
from ...explaining.summary import counted, number
from ...explaining.sweeps import Slope
from ...explaining.witness import Observation
from . import autograd_graph as theirs


def explain(
    loss: torch.Tensor, module: torch.nn.Module | None = None, /, **names: Any
) -> Explained:
    """The graph that torch recorded behind a tensor, with the gradient of each value.

    `module` gives its parameters their names; keywords give names to tensors and modules; what has
    no name yet is called as the caller's variable that holds it.  Shown are the operations with
    their shapes, the values that torch has kept or that variables hold, and all gradients with
    their terms, from one backward sweep, which changes no `.grad` (hooks of the user's do run).
    The lines are known where `loss` was computed under `torch.autograd.detect_anomaly`.

    Raises `GradientError` where `loss` is no tensor, or has no graph.

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> shown = explain((w * w).sum(), w=w)
    >>> shown.graph.inputs[0].gradient
    array([2., 4.], dtype=float32)
    """
    if not isinstance(loss, torch.Tensor):
        raise GradientError(
            f"explain: {type(loss).__name__} {loss!r} is no tensor of torch; for functions and "
            "tensors of ours, use qd.explain"
        )
    if loss.grad_fn is None:
        raise GradientError(
            "explain: this tensor has no graph: it was computed under torch.no_grad, was detached, "
            "or nothing it was computed from requires grad; qiudao.interop.torch.why(loss, module) "
            "looks for the place"
        )
    named = theirs.names_of({**({"": module} if module is not None else {}), **names})
    local = theirs.names_of(dict(sys._getframe(1).f_locals))
    return Explained(Reading(loss, named, local).graph())


class Reading:
    """A graph of torch's while it is read."""

    def __init__(
        self,
        loss: torch.Tensor,
        names: dict[str, torch.Tensor],
        local: dict[str, torch.Tensor],
    ) -> None:
        self.loss = loss
        self.nodes = theirs.walk(loss.grad_fn)
        self.names: dict[theirs.Place, str] = {}
        self.values: dict[theirs.Place, torch.Tensor] = {}
        self.constant_names: dict[Any, str] = {}
        for name, t in [*names.items(), *local.items()]:
            place = theirs.place_of(t)
            if place is None:
                self.constant_names.setdefault(memory(t), name)
            else:
                self.names.setdefault(place, name)
                self.values[place] = t
        self.vertices: list[Vertex] = []
        self.of: dict[theirs.Place, Vertex] = {}
        self.nodes_of: dict[Any, Vertex] = {}
        self.notes: list[str] = []

    def graph(self) -> Graph:
        """The neutral graph."""
        for node in self.nodes:
            for t in theirs.tensors_in(theirs.saved(node)):
                place = theirs.place_of(t)
                if place is not None:
                    self.values.setdefault(place, t)
        used: dict[Any, set[int]] = {}
        for node in self.nodes:
            for operand, k in node.next_functions:
                used.setdefault(operand, set()).add(k)
        used.setdefault(self.loss.grad_fn, set()).add(self.loss.output_nr)
        inputs = []
        for node in self.nodes:
            if theirs.is_leaf(node):
                inputs.append(self.leaf(node))
            else:
                self.operation(node, sorted(used[node]))
        root = self.of[self.loss.grad_fn, self.loss.output_nr]
        root.output = 0
        observation = Observation(sys._getframe(0))
        observation.finish()
        index = () if self.loss.ndim == 0 else (0,) * self.loss.ndim
        graph = Graph(
            "torch's graph behind a tensor", self.vertices, inputs, [root], root,
            index if self.loss.numel() == 1 else None, [], [], observation, self.notes, [],
        )  # fmt: skip
        self.note_gradient(graph)
        unknown = sum(v.value is None and v.shape is not None for v in self.vertices)
        if unknown:
            self.notes.append(
                f"{counted(unknown, 'value is', 'values are')} shown without numbers: torch keeps "
                "what its rules read, and no variable of the caller's holds them"
            )
        return graph

    def leaf(self, node: Any) -> Vertex:
        """A tensor that gradients are collected at."""
        name = self.names.get((node, 0), f"leaf {sum(v.kind == 'input' for v in self.vertices)}")
        made = self.vertex("input", name, node.variable, shape=tuple(node.variable.shape))
        self.nodes_of[node] = self.of[node, 0] = made
        return made

    def operation(self, node: Any, used: list[int]) -> None:
        """An operation; one of several results is followed by a value for each that is used."""
        kept = theirs.constants(node)
        operands = [
            self.constant(kept.get(k)) if n is None else self.of[n, i]
            for k, (n, i) in enumerate(node.next_functions)
        ]
        alone = used == [0]
        told = theirs.operation(node)
        words = ", ".join(map(word, operands))
        made = self.vertex(
            "operation", self.names.get((node, 0)) if alone else None,
            self.values.get((node, 0)) if alone else None, operation=told, operands=operands,
            expression=f"{told}({words})", fields=theirs.fields(node), node=node,
            shape=shape_of(node, 0) if alone else None,
        )  # fmt: skip
        made.slopes = [None if x.kind == "constant" else Slope("map", None) for x in operands]
        self.nodes_of[node] = made
        if alone:
            self.of[node, 0] = made
            return
        for k in used:
            place = node, k
            part = self.vertex(
                "operation", self.names.get(place), self.values.get(place), operation="result",
                operands=[made], expression=f"result {k} of {told}", fields=str(k), node=node,
                shape=shape_of(node, k),
            )  # fmt: skip
            part.slopes = [Slope("map", None)]
            self.of[place] = part

    def constant(self, value: torch.Tensor | None) -> Vertex:
        """An operand without a graph."""
        name = None if value is None else self.constant_names.get(memory(value))
        shape = None if value is None else tuple(value.shape)
        return self.vertex("constant", name, value, shape=shape)

    def vertex(
        self, kind: str, name: str | None, value: torch.Tensor | None, *,
        operation: str | None = None, operands: list[Vertex] | None = None,
        expression: str | None = None, fields: str = "", node: Any = None,
        shape: tuple[int, ...] | None = None,
    ) -> Vertex:  # fmt: skip
        """A vertex, numbered."""
        array = array_or_none(value)
        made = Vertex(
            len(self.vertices), kind, name, operation, fields, expression,
            None if node is None else theirs.line(node), operands or [], array, kind != "constant",
            None, None, shape, None if array is None else array.dtype,
        )  # fmt: skip
        self.vertices.append(made)
        return made

    def note_gradient(self, graph: Graph) -> None:
        """Give the vertices the terms of their gradients."""
        try:
            passed = theirs.sweep([self.loss], self.nodes)
        except RuntimeError as error:
            first = str(error).partition(".")[0]
            self.notes.append(f"no gradient is shown: {first}; explain before the sweep")
            graph.seed = None
            return
        root = graph.outputs[0]
        root.terms.append(Use(None, 0, np.ones(tuple(self.loss.shape), numpy_dtype(self.loss))))
        for node, (given, made) in passed.items():
            reader = self.nodes_of[node]
            graph.order.append(reader)
            for k, g in enumerate(given):
                result = self.of.get((node, k))
                if result is not None and g is not None:
                    result.gradient = array_or_none(g)
                    if result is not reader:
                        reader.terms.append(Use(result, 0, None))
            for position, ((operand, k), g) in enumerate(
                zip(node.next_functions if made else (), made, strict=True)
            ):
                if operand is not None and g is not None:
                    self.of[operand, k].terms.append(Use(reader, position, array_or_none(g)))


def word(x: Vertex) -> str:
    """A short word for an operand: its name, or the number that it is."""
    if x.name is None and x.kind == "constant" and x.value is not None and x.shape == ():
        return number(x.value[()], 4)
    return x.name or "·"


def array_or_none(t: torch.Tensor | None) -> Any:
    """A tensor's values, copied; None where NumPy has none."""
    if t is None or t.layout is not torch.strided or t.device.type == "meta":
        return None
    t = t.detach().cpu().resolve_conj().resolve_neg()
    if t.dtype is torch.bfloat16:
        t = t.float()
    return np.array(t.numpy())


def numpy_dtype(t: torch.Tensor) -> Any:
    """The dtype of NumPy for a tensor's."""
    return array_or_none(torch.zeros((), dtype=t.dtype)).dtype


def shape_of(node: Any, k: int) -> tuple[int, ...] | None:
    """The shape of a result of a node."""
    told = node._input_metadata
    return tuple(told[k].shape) if told and k < len(told) else None


def memory(t: torch.Tensor) -> Any:
    """What tells two tensors of the same elements."""
    return t.data_ptr(), tuple(t.shape), t.dtype
