"""A loop taken apart, so that passes can change what it carries, reads and stacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.node import Equation, Leaf, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, operands_of, stated
from ..ops.control import Scan
from ..ops.shaping import Reshape, Stretch
from .prune import prune


class Carry:
    """What a loop carries: an input of its body, its first value, and what the body makes of it."""

    def __init__(self, leaf: Node, first: Atom, out: Atom) -> None:
        self.leaf = leaf
        self.first = first
        self.out = out


class Stacked:
    """A result of a loop that has a row for each step."""

    def __init__(self, out: Atom) -> None:
        self.out = out


class Recorded:
    """The record of a carry."""

    def __init__(self, carry: Carry) -> None:
        self.carry = carry


Result = Carry | Stacked | Recorded


class Writer:
    """Writes a program anew, most of it as it was."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.equations: list[Equation] = []
        self.defined: dict[Node, Atom] = {}

    def atom(self, x: Atom) -> Atom:
        """What stands for an atom."""
        return self.defined.get(x, x) if isinstance(x, Node) else x

    def copy(self, e: Equation) -> None:
        """An equation as it is, of what stands for its operands."""
        operands = operands_of(e)
        changed = [self.atom(x) for x in operands]
        made = e
        if any(a is not b for a, b in zip(changed, operands, strict=True)):
            aval = None if e.is_several else Aval(e.shape, e.dtype)
            made = apply(e.primitive, changed, aval, e)
            self.defined[e] = made
        self.equations.append(made)

    def put(self, primitive: Primitive, operands: Sequence[Atom], like: Equation) -> Equation:
        """A new equation."""
        aval = (
            Aval(like.shape, like.dtype)
            if isinstance(primitive, Part)
            else stated(primitive, operands)
        )
        made = apply(primitive, operands, aval, like)
        self.equations.append(made)
        return made

    def part(self, whole: Equation, index: int, count: int, aval: Aval) -> Equation:
        """One result of an equation with several."""
        made = apply(Part(index, count), (whole,), aval, whole)
        self.equations.append(made)
        return made

    def written(self) -> Program:
        """The new program."""
        outputs = [self.atom(y) for y in self.program.outputs]
        return Program(self.program.inputs, self.equations, outputs)


class Loop:
    """A scan as lists: what it reads, carries, steps through, computes and stacks."""

    def __init__(self, equation: Equation, operands: Sequence[Atom]) -> None:
        scan: Any = equation.primitive
        c, n = scan.constants, scan.carries
        body = scan.body
        self.equation = equation
        self.scan: Scan = scan
        self.constants: list[tuple[Node, Atom]] = list(zip(body.inputs[:c], operands[:c]))
        self.carries = [
            Carry(*each)
            for each in zip(
                body.inputs[c : c + n], operands[c : c + n], body.outputs[:n], strict=True
            )
        ]
        self.slices: list[tuple[Node, Atom]] = list(zip(body.inputs[c + n :], operands[c + n :]))
        self.stacked = [Stacked(y) for y in body.outputs[n:]]
        self.equations: Sequence[Equation] = body.equations
        self.record = scan.record
        self.before: list[Result] = [*self.carries, *self.stacked]
        if scan.record:
            self.before += [Recorded(carry) for carry in self.carries]
        self.replaced: dict[Node, Atom] = {}  # in the body
        self.results: dict[Result, Atom] = {}  # outside, of those that the loop no longer makes
        self.after: list[Callable[[Writer, dict[Result, Atom]], None]] = []  # what is left to do

    @property
    def length(self) -> int:
        """The number of steps."""
        return self.scan.length

    def given(self, operands: Sequence[Atom]) -> None:
        """What stands outside for the operands that the loop was opened with."""
        ends = iter(operands)
        self.constants = [(leaf, next(ends)) for leaf, _ in self.constants]
        for carry in self.carries:
            carry.first = next(ends)
        self.slices = [(leaf, next(ends)) for leaf, _ in self.slices]

    def replace(self, inner: Node, by: Atom) -> None:
        """In the body, read an atom instead of what was computed or given there."""
        self.replaced[inner] = by

    def constant(self, outside: Atom) -> Leaf:
        """A new constant of the loop."""
        aval = aval_of(outside)
        leaf = Leaf(aval.shape, aval.dtype)
        self.constants.append((leaf, outside))
        return leaf

    def slice_of(self, stack: Atom) -> Leaf:
        """The rows of an array, one a step; those of one array are given once."""
        for leaf, known in self.slices:
            if known is stack and isinstance(leaf, Leaf):
                return leaf
        aval = aval_of(stack)
        leaf = Leaf(aval.shape[1:], aval.dtype)
        self.slices.append((leaf, stack))
        return leaf

    def stack(self, inner: Atom) -> Stacked:
        """A new result with a row for each step."""
        made = Stacked(inner)
        self.stacked.append(made)
        return made

    def outs(self) -> list[Atom]:
        """The outputs of the body: the next carry, and what is stacked."""
        return [*(carry.out for carry in self.carries), *(y.out for y in self.stacked)]

    def body(self) -> Program:
        """The body as it is now."""
        leaves = [leaf for leaf, _ in self.constants]
        leaves += [carry.leaf for carry in self.carries]
        leaves += [leaf for leaf, _ in self.slices]
        return prune(substituted(Program(leaves, self.equations, self.outs()), self.replaced))

    def close(self, writer: Writer) -> dict[Result, Atom]:
        """Write the loop; gives what stands for each of its results."""
        body = self.body()
        read = {x for e in body.equations for x in operands_of(e) if isinstance(x, Node)}
        read.update(y for y in body.outputs if isinstance(y, Node))
        constants = [(leaf, x) for leaf, x in self.constants if leaf in read]
        slices = [(leaf, x) for leaf, x in self.slices if leaf in read]
        leaves = [leaf for leaf, _ in constants]
        leaves += [carry.leaf for carry in self.carries]
        leaves += [leaf for leaf, _ in slices]
        scan = Scan(
            Program(leaves, body.equations, body.outputs), len(constants), len(self.carries),
            self.length, self.scan.reverse, self.record,
        )  # fmt: skip
        operands = [x for _, x in constants]
        operands += [carry.first for carry in self.carries]
        operands += [x for _, x in slices]
        whole = apply(scan, operands, None, self.equation)
        writer.equations.append(whole)
        avals = scan.shape(*map(aval_of, operands))
        made: list[Result] = [*self.carries, *self.stacked]
        if self.record:
            made += [r for c in self.carries for r in self.before
                     if isinstance(r, Recorded) and r.carry is c]  # fmt: skip
        found = dict(self.results)
        for k, (result, aval) in enumerate(zip(made, avals, strict=True)):
            found[result] = writer.part(whole, k, len(made), aval)
        for finish in self.after:
            finish(writer, found)
        return found


