"""The two sweeps over an observation, with everything that they pass by kept.

The backward sweep is the one in `core/sweep.py`, unchanged; its equations are given a primitive
that tells what it was asked.  So what is explained is what `qd.grad` computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Value
from ..core.complexes import conjugated
from ..core.families import Elementwise
from ..core.node import Equation, Freed, Node
from ..core.parts import Part
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.sweep import fit, sweep
from ..ops.arithmetic import scale
from .witness import Observation, Step

MATRIX = 64  # entries up to which a local Jacobian is listed
ELEMENTS = 100_000  # elements up to which slopes are computed


class Term(NamedTuple):
    """What one use of a value adds to its gradient (None where it is a tuple of several).

    `reader` used it as its operand `position`; an output's seed has no reader.
    """

    reader: Step | None
    position: int
    value: Value | None


class Watched:
    """A primitive that notes what its `pull` gave, and else is as it was."""

    def __init__(self, primitive: Primitive, step: Step, log: dict[Step, list[Value | None]]):
        self.primitive = primitive
        self.step = step
        self.log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self.primitive, name)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        self.log.pop(self.step, None)
        grads = self.primitive.pull(ct, out, xs, parents, product)
        self.log[self.step] = [
            None if parent is None or g is None else fit(g, parent)
            for g, parent in zip(grads, parents, strict=True)
        ]
        return grads

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        reached = self.primitive.reach(alive, out, xs, parents)
        self.log[self.step] = [
            g if g is None or lanes is None or isinstance(g, tuple) else np.where(lanes, g, 0.0)
            for g, lanes in zip(self.log[self.step], reached, strict=True)
        ]
        return reached


@contextmanager
def watching(steps: Sequence[Step], log: dict[Step, list[Value | None]]) -> Iterator[None]:
    """Within the block, the equations of these steps note what is pulled through them."""
    watched = [s for s in steps if isinstance(s.node, Equation)]
    kept = [s.node.primitive for s in watched]  # type: ignore[attr-defined]
    for step in watched:
        step.node.primitive = Watched(step.node.primitive, step, log)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for step, primitive in zip(watched, kept, strict=True):
            step.node.primitive = primitive  # type: ignore[attr-defined]


class Backward(NamedTuple):
    """A backward sweep: the terms of each step's gradient, and the steps in the order visited."""

    terms: dict[Step, list[Term]]
    order: list[Step]

    def gradient(self, step: Step) -> Value | None:
        """The sum of the terms, in torch's convention for complex values."""
        values = [t.value for t in self.terms.get(step, ()) if t.value is not None]
        if not values:
            return None
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total


def backward(seen: Observation, seeds: Sequence[tuple[Step, Value]]) -> Backward:
    """Sweep back from outputs with these cotangents (in the public, conjugate convention)."""
    log: dict[Step, list[Value | None]] = {}
    terms: dict[Step, list[Term]] = {}
    started: list[tuple[Node, Value]] = []
    for step, ct in seeds:
        if step.flows:
            started.append((step.node, conjugated(ct)))
            terms.setdefault(step, []).append(Term(None, 0, ct))
    with watching(seen.steps, log):
        sweep(started, wanted={s.node for s in seen.inputs})
    known = {s.node: s for s in seen.steps}
    order = [known[node] for node in sorted((s.node for s in log), key=lambda n: -n.number)]
    for step in order:
        for position, (operand, g) in enumerate(zip(step.operands, log[step], strict=True)):
            if g is not None and isinstance(operand, Step):
                shown = None if isinstance(g, tuple) else conjugated(g)
                terms.setdefault(operand, []).append(Term(step, position, shown))
    return Backward(terms, order)


def forward(seen: Observation, moved: Step, index: tuple[int, ...]) -> dict[Step, Value]:
    """The tangents of all steps where one element of an input moves at speed 1."""
    start = np.zeros(np.shape(moved.value), moved.node.dtype)
    start[index] = 1.0
    tangents: dict[Step, Value] = {moved: start[()]}
    with np.errstate(all="ignore"):
        for step in seen.steps:
            if not step.flows or not isinstance(step.node, Equation):
                continue
            dxs = [tangents.get(x) if isinstance(x, Step) else None for x in step.operands]
            if all(dx is None for dx in dxs):
                continue
            primitive = step.node.primitive
            if isinstance(primitive, Part):
                change = dxs[0][primitive.index]  # type: ignore[index]
            else:
                change = primitive.push(step.value, values_of(step), dxs, scale)
            if change is not None:
                tangents[step] = change if step.node.is_several else fit(change, step.node)
    return tangents


def values_of(step: Step) -> list[Value]:
    """The values of a step's operands."""
    return [x.value if isinstance(x, Step) else x for x in step.operands]


class Slope(NamedTuple):
    """The local derivative of a result with respect to one operand."""

    kind: str  # "elementwise", "matrix" or "map"
    value: Value | None


def slopes(step: Step) -> list[Slope | None]:
    """The slope for each operand; None for those that no derivative passes."""
    node = step.node
    if not isinstance(node, Equation):
        return []
    passes = [p is not None for p in node.parents]
    if not step.flows:
        return [None] * len(passes)
    if node.is_several or isinstance(node.primitive, Part):
        return [Slope("map", None) if p else None for p in passes]
    size = int(np.prod(node.shape))
    known = not isinstance(node.operands, Freed) and all(x is not None for x in values_of(step))
    if not known or size > ELEMENTS:
        return [Slope("map", None) if p else None for p in passes]
    with np.errstate(all="ignore"):
        if isinstance(node.primitive, Elementwise):
            found = pulled(step, np.ones(node.shape, node.dtype)[()])
            return [
                None if g is None else Slope("elementwise", np.broadcast_to(g, node.shape))
                for g in found
            ]
        sizes = [int(np.prod(p.shape)) if p is not None else 0 for p in node.parents]
        if size * max(sizes, default=0) > MATRIX:
            return [Slope("map", None) if p else None for p in passes]
        units = np.eye(size, dtype=node.dtype).reshape(size, *node.shape)
        rows = [pulled(step, unit[()]) for unit in units]
    return [
        Slope("matrix", np.reshape([fit(row[k], p) for row in rows], (size, sizes[k])))
        if p is not None and all(row[k] is not None for row in rows)
        else None
        for k, p in enumerate(node.parents)
    ]


def pulled(step: Step, ct: Value) -> Terms:
    """What one equation makes of a cotangent."""
    node = step.node
    if not isinstance(node, Equation):
        return []
    return node.primitive.pull(ct, node.out, node.operands, node.parents, scale)  # type: ignore[arg-type]
