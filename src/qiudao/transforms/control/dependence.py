"""What in a program depends on what: which carries have tangents, cotangents or a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.avals import is_inexact
from ...core.node import Equation, Node
from ...core.program import Program, has_several, operands_of

Flags = Sequence[bool]


def passes_derivative(node: Node) -> bool:
    """Whether a derivative may pass a node: not where it is a constant, nor an integer."""
    if isinstance(node, Equation) and node.primitive.is_constant:
        return False
    return has_several(node) or is_inexact(node.dtype)


def depending(program: Program, given: Flags, smooth: bool) -> set[Node]:
    """The nodes that depend on the `given` inputs; `smooth`: by way of what has a derivative."""
    found: set[Node] = {
        leaf for leaf, mine in zip(program.inputs, given, strict=True)
        if mine and (not smooth or passes_derivative(leaf))
    }  # fmt: skip
    for equation in program.equations:
        if (not smooth or passes_derivative(equation)) and any(
            isinstance(x, Node) and x in found for x in operands_of(equation)
        ):
            found.add(equation)
    return found


def moved(program: Program, given: Flags, smooth: bool = True) -> list[bool]:
    """Whether each output depends on the `given` inputs."""
    found = depending(program, given, smooth)
    return [isinstance(y, Node) and y in found for y in program.outputs]


def reached(program: Program, given: Flags, alive: Flags) -> list[bool]:
    """Which of the `given` inputs a cotangent of the `alive` outputs comes to."""
    between = depending(program, given, smooth=True)
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
