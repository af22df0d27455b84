"""About tensors that are not on the tape behind an output, and outputs that have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...tape.cut import Cut
from ...tape.reaching import walk
from ...tape.tensor import Tensor
from ..graph import Graph, Vertex
from ..tape import living
from . import words
from .answer import Finding

HERE = "; if that was computed from here, this is why"


def cut_output(output: Tensor, name: str) -> Finding:
    """About an output with no graph."""
    if output.cut is None:
        return Finding(
            name,
            "cut",
            "no gradient: the output does not require grad, nor does anything it was computed from",
            "make the inputs with qd.tensor(x, requires_grad=True)",
        )
    return Finding(
        name,
        "cut",
        f"no gradient: the output was cut from the graph by {output.cut}",
        "leave that out, or ask about what it was made from",
    )


def plain_output(output: Any, name: str) -> Finding:
    """About an output that is no tensor."""
    return Finding(
        name,
        "cut",
        f"no gradient: the output is a plain {type(output).__name__}, and no tensor",
        "argmax, item() and numpy() give plain values: compute without them",
    )


def not_behind(graph: Graph, x: Tensor, name: str) -> Finding:
    """About a tensor that is not on the tape behind an output."""
    if x.node is None:
        act = "it was never asked to" if x.cut is None else f"it was cut by {x.cut}"
        return Finding(
            name,
            "cut",
            f"no gradient: it does not require grad; {act}",
            "x.requires_grad_() before computing from it",
        )
    for constant, reader in constants_of(graph):
        cut, source = cut_behind(constant)
        if cut is not None and (source is None or is_computed_from(source, x)):
            return Finding(
                name,
                "cut",
                f"no gradient: {words.actor(reader)} reads a value that was cut from the graph by "
                f"{cut}{'' if source is not None else HERE}",
                "leave that cut out if the gradient should pass there",
                reader.line,
            )
    for constant, reader in constants_of(graph):
        if is_peculiar(constant.value) and any(
            same_number(t, constant.value) and is_computed_from(t, x) for t in living()
        ):
            return Finding(
                name,
                "cut",
                f"no gradient: {words.actor(reader)} reads the plain number {constant.value!s}, "
                "the very value of a tensor that was computed from here, as item() gives it",
                "compute with the tensor itself, without taking the number out",
                reader.line,
            )
    return Finding(
        name,
        "unused",
        "no gradient: nothing that the output was computed from reads it",
        "it may have been written to or made anew since; use this very tensor",
    )


def constants_of(graph: Graph) -> Iterator[tuple[Vertex, Vertex]]:
    """The constants of a graph, each with what reads it."""
    for reader in graph.vertices:
        for x in reader.operands:
            if x.kind == "constant" and x.value is not None:
                yield x, reader


def cut_behind(constant: Vertex) -> tuple[Cut | None, Tensor | None]:
    """How a constant was cut from a graph, and the tensor that it was cut from where it lives."""
    cut, source = None, None
    for each in living():
        if is_same(each.value, constant.value):
            if each.node is not None:
                source = each
            elif each.cut is not None and each.cut.where is not None:
                cut = each.cut
    return cut, source


def is_same(a: Any, b: Any) -> bool:
    """Whether two values are one object, or arrays in the same memory."""
    if a is b:
        return True
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return arrays and a.shape == b.shape and bool(np.may_share_memory(a, b))


def is_peculiar(value: Any) -> bool:
    """Whether a number is unlikely to be found in a program twice by chance."""
    return np.ndim(value) == 0 and float(np.real(value)) * 8 % 1 != 0


def same_number(t: Tensor, value: Any) -> bool:
    """Whether a tensor is one number, and this one."""
    return t.node is not None and np.size(t.value) == 1 and bool(np.all(t.value == value))


def is_computed_from(t: Tensor, x: Tensor) -> bool:
    """Whether one tensor was recorded as computed from another."""
    if t.node is None or x.node is None:
        return False
    return x.node in walk([t.node], x.node.number)