def substituted(program: Program, replaced: dict[Node, Atom]) -> Program:
    """The program that reads other atoms instead of some of its own."""
    if not replaced:
        return program
    defined = dict(replaced)
    equations: list[Equation] = []
    for e in program.equations:
        if e in replaced:
            continue
        operands = operands_of(e)
        changed = [defined.get(x, x) if isinstance(x, Node) else x for x in operands]
        made = e
        if any(a is not b for a, b in zip(changed, operands, strict=True)):
            aval = None if e.is_several else Aval(e.shape, e.dtype)
            made = apply(e.primitive, changed, aval, e)
            defined[e] = made
        equations.append(made)
    outputs = [defined.get(y, y) if isinstance(y, Node) else y for y in program.outputs]
    return Program(program.inputs, equations, outputs)


def each_loop(program: Program, change: Callable[[Loop, Writer], bool]) -> Program:
    """The program with each scan offered to `change`, which says whether it changed it."""
    if not any(isinstance(e.primitive, Scan) for e in program.equations):
        return program
    writer = Writer(program)
    results: dict[Node, tuple[list[Result], dict[Result, Atom]]] = {}
    changed = False
    for e in program.equations:
        if isinstance(e.primitive, Scan):
            loop = Loop(e, [writer.atom(x) for x in operands_of(e)])
            if change(loop, writer):
                changed = True
                results[e] = (loop.before, loop.close(writer))
                continue
        elif isinstance(e.primitive, Part) and operands_of(e)[0] in results:
            before, now = results[operands_of(e)[0]]
            writer.defined[e] = now[before[e.primitive.index]]
            continue
        writer.copy(e)
    return writer.written() if changed else program


def typed(x: Atom, leaf: Node) -> Atom:
    """What enters a loop as `leaf`: numbers in its dtype, as they are inside."""
    return x if isinstance(x, Node) else np.asarray(x, leaf.dtype)[()]


def repeated(writer: Writer, x: Atom, length: int, like: Equation) -> Atom:
    """An array with `x` as each of its `length` rows."""
    shape = aval_of(x).shape
    row = writer.put(Reshape((1, *shape)), (x,), like)
    return writer.put(Stretch((length, *shape)), (row,), like)


def emitted(
    equations: Iterable[Equation],
    known: dict[Node, Atom],
    writer: Writer,
) -> None:
    """Write equations of a body outside of it, where `known` says what its inputs are there."""
    for e in equations:
        operands = [known.get(x, x) if isinstance(x, Node) else x for x in operands_of(e)]
        known[e] = writer.put(e.primitive, operands, e)


def cone(wanted: Collection[Equation], among: Collection[Node]) -> set[Equation]:
    """The equations among these that some of them depend on, themselves included."""
    found: set[Equation] = set()
    stack = list(wanted)
    while stack:
        e = stack.pop()
        if e in found or e not in among:
            continue
        found.add(e)
        stack.extend(x for x in operands_of(e) if isinstance(x, Equation))
    return found
