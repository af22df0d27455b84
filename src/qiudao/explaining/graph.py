"""The neutral graph: what every picture, page, text and question is drawn from.

One `Vertex` a value, in the order in which they came to be, whether they were observed in a
function, read off the tape or taken from a program.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.errors import FreedError
from ..core.node import Equation
from ..core.roles import role_of
from ..core.signatures import signature
from ..core.source import Line, is_ours
from .chunks import arguments, divided
from .expressions import expression_at, name_at, operands_at
from .places import Group
from .sweeps import Backward, Slope, backward, forward, slopes
from .witness import Observation, Step

MOST_DIRECTIONS = 8  # forward sweeps that are shown
PUSHES = 2_000  # equations pushed for them, in all


@dataclass(eq=False, slots=True)
class Use:
    """What one use of a value adds to its gradient: the vertex that read it, as which operand."""

    reader: Vertex | None  # None: the value is an output, and this is its seed
    position: int
    value: Value | None


@dataclass(eq=False, slots=True)
class Vertex:
    """A value: what it is, where the user made it, what was computed from it and its gradient.

    `kind` is "input", "constant" or "operation"; `value`, `gradient` and `tangents` are arrays, or
    None where they are not known or nothing arrives.
    """

    id: int
    kind: str
    name: str | None
    operation: str | None
    fields: str
    expression: str | None
    line: Line | None
    operands: list[Vertex]
    value: Value | None
    flows: bool
    group: Group | None
    step: Step | None
    shape: tuple[int, ...] | None
    dtype: np.dtype[Any] | None
    gradient: Value | None = None
    terms: list[Use] = field(default_factory=list)
    slopes: list[Slope | None] = field(default_factory=list)
    tangents: list[Value | None] = field(default_factory=list)
    output: int | None = None

    @property
    def title(self) -> str:
        """How to call it in a sentence: by the user's name, the expression or the operation."""
        return self.name or self.expression or self.operation or "a constant"


@dataclass(eq=False, slots=True)
class Direction:
    """A forward sweep: the element of an input whose tangent is 1."""

    input: Vertex
    index: tuple[int, ...]

    @property
    def label(self) -> str:
        """`x[2]`."""
        return element_label(self.input.title, self.index)


@dataclass(eq=False, slots=True)
class Graph:
    """A computation with its gradient: vertices in order, groups, and what the sweeps did.

    `seed` is the output whose derivative was taken, and `seed_index` the element of it (None: the
    sum of all its elements).  `order` is the way of the backward sweep.
    """

    title: str
    vertices: list[Vertex]
    inputs: list[Vertex]
    outputs: list[Vertex]
    seed: Vertex | None
    seed_index: tuple[int, ...] | None
    order: list[Vertex]
    directions: list[Direction]
    observation: Observation
    notes: list[str]
    codes: list[CodeType]

    def vertex(self, step: Step) -> Vertex:
        """The vertex of a step."""
        return next(v for v in self.vertices if v.step is step)

    @property
    def groups(self) -> list[Group]:
        """All groups, outer ones before those within."""
        found: dict[Group, None] = {}
        for v in self.vertices:
            if v.group is not None:
                found.update(dict.fromkeys(v.group.path))
        return list(found)


def element_label(name: str, index: tuple[int, ...] | None) -> str:
    """`x`, `x[2]`, `W[0, 1]`; `sum of y` where there is no index."""
    if index is None:
        return f"sum of {name}"
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def build(
    seen: Observation,
    title: str,
    notes: Sequence[str] = (),
    differentiate: bool = True,
    seeds: Sequence[tuple[Step, Value]] | None = None,
) -> Graph:
    """The graph of an observation, with the gradient of its first output that has one.

    An output that is an array is summed; where it is complex, the real part of that sum counts.
    `seeds` are other outputs to start from, with their cotangents; without `differentiate` there
    is no gradient.
    """
    steps: dict[Step, Vertex] = {}
    constants: dict[int, Vertex] = {}
    vertices: list[Vertex] = []
    met: set[Any] = set()
    for k, step in enumerate(seen.steps):
        words = operand_words(step)
        operands = []
        for operand, word in zip(step.operands, words, strict=True):
            if isinstance(operand, Step):
                operands.append(steps[operand])
                if operand.value is None and not operand.operands and not operand.flows:
                    steps[operand].expression = word
            else:
                known = constants.get(id(operand)) if isinstance(operand, np.ndarray) else None
                operands.append(known or constant_vertex(operand, word, step, vertices, constants))
        named = is_last(seen.steps, k) and (differentiate or is_first(step, met))
        steps[step] = vertex = step_vertex(step, operands, named, len(vertices))
        vertices.append(vertex)
    outputs = [steps[s] for s in seen.outputs]
    for k, v in enumerate(outputs):
        if v.output is None:
            v.output = k
    seed, index, ct = choose_seed(outputs) if differentiate else (None, None, None)
    graph = Graph(
        title, vertices, [steps[s] for s in seen.inputs], outputs, seed, index,
        [], [], seen, list(notes), list(seen.codes),
    )  # fmt: skip
    if seed is None and differentiate:
        graph.notes.append("no output depends on an input in a way that a derivative follows")
    elif seed is not None and seed.step is not None:
        try:
            note_gradient(graph, steps, backward(seen, seeds or [(seed.step, ct)]))
        except FreedError as error:
            graph.notes.append(f"no gradient is shown: {error}")
        if index is None:
            graph.notes.append(
                f"{seed.title} has {math.prod(seed.shape or ())} elements: the gradient shown is "
                "that of their sum"
            )
    if differentiate:
        note_tangents(graph, steps)
    for step, vertex in steps.items():
        vertex.slopes = slopes(step)
    inside = [v for v in vertices if v.kind != "input"]
    groups = divided([v.group for v in inside], [v.line for v in inside])
    for v, group in zip(inside, groups, strict=True):
        v.group = group
    given = [v for v in vertices if v.kind == "input"]
    for v, group in zip(given, arguments([v.name for v in given]), strict=True):
        v.group = group
    return graph


