"""Four ways to one gradient, measured: limits, chained limits, forward sweeps, a reverse sweep."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core.avals import Value
from ...core.node import Equation
from ...core.parts import Part
from ..graph import Graph
from ..sweeps import backward, forward, values_of
from ..witness import Observation, Step, Subject

EPS = float(np.finfo(float).eps)
ONE_SIDED, TWO_SIDED = math.sqrt(EPS), EPS ** (1 / 3)  # the steps of least error, for x near 1
LARGE = 64  # elements of an operand, beyond which its operation is not chained by differences
MOST = 2_000  # evaluations of f that a row of limits may take


@dataclass(frozen=True, slots=True)
class Row:
    """One way to the gradient: what it gives, how wrong it is, and what it takes.

    `gradient` holds all elements of the inputs in one vector (None: the way was not gone, for the
    reason in `note`); `error` is the largest error of an element relative to the largest of the
    gradient.  `evaluations` are of f, `operations` single operations of it, `seconds` as measured.
    """

    way: str
    gradient: np.ndarray | None
    error: float | None
    evaluations: int
    operations: int
    seconds: float
    note: str = ""


def flat(values: list[Value]) -> np.ndarray:
    """Arrays as one vector."""
    parts = [np.asarray(v, float).reshape(-1) for v in values]
    return np.concatenate(parts) if parts else np.zeros(0)


class Function:
    """The user's function of one vector, with one real result."""

    def __init__(self, subject: Subject, graph: Graph) -> None:
        self.subject = subject
        self.shapes = [np.shape(x) for x in subject.inputs]
        self.dtypes = [np.asarray(x).dtype for x in subject.inputs]
        self.start = flat(subject.inputs)
        self.place = 0 if graph.seed is None else graph.outputs.index(graph.seed)

    def __call__(self, x: np.ndarray) -> float:
        from_start, parts = 0, []
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            n = math.prod(shape)
            parts.append(x[from_start : from_start + n].reshape(shape).astype(dtype)[()])
            from_start += n
        outputs = self.subject.results(parts)
        with np.errstate(all="ignore"):
            return float(np.sum(np.real(outputs[self.place])))


