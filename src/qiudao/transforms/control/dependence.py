"""What in a program depends on what: which carries have tangents, cotangents or a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...core.avals import is_inexact
from ...core.node import Equation, Node
from ...core.parts import Part
from ...core.program import Program, operands_of
from ...ops.control import Scan, Structured, Switch, While

Flags = Sequence[bool]


def passes_derivative(node: Node) -> bool:
    """Whether a derivative may pass a node: not where it is a constant, nor an integer."""
    if isinstance(node, Equation) and node.primitive.is_constant:
        return False
    several: Any = node.shape is None
    return several or is_inexact(node.dtype)


def depending(program: Program, given: Flags, smooth: bool, whole: bool) -> set[Node]:
    """The nodes that depend on the `given` inputs; `smooth`: by way of what has a derivative.

    Of the results of an inner loop or branch those count that depend on them, or all when `whole`.
    """
    found: set[Node] = {
        leaf for leaf, mine in zip(program.inputs, given, strict=True)
        if mine and (not smooth or passes_derivative(leaf))
    }  # fmt: skip
    parts: dict[Node, Flags] = {}  # of each inner loop or branch, which results depend
    for equation in program.equations:
        if smooth and not passes_derivative(equation):
            continue
        flags = [isinstance(x, Node) and x in found for x in operands_of(equation)]
        primitive = equation.primitive
        if not any(flags):
            continue
        if isinstance(primitive, Part):
            source = operands_of(equation)[0]
            if source in parts and not parts[source][primitive.index]:
                continue
        elif isinstance(primitive, Structured) and not whole:
            parts[equation] = results_moved(primitive, flags, smooth)
        found.add(equation)
    return found


def results_moved(primitive: Structured, given: Flags, smooth: bool) -> list[bool]:
    """Which results of a loop or branch depend on the `given` operands."""
    if isinstance(primitive, Scan):
        c, n = primitive.constants, primitive.carries
        constants, carry, xs = given[:c], given[c : c + n], given[c + n :]
        body = primitive.body
        carry = fixpoint(lambda v: moved(body, [*constants, *v, *xs], smooth)[:n], carry)
        flags = moved(body, [*constants, *carry, *xs], smooth)
        return [*carry, *flags[n:], *(carry if primitive.record else [])]
    if isinstance(primitive, Switch):
        if given[0] and not smooth:
            return [True] * len(primitive.branches[0].outputs)
        columns = [moved(branch, given[1:], smooth) for branch in primitive.branches]
        return [any(column) for column in zip(*columns, strict=True)]
    if isinstance(primitive, While):
        constants, carry = given[: primitive.constants], given[primitive.constants :]
        body = primitive.body
        carry = fixpoint(lambda v: moved(body, [*constants, *v], smooth), carry)
        decides = not smooth and any(moved(primitive.condition, [*constants, *carry], smooth))
        carry = [flag or decides for flag in carry]
        return [*carry, decides, *(carry if primitive.capacity else [])]
    return [True] * len(primitive.shape())


def moved(program: Program, given: Flags, smooth: bool = True, whole: bool = False) -> list[bool]:
    """Whether each output depends on the `given` inputs."""
    found = depending(program, given, smooth, whole)
    return [isinstance(y, Node) and y in found for y in program.outputs]


def reached(program: Program, given: Flags, alive: Flags) -> list[bool]:
    """Which of the `given` inputs a cotangent of the `alive` outputs comes to."""
    between = depending(program, given, smooth=True, whole=False)
    found: set[Node] = {
        y for y, mine in zip(program.outputs, alive, strict=True) if mine and isinstance(y, Node)
    }
    for equation in reversed(program.equations):
        if equation in found:
            found.update(x for x in operands_of(equation) if isinstance(x, Node) and x in between)
    return [leaf in found and leaf in between for leaf in program.inputs]


def fixpoint(step: Callable[[list[bool]], Flags], start: Flags) -> list[bool]:
    """The least flags that contain `start` and all that `step` makes of them."""
    flags = list(start)
    while True:
        grown = [a or b for a, b in zip(flags, step(flags), strict=True)]
        if grown == flags:
            return flags
        flags = grown


def pruned(program: Program) -> Program:
    """The program without the equations that no output reads."""
    needed = {y for y in program.outputs if isinstance(y, Node)}
    kept = []
    for equation in reversed(program.equations):
        if equation in needed:
            kept.append(equation)
            needed.update(x for x in operands_of(equation) if isinstance(x, Node))
    return Program(program.inputs, reversed(kept), program.outputs)


def inputs_read(program: Program) -> list[bool]:
    """Whether each input is read by an equation or an output."""
    read = {x for equation in program.equations for x in operands_of(equation)
            if isinstance(x, Node)}  # fmt: skip
    read.update(y for y in program.outputs if isinstance(y, Node))
    return [leaf in read for leaf in program.inputs]