def constant_vertex(
    value: Value, word: str | None, step: Step, vertices: list[Vertex], known: dict[int, Vertex]
) -> Vertex:
    """A constant that the function brought along."""
    aval = aval_of(value)
    name = word if word is not None and word.isidentifier() else None
    line = users_line(step.node) if isinstance(step.node, Equation) else None
    vertex = Vertex(
        len(vertices), "constant", name, None, "", word, line, [], value, False, step.group,
        None, aval.shape, aval.dtype,
    )  # fmt: skip
    vertices.append(vertex)
    if isinstance(value, np.ndarray):
        known[id(value)] = vertex
    return vertex


def step_vertex(step: Step, operands: list[Vertex], named: bool, number: int) -> Vertex:
    """A step as a vertex; of the operations that one expression takes, the last has its name."""
    node = step.node
    if not isinstance(node, Equation):
        kind = "input" if step.flows else "constant"
        return Vertex(
            number, kind, step.name, None, "", None, None, [], step.value, step.flows, step.group,
            step, node.shape, node.dtype,
        )  # fmt: skip
    primitive = node.primitive
    fields = repr(primitive).removeprefix(primitive.name).removeprefix("(").removesuffix(")")
    line = users_line(node)
    named = named and line is not None
    expression = expression_at(node.code, node.offset) if named else None
    name = name_at(node.code, node.offset) if named else None
    return Vertex(
        number, "operation", step.name or name, primitive.label, fields, expression, line,
        operands, step.value, step.flows, step.group, step, node.shape, node.dtype,
    )  # fmt: skip


def users_line(node: Equation) -> Line | None:
    """The user's line; None for what a slope that a tape recorded computes, in a file of ours."""
    return None if is_ours(node.code.co_filename) else node.line


def is_last(steps: Sequence[Step], k: int) -> bool:
    """Whether a step is the last of those that one instruction takes at a time."""
    this = steps[k].node
    following = steps[k + 1].node if k + 1 < len(steps) else None
    if not isinstance(this, Equation) or not isinstance(following, Equation):
        return True
    same = this.code is following.code and this.offset == following.offset
    return not same or steps[k].group is not steps[k + 1].group


def is_first(step: Step, met: set[Any]) -> bool:
    """Whether a program has not named this expression yet: its gradient has the same line again."""
    node = step.node
    place = (node.code, node.offset) if isinstance(node, Equation) else node
    new = place not in met
    met.add(place)
    return new


def operand_words(step: Step) -> list[str | None]:
    """The user's words for each operand."""
    node = step.node
    if not isinstance(node, Equation):
        return []
    if is_ours(node.code.co_filename) or role_of(node) is not None:
        return [None] * len(step.operands)  # the words there are those of another computation
    return operands_at(node.code, node.offset, len(step.operands))


def choose_seed(
    outputs: Sequence[Vertex],
) -> tuple[Vertex | None, tuple[int, ...] | None, Value | None]:
    """The output to differentiate, the element of it (None: their sum), and its cotangent."""
    for v in outputs:
        if v.flows and v.shape is not None and v.dtype is not None:
            ct = np.ones(v.shape, v.dtype)[()]
            one = math.prod(v.shape) == 1
            return v, (0,) * len(v.shape) if one else None, ct
    return None, None, None


def note_gradient(graph: Graph, steps: dict[Step, Vertex], done: Backward) -> None:
    """Give vertices the terms of their gradients."""
    for step, terms in done.terms.items():
        vertex = steps[step]
        vertex.terms = [
            Use(None if t.reader is None else steps[t.reader], t.position, t.value) for t in terms
        ]
        vertex.gradient = done.gradient(step)
    graph.order = [steps[s] for s in done.order]


def note_tangents(graph: Graph, steps: dict[Step, Vertex]) -> None:
    """Give vertices their tangents for the first few elements of the inputs."""
    pushed = sum(v.kind == "operation" and v.flows for v in graph.vertices)
    most = max(1, min(MOST_DIRECTIONS, PUSHES // max(pushed, 1)))
    if any(v.value is None for v in graph.vertices if v.flows and v.shape is not None):
        return  # a tape that has not kept all values
    for v in graph.inputs:
        for index in np.ndindex(v.shape or ()):
            if len(graph.directions) == most:
                return
            try:
                tangents = forward(graph.observation, v.step, index)  # type: ignore[arg-type]
            except Exception as error:  # of a rule of the user's, written for reverse mode only
                graph.notes.append(f"no tangents are shown: {error}")
                return
            graph.directions.append(Direction(v, index))
            for step, vertex in steps.items():
                vertex.tangents.append(tangents.get(step))


def title_of(f: Callable[..., Any]) -> str:
    """`f(x, w)`: a function with the names of its parameters."""
    name = getattr(f, "__name__", type(f).__name__)
    if isinstance(f, np.ufunc):
        return f"{name}(...)"
    try:
        return f"{name}({', '.join(signature(f).parameters)})"
    except (TypeError, ValueError):
        return f"{name}(...)"
