"""Derivatives by limits: of the whole function, and of each operation, chained."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...core.avals import Value
from ...core.node import Equation
from ...core.parts import Part
from ..sweeps import values_of
from ..witness import Observation, Step
from .function import Function, eps_of

Place = tuple[Step, int]  # an operation, and which of its operands


def one_sided(f: Function) -> np.ndarray:
    """(f(x + h) - f(x)) / h for each coordinate, h = sqrt(eps) max(|x|, 1)."""
    base = f(f.start)
    found = np.empty_like(f.start)
    for k, (x, eps) in enumerate(zip(f.start, f.eps, strict=True)):
        up, there = f.moved(k, x + eps**0.5 * max(abs(x), 1.0))
        found[k] = (up - base) / (there - x)
    return found


def two_sided(f: Function) -> np.ndarray:
    """(f(x + h) - f(x - h)) / 2h for each coordinate, h = cbrt(eps) max(|x|, 1)."""
    found = np.empty_like(f.start)
    for k, (x, eps) in enumerate(zip(f.start, f.eps, strict=True)):
        h = eps ** (1 / 3) * max(abs(x), 1.0)
        (up, right), (down, left) = f.moved(k, x + h), f.moved(k, x - h)
        found[k] = (up - down) / (right - left)
    return found


class Chained(NamedTuple):
    """What chained limits give: the gradient, and the slopes of operations on single numbers.

    `evaluations` counts how often operations were evaluated for it.
    """

    cotangents: list[np.ndarray]
    slopes: dict[Place, float]
    evaluations: int


def chained(seen: Observation, output: Step) -> Chained:
    """Local derivatives of every operation by one-sided limits, multiplied along the graph."""
    cts: dict[Step, np.ndarray] = {output: np.ones(np.shape(output.value))}
    slopes: dict[Place, float] = {}
    evaluations = 0
    for step in reversed(seen.steps):
        ct = cts.get(step)
        if ct is None:
            continue
        for position, x in enumerate(step.operands):
            if not isinstance(x, Step) or not x.flows:
                continue
            term, changes = turned(step, position, ct)
            evaluations += len(changes)
            cts[x] = cts.get(x, 0.0) + term
            real = np.asarray(step.value).dtype.kind != "c"
            if real and np.size(x.value) == np.size(step.value) == len(changes) == 1:
                slopes[step, position] = float(np.reshape(changes[0], ()))
    zeros = [np.zeros(np.shape(x.value)) for x in seen.inputs]
    found = [cts.get(x, zero) for x, zero in zip(seen.inputs, zeros, strict=True)]
    return Chained(found, slopes, evaluations)


def turned(step: Step, position: int, ct: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The cotangent of one operand, and the change of the result by each of its coordinates.

    For complex numbers a gradient is dL/dRe + i dL/dIm, and dL = Re(conj(ct) dy).
    """
    xs = values_of(step)
    x = np.asarray(xs[position])
    h = eps_of(x.dtype) ** 0.5
    term = np.zeros(x.shape, complex if x.dtype.kind == "c" else float)
    changes = []
    for index in np.ndindex(x.shape):
        for unit in (1.0, 1j) if x.dtype.kind == "c" else (1.0,):
            moved = x.copy()
            moved[index] += unit * h * max(abs(x[index]), 1.0)
            went = float(abs(moved[index] - x[index]))
            y = evaluated(step, [*xs[:position], moved[()], *xs[position + 1 :]])
            changes.append((y - np.asarray(step.value)) / went)
            term[index] += unit * float(np.sum(np.real(np.conj(ct) * changes[-1])))
    return term, changes


def evaluated(step: Step, xs: list[Value]) -> np.ndarray:
    """The operation of a step on other operands."""
    node = step.node
    return np.asarray(node.primitive.evaluate(*xs) if isinstance(node, Equation) else step.value)


def cannot_chain(seen: Observation, most: int, work: int) -> str:
    """Why operations cannot be chained by limits, or "": `most` evaluations of `work` elements."""
    evaluations = elements = 0
    for step in seen.steps:
        node = step.node
        if not step.flows or not isinstance(node, Equation):
            continue
        if node.is_several or isinstance(node.primitive, Part):
            return "an operation has several results"
        for x in step.operands:
            if isinstance(x, Step) and x.flows:
                evaluations += np.size(x.value)
                elements += np.size(x.value) * max(np.size(x.value), np.size(step.value))
    if evaluations > most or elements > work:
        return f"it takes {evaluations:,} operations on arrays"
    return ""