def timed(act: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What an act gives, and the seconds it takes."""
    begun = time.perf_counter()
    with np.errstate(all="ignore"):
        found = act()
    return found, time.perf_counter() - begun


def step_for(x: float, h: float) -> float:
    """A step in proportion to x, such that x + step is a number of the machine."""
    h = h * max(abs(x), 1.0)
    return (x + h) - x


def one_sided(f: Function) -> np.ndarray:
    """(f(x + h) - f(x)) / h for each element."""
    base = f(f.start)
    found = np.empty_like(f.start)
    for k, x in enumerate(f.start):
        h = step_for(x, ONE_SIDED)
        moved = f.start.copy()
        moved[k] += h
        found[k] = (f(moved) - base) / h
    return found


def two_sided(f: Function) -> np.ndarray:
    """(f(x + h) - f(x - h)) / 2h for each element."""
    found = np.empty_like(f.start)
    for k, x in enumerate(f.start):
        h = step_for(x, TWO_SIDED)
        up, down = f.start.copy(), f.start.copy()
        up[k] += h
        down[k] -= h
        found[k] = (f(up) - f(down)) / (up[k] - down[k])
    return found


def chained(seen: Observation, output: Step) -> np.ndarray:
    """Local derivatives of every operation by one-sided differences, multiplied along the graph."""
    cts: dict[Step, np.ndarray] = {output: np.ones(np.shape(output.value))}
    for step in reversed(seen.steps):
        ct = cts.get(step)
        node = step.node
        if ct is None or not isinstance(node, Equation) or isinstance(node.primitive, Part):
            continue
        for position, operand in enumerate(step.operands):
            if isinstance(operand, Step) and operand.flows:
                term = turned_by_differences(step, position, ct)
                cts[operand] = cts.get(operand, 0.0) + term
    return flat([cts.get(x, np.zeros(np.shape(x.value))) for x in seen.inputs])


def turned_by_differences(step: Step, position: int, ct: np.ndarray) -> np.ndarray:
    """The cotangent of one operand: the operation is evaluated again for each of its elements."""
    node = step.node
    if not isinstance(node, Equation):
        return np.zeros(())
    xs = values_of(step)
    x = np.asarray(xs[position], float)
    term = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        h = step_for(float(x[index]), ONE_SIDED)
        moved = x.copy()
        moved[index] += h
        ys = [*xs[:position], moved[()], *xs[position + 1 :]]
        change = (np.asarray(node.primitive.evaluate(*ys)) - step.value) / h
        term[index] = float(np.sum(ct * change))
    return term


def can_chain(seen: Observation) -> str:
    """Why the operations cannot be chained by differences, or ""."""
    for step in seen.steps:
        node = step.node
        if not step.flows or not isinstance(node, Equation):
            continue
        if node.is_several or node.dtype.kind == "c":
            return f"{node.primitive.label} has several results, or complex ones"
        for x in step.operands:
            if isinstance(x, Step) and x.flows and np.size(x.value) > LARGE:
                return f"{node.primitive.label} has operands of more than {LARGE} elements"
    return ""


def rows_of(subject: Subject, graph: Graph) -> list[Row]:
    """Every way that can be gone, in the order of the story."""
    seen = graph.observation
    seed = graph.seed.step if graph.seed is not None else None
    f = Function(subject, graph)
    count = f.start.size
    made = sum(s.flows and isinstance(s.node, Equation) for s in seen.steps)
    if seed is None:
        return []
    ct = np.ones(np.shape(seed.value), seed.node.dtype)[()]

    def reverse() -> np.ndarray:
        done = backward(seen, [(seed, ct)])
        zeros = [np.zeros(np.shape(x.value)) for x in seen.inputs]
        return flat([
            z if (g := done.gradient(x)) is None else np.real(g)
            for x, z in zip(seen.inputs, zeros, strict=True)
        ])  # fmt: skip

    def sweeps() -> np.ndarray:
        found = []
        for x in seen.inputs:
            for index in np.ndindex(np.shape(x.value)):
                tangent = forward(seen, x, index).get(seed)
                found.append(0.0 if tangent is None else float(np.sum(np.real(tangent))))
        return np.array(found)

    exact, took = timed(reverse)
    rows = []
    for way, act, runs in (
        ("limit, one-sided", one_sided, count + 1),
        ("limit, two-sided", two_sided, 2 * count),
    ):
        if runs > MOST:
            rows.append(Row(way, None, None, runs, runs * made, 0.0, "too many evaluations"))
        else:
            found, seconds = timed(functools.partial(act, f))
            rows.append(Row(way, found, error_of(found, exact), runs, runs * made, seconds))
    obstacle = can_chain(seen)
    if obstacle:
        rows.append(Row("limits, chained", None, None, 0, 0, 0.0, obstacle))
    else:
        found, seconds = timed(lambda: chained(seen, seed))
        again = sum(
            np.size(x.value)
            for s in seen.steps
            for x in s.operands
            if s.flows and isinstance(x, Step) and x.flows
        )
        rows.append(Row("limits, chained", found, error_of(found, exact), 1, again, seconds))
    if count > MOST:
        rows.append(Row("forward sweeps", None, None, 1, count * made, 0.0, "too many sweeps"))
    else:
        found, seconds = timed(sweeps)
        rows.append(
            Row("forward sweeps", found, error_of(found, exact), 1, (count + 1) * made, seconds)
        )
    rows.append(Row("reverse sweep", exact, 0.0, 1, 2 * made, took))
    return rows


def error_of(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error, relative to the largest element."""
    scale = float(np.max(np.abs(exact), initial=0.0)) or 1.0
    return float(np.max(np.abs(found - exact), initial=0.0)) / scale
