"""Loops and branches that compute only the results that are read, from only what they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..core.avals import Aval
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, is_read, operands_of
from ..ops.control import Scan, Switch, While
from .prune import prune


class Narrowed(NamedTuple):
    """A narrower primitive, its operands, and where each result that is left stood before."""

    primitive: Primitive
    operands: Sequence[Atom]
    results: Sequence[int]


def narrow(program: Program) -> Program:
    """The program with every loop and branch narrowed to the results that are read."""
    read: dict[Node, set[int]] = {}
    for equation in program.equations:
        if isinstance(equation.primitive, Part):
            read.setdefault(operands_of(equation)[0], set()).add(equation.primitive.index)
    if not read:
        return program
    defined: dict[Node, Atom] = {}
    places: dict[Node, Sequence[int]] = {}
    equations: list[Equation] = []
    for equation in program.equations:
        operands: Sequence[Atom] = [
            defined.get(x, x) if isinstance(x, Node) else x for x in operands_of(equation)
        ]
        primitive = equation.primitive
        if isinstance(primitive, Part):
            left = places.get(operands_of(equation)[0])
            if left is not None:
                primitive = Part(left.index(primitive.index), len(left))
        found = narrower(primitive, operands, read.get(equation, set()))
        if found is not None:
            primitive, operands, places[equation] = found
        aval = None if equation.is_several else Aval(equation.shape, equation.dtype)
        made = apply(primitive, operands, aval, equation)
        defined[equation] = made
        equations.append(made)
    outputs = [defined.get(y, y) if isinstance(y, Node) else y for y in program.outputs]
    return Program(program.inputs, equations, outputs)


def narrower(primitive: Primitive, operands: Sequence[Atom], read: set[int]) -> Narrowed | None:
    """The primitive with only these results, or None where it has no bodies."""
    if isinstance(primitive, Scan):
        return narrow_scan(primitive, operands, read)
    if isinstance(primitive, While):
        return narrow_while(primitive, operands, read)
    if isinstance(primitive, Switch):
        return narrow_switch(primitive, operands, read)
    return None


def chosen(program: Program, outputs: Sequence[int]) -> Program:
    """The program with some of its outputs."""
    return prune(Program(program.inputs, program.equations, [program.outputs[k] for k in outputs]))


def with_inputs(program: Program, inputs: Sequence[int]) -> Program:
    """The program with some of its inputs: it reads no others."""
    return Program([program.inputs[k] for k in inputs], program.equations, program.outputs)


def needed_carries(
    programs: Sequence[Program], start: set[int], constants: int, carries: int
) -> set[int]:
    """The carries that are needed for those of `start`: what a step of them reads, and so on.

    The last of `programs` is the body, whose first outputs are the carry; the others are read
    whole.
    """
    *conditions, body = programs
    needed = set(start)
    for condition in conditions:
        reads = is_read(condition)
        needed |= {k for k in range(carries) if reads[constants + k]}
    while True:
        others = [k for k in range(carries, len(body.outputs)) if k in needed]
        reads = is_read(chosen(body, [*sorted(k for k in needed if k < carries), *others]))
        more = needed | {k for k in range(carries) if reads[constants + k]}
        if more == needed:
            return needed
        needed = more


def narrow_scan(scan: Scan, operands: Sequence[Atom], read: set[int]) -> Narrowed:
    """Without carries, ys and records that nothing needs."""
    c, n = scan.constants, scan.carries
    count = len(scan.body.outputs)
    record = any(k >= count for k in read)
    start = {k for k in read if k < count} | {k - count for k in read if k >= count}
    outputs = sorted(needed_carries([scan.body], start, c, n))
    carries = [k for k in outputs if k < n]
    body = chosen(scan.body, outputs)
    reads = is_read(body)
    kept = [
        k for k in range(len(body.inputs))
        if (k - c in carries if c <= k < c + n else reads[k])
    ]  # fmt: skip
    constants = sum(k < c for k in kept)
    narrowed = Scan(
        with_inputs(body, kept), constants, len(carries), scan.length, scan.reverse, record
    )
    results = [*outputs, *(count + k for k in carries if record)]
    return Narrowed(narrowed, [operands[k] for k in kept], results)


def narrow_while(loop: While, operands: Sequence[Atom], read: set[int]) -> Narrowed:
    """Without carries that nothing needs, and without the record where nothing reads it."""
    c, n = loop.constants, loop.carries
    record = loop.capacity and any(k > n for k in read)
    start = {k for k in read if k < n} | {k - n - 1 for k in read if k > n}
    carries = sorted(needed_carries([loop.condition, loop.body], start, c, n))
    body = chosen(loop.body, carries)
    reads = [a or b for a, b in zip(is_read(body), is_read(loop.condition), strict=True)]
    kept = [k for k in range(c) if reads[k]]
    places = [*kept, *(c + k for k in carries)]
    narrowed = While(
        with_inputs(loop.condition, places), with_inputs(body, places), len(kept), len(carries),
        loop.capacity if record else 0, loop.capacity or loop.bound,
    )  # fmt: skip
    results = [*carries, n, *(n + 1 + k for k in carries if record)]
    return Narrowed(narrowed, [operands[k] for k in places], results)


def narrow_switch(switch: Switch, operands: Sequence[Atom], read: set[int]) -> Narrowed:
    """Without results that nothing reads, and operands that no branch does."""
    outputs = sorted(read)
    branches = [chosen(branch, outputs) for branch in switch.branches]
    reads = [any(row) for row in zip(*map(is_read, branches), strict=True)]
    kept = [k for k, used in enumerate(reads) if used]
    narrowed = Switch(tuple(with_inputs(branch, kept) for branch in branches))
    return Narrowed(narrowed, [operands[0], *(operands[k + 1] for k in kept)], outputs)
