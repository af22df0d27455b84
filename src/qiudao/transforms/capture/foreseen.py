"""What a tried loop computes from the number of its step alone: evaluated ahead, for all steps.

for i in range(1, n):          i, i - 1, t and (i % 3 == 0) are known at every step, and become
    t = t + h                  arrays along the steps
    z[i] = z[i - 1] * t
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import aval_of
from ...core.families import Elementwise
from ...core.node import Equation, Leaf, Node
from ...core.program import Atom, Program, operands_of
from .outcomes import end_trial

LARGEST = 2**31  # integers below it neither overflow when added nor when multiplied
MOST = 10**7  # elements that are computed ahead


class Carry(NamedTuple):
    """A carried value: its symbol in the step, what it starts with, and what a step makes of it."""

    leaf: Leaf
    start: Any
    out: Atom

    @property
    def is_known(self) -> bool:
        """Whether it is known at the start."""
        return isinstance(self.start, np.ndarray | np.generic | bool | int | float | complex)


class Foreseen:
    """The nodes of a step that are known ahead: `stacks` holds their values, by step."""

    def __init__(
        self, program: Program, count: Node, carries: Sequence[Carry], unknown: Sequence[Node],
        length: int,
    ) -> None:  # fmt: skip
        self.program = program
        self.count = count
        self.length = length
        self.carries = carries
        self.dark = self.depending(unknown)
        self.known = [c for c in carries if c.leaf not in self.dark]
        self.equations = [e for e in program.equations if e not in self.dark]
        self.stacks: dict[Node, Any] = {}
        self.last: dict[Leaf, Any] = {}
        self.evaluate()

    def depending(self, unknown: Sequence[Node]) -> set[Node]:
        """The nodes that hang on what is not known."""
        found: set[Node] = {*unknown, *(c.leaf for c in self.carries if not c.is_known)}
        size = -1
        while size != len(found):
            size = len(found)
            for equation in self.program.equations:
                if any(isinstance(x, Node) and x in found for x in operands_of(equation)):
                    found.add(equation)
            found.update(c.leaf for c in self.carries if isinstance(c.out, Node) and c.out in found)
        return found

    def knows(self, x: Atom) -> bool:
        """Whether an operand is known ahead, or a constant."""
        return not isinstance(x, Node) or x not in self.dark

    def evaluate(self) -> None:
        """Compute what is known for all steps."""
        nodes: list[Any] = [*(c.leaf for c in self.known), *self.equations]
        wanted = [x for x in nodes if x.shape is not None]  # not of several results
        elements = sum(int(np.prod(x.shape, dtype=int)) for x in wanted) * self.length
        if elements > MOST:
            end_trial("too much is known ahead")
        self.stacks[self.count] = np.arange(self.length)
        with np.errstate(all="ignore"):
            if not self.known and all(is_scalar(e) for e in self.equations):
                self.at_once()
            else:
                self.one_by_one(wanted)
        for x in self.stacks.values():
            if x.dtype.kind == "i" and x.size and np.max(np.abs(x)) >= LARGEST:
                end_trial("integers might overflow")
            if x.dtype.kind == "u" or (x.dtype.kind in "ifc" and is_narrow(x.dtype)):
                end_trial("numbers of the step in less than Python's precision")

    def at_once(self) -> None:
        """Every equation on the values of all steps."""
        for e in self.equations:
            xs = [self.stacks[x] if isinstance(x, Node) else x for x in operands_of(e)]
            self.stacks[e] = np.broadcast_to(e.primitive(*xs), (self.length,))

    def one_by_one(self, wanted: list[Any]) -> None:
        """The steps in turn."""
        leaves = [c.leaf for c in self.known]
        outs = [c.out for c in self.known]
        step = Program([self.count, *leaves], self.equations, [*outs, *wanted])
        held = [c.start for c in self.known]
        rows: list[list[Any]] = []
        for k in range(self.length):
            made = step(k, *held)
            held, row = made[: len(outs)], made[len(outs) :]
            rows.append([np.asarray(x) for x in row])
        for x, column in zip(wanted, zip(*rows, strict=True), strict=True):
            self.stacks[x] = np.stack(column)
        self.last = dict(zip(leaves, held, strict=True))


def is_scalar(e: Equation) -> bool:
    """Whether an equation is elementwise, and on single numbers."""
    return isinstance(e.primitive, Elementwise) and all(
        aval_of(x).shape == () for x in (e, *operands_of(e))
    )


def is_narrow(dtype: Any) -> bool:
    """Whether numbers have less than Python's precision."""
    return bool(dtype.itemsize < (16 if dtype.kind == "c" else 8))
