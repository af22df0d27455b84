"""Blocks of rows: what treats each row of long arrays alike is run for a few rows at a time.

A chain of operations on arrays of n rows writes and reads each array between as a whole; where
these do not fit into the cache, memory is what takes the time.  This pass finds the equations that
work row by row and makes one `Rows` of them, whose body is the same computation on a block of rows
that does fit.

An atom is *aligned* where row i of it depends on row i of other aligned atoms only, and on atoms
that are whole.  Sums over the rows end it: each block adds its part.  What needs a finished sum
comes in a later `Rows` (a later *stage*).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..core.avals import Aval, aval_of
from ..core.families import Elementwise
from ..core.node import Equation, Leaf, Node
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, operands_of, stated
from ..ops.control import Rows
from ..ops.einsum import Einsum, split
from ..ops.indexing import GetItem, Place
from ..ops.products import MatMul
from ..ops.reducing import Max, Min, Prod, Sum, Truth
from ..ops.shaping import Cast, Concatenate, Copy, Flip, Reshape, Stretch, Transpose

CACHE = 1 << 18  # bytes that the arrays of a block may take
WORTH = 1 << 19  # bytes between, from which blocks pay
LEAST = 8  # equations, likewise

WHOLE, ALIGNED, SUMMED = range(3)
CHEAP = {"add", "subtract", "multiply", "negative", "where", "step", "square", "power"}
REDUCTIONS = (Sum, Prod, Max, Min, Truth)


def by_rows(program: Program) -> Program:
    """The program with what it does row by row in blocks, where that keeps much out of memory."""
    for n in lengths(program):
        found = Blocks(program, n)
        if found.pays():
            return found.written()
    return program


def lengths(program: Program) -> list[int]:
    """The leading lengths of the largest arrays between, the most bytes first."""
    held: dict[int, int] = {}
    for e in (*program.inputs, *program.equations):
        if e.shape:
            count = math.prod(e.shape) * e.dtype.itemsize
            held[e.shape[0]] = held.get(e.shape[0], 0) + count
    return sorted((n for n, b in held.items() if n >= 16 and b >= WORTH), key=lambda n: -held[n])


class Blocks:
    """The equations of a program that work by rows of arrays of `length` rows."""

    def __init__(self, program: Program, length: int) -> None:
        self.program = program
        self.length = length
        self.kind: dict[Node, int] = {}
        self.stage: dict[Node, int] = {}
        self.reads = {y for y in program.outputs if isinstance(y, Node)}
        for e in program.equations:
            self.look(e)

    def is_long(self, x: Atom) -> bool:
        """Whether an atom has as many rows."""
        aval = aval_of(x) if not isinstance(x, Node) or not x.is_several else None
        return aval is not None and aval.ndim > 0 and aval.shape[0] == self.length

    def look(self, e: Equation) -> None:
        """Whether an equation is aligned, ends in a sum over rows, or is whole; its stage."""
        operands = operands_of(e)
        known = [x for x in operands if isinstance(x, Node)]
        kind = WHOLE
        rule = RULES.get(type(e.primitive), elementwise)
        if not e.is_several and any(map(self.is_long, operands)):
            kind = rule(self, e, operands)
        elif isinstance(e.primitive, Stretch) and self.is_long(e):
            kind = stretched(self, e, operands)
        self.kind[e] = kind
        stage = 0
        for x in known:
            if self.kind.get(x) == SUMMED:
                stage = max(stage, self.stage[x] + 1)
            elif kind == WHOLE and self.kind.get(x) == ALIGNED:
                stage = max(stage, self.stage[x] + 1)  # it needs all rows
            else:
                stage = max(stage, self.stage.get(x, 0))
        self.stage[e] = stage

    def is_moved(self, x: Atom) -> bool:
        """Whether an atom is computed by rows."""
        return isinstance(x, Node) and self.kind.get(x) == ALIGNED

    def between(self) -> int:
        """Bytes of aligned arrays that need not be written."""
        return sum(
            math.prod(e.shape) * e.dtype.itemsize
            for e, kind in self.kind.items()
            if kind == ALIGNED and e not in self.reads
        )

    def reread(self, rows: Collection[Equation]) -> int:
        """Bytes of arrays from outside that products read again, block by block from the cache."""
        readers: Counter[Node] = Counter()
        for e in rows:
            if self.kind[e] != WHOLE and isinstance(e.primitive, MatMul | Einsum):
                readers.update(
                    x
                    for k, x in enumerate(operands_of(e))
                    if isinstance(x, Node) and not self.is_moved(x) and self.is_sliced(e, k, x)
                )
        return sum(
            (count - 1) * math.prod(x.shape) * x.dtype.itemsize for x, count in readers.items()
        )

    def pays(self) -> bool:
        """Whether blocks keep enough out of memory, which one loop over all rows would not.

        What is elementwise, all of one shape, and ends in sums is one loop as it is.
        """
        count = sum(kind != WHOLE for kind in self.kind.values())
        shapes = {e.shape for e, kind in self.kind.items() if kind == ALIGNED}
        chain = len(shapes) > 1 and count >= LEAST and self.between() >= WORTH
        return chain or self.reread(self.program.equations) >= WORTH

    # Writing

    def written(self) -> Program:
        """The program with a `Rows` for each stage that is worth one."""
        self.defined: dict[Node, Atom] = {}
        self.equations: list[Equation] = []
        self.place = {e: k for k, e in enumerate(self.program.equations)}
        stages: dict[int, list[Equation]] = {}
        for e in self.program.equations:
            stages.setdefault(self.stage[e], []).append(e)
        groups = {
            stage: self.with_cheap([e for e in own if self.kind[e] != WHOLE])
            for stage, own in stages.items()
            if self.is_worth([e for e in own if self.kind[e] != WHOLE])
        }
        taken = {e for stage in groups for e in stages[stage] if self.kind[e] != WHOLE}
        self.needed = set(self.reads)
        for e in self.program.equations:
            if e not in taken:
                self.needed.update(x for x in operands_of(e) if isinstance(x, Node))
        for group in groups.values():
            inside = set(group)
            self.needed.update(
                x for e in group for x in operands_of(e) if isinstance(x, Node) and x not in inside
            )
        for stage in sorted(stages):
            for e in stages[stage]:  # what is whole on this stage reads earlier stages only
                if e not in taken:
                    self.copy(e)
            if stage in groups:
                self.write_rows(groups[stage], {e for e in stages[stage] if e in taken})
        outputs = [self.defined.get(y, y) if isinstance(y, Node) else y
                   for y in self.program.outputs]  # fmt: skip
        return Program(self.program.inputs, self.equations, outputs)

    def is_worth(self, rows: Sequence[Equation]) -> bool:
        """Whether the equations of a stage keep much out of memory."""
        own = set(rows)
        outside = {
            x
            for e in self.program.equations
            if e not in own
            for x in operands_of(e)
            if isinstance(x, Node)
        } | self.reads
        between = sum(
            math.prod(e.shape) * e.dtype.itemsize
            for e in rows
            if self.kind[e] == ALIGNED and e not in outside
        )
        return between >= WORTH or self.reread(own) >= WORTH

    def with_cheap(self, rows: Sequence[Equation]) -> list[Equation]:
        """The equations of a stage, and what it computes again rather than reads from memory."""
        found = set(rows)
        stack = list(rows)
        while stack:
            for x in operands_of(stack.pop()):
                if isinstance(x, Equation) and x not in found and self.is_cheap(x):
                    found.add(x)
                    stack.append(x)
        return sorted(found, key=self.place.__getitem__)

    def is_cheap(self, e: Equation) -> bool:
        """Whether an aligned equation takes less to compute than to write and read."""
        return self.kind[e] == ALIGNED and (
            e.primitive.name in CHEAP or isinstance(e.primitive, Reshape | Stretch | Cast)
        )

    def atom(self, x: Atom) -> Atom:
        return self.defined.get(x, x) if isinstance(x, Node) else x

    def copy(self, e: Equation) -> None:
        """An equation as it is."""
        aval = None if e.is_several else Aval(e.shape, e.dtype)
        made = apply(e.primitive, [self.atom(x) for x in operands_of(e)], aval, e)
        self.defined[e] = made
        self.equations.append(made)

    def write_rows(self, rows: Sequence[Equation], mine: set[Equation]) -> None:
        """One `Rows` for aligned equations and the sums that they end in.

        Those that are not `mine` are computed again: their values are there already.
        """
        own = set(rows)
        ys = [e for e in rows if e in mine and self.kind[e] == ALIGNED and e in self.needed]
        sums = [e for e in rows if e in mine and self.kind[e] == SUMMED]
        constants: dict[Any, Atom] = {}
        blocks: dict[Any, Atom] = {}
        for e in rows:
            for k, x in enumerate(operands_of(e)):
                if isinstance(x, Node) and x in own:
                    continue
                if self.is_sliced(e, k, x):
                    blocks[key(x)] = x
                elif isinstance(x, Node):
                    constants[key(x)] = x
        block = self.block_of(rows, list(blocks.values()))
        bodies = [
            self.body(rows, constants, blocks, (*ys, *sums), size)
            for size in (block, self.length % block)
            if size
        ]
        primitive = Rows(
            bodies[0], bodies[1] if len(bodies) > 1 else None,
            len(constants), len(sums), self.length, block,
        )  # fmt: skip
        operands = [self.atom(x) for x in (*constants.values(), *blocks.values())]
        whole = apply(primitive, operands, None, rows[0])
        self.equations.append(whole)
        results = (*ys, *sums)
        for k, e in enumerate(results):
            part = apply(Part(k, len(results)), (whole,), Aval(e.shape, e.dtype), e)
            self.equations.append(part)
            self.defined[e] = part

    def is_sliced(self, e: Equation, k: int, x: Atom) -> bool:
        """Whether operand `k` of an equation is read by rows."""
        if not self.is_long(x):
            return False
        primitive = e.primitive
        if isinstance(primitive, Elementwise | Cast):
            return len(aval_of(x).shape) == max(len(aval_of(y).shape) for y in operands_of(e))
        if isinstance(primitive, MatMul):
            first, second = (len(aval_of(y).shape) for y in operands_of(e))
            return k == 0 or second > 2 or first == 1
        if isinstance(primitive, Einsum):
            a, b, _ = split(primitive.spec)
            return self.letter(e) == (a, b)[k][:1]
        if isinstance(primitive, Stretch):
            return len(aval_of(x).shape) == len(e.shape)
        return True

    def letter(self, e: Equation) -> str:
        """The letter of the rows in an einsum."""
        a, b, _ = split(e.primitive.spec)  # type: ignore[attr-defined]
        x, y = operands_of(e)
        if self.is_moved(x) or not self.is_moved(y):
            return a[:1] if self.is_long(x) else b[:1]
        return b[:1]

    def block_of(self, rows: Sequence[Equation], sliced: Sequence[Atom]) -> int:
        """How many rows fit into the cache."""
        row = sum(
            math.prod(e.shape) * e.dtype.itemsize // self.length
            for e in rows
            if self.kind[e] == ALIGNED
        )
        products = any(isinstance(e.primitive, MatMul | Einsum) for e in rows)
        read = sum(math.prod(aval_of(x).shape[1:]) * aval_of(x).dtype.itemsize for x in sliced)
        block = max(CACHE // max(row + read, 1), 32 if products else 1)
        if block >= 8:
            block -= block % 8
        return min(block, self.length)

    def body(
        self,
        rows: Sequence[Equation],
        constants: dict[Any, Atom],
        blocks: dict[Any, Atom],
        outputs: Sequence[Equation],
        size: int,
    ) -> Program:
        """The same equations on a block of rows."""
        defined: dict[Any, Atom] = {}
        inputs: list[Node] = []
        for k, x in constants.items():
            aval = aval_of(x)
            defined[k] = Leaf(aval.shape, aval.dtype)
            inputs.append(defined[k])
        sliced: dict[Any, Node] = {}
        for k, x in blocks.items():
            aval = aval_of(x)
            sliced[k] = Leaf((size, *aval.shape[1:]), aval.dtype)
            inputs.append(sliced[k])
        own = set(rows)
        made: list[Equation] = []
        for e in rows:
            operands: list[Atom] = []
            for k, x in enumerate(operands_of(e)):
                if isinstance(x, Node) and x in own:
                    operands.append(defined[key(x)])
                elif self.is_sliced(e, k, x):
                    operands.append(sliced[key(x)])
                else:
                    operands.append(defined[key(x)] if isinstance(x, Node) else x)
            primitive = resized(e.primitive, size, self.kind[e])
            equation = apply(primitive, operands, stated(primitive, operands), e)
            defined[key(e)] = equation
            made.append(equation)
        return Program(inputs, made, [defined[key(y)] for y in outputs])


def key(x: Atom) -> Any:
    """Nodes by themselves, constants by identity."""
    return x if isinstance(x, Node) else id(x)


def resized(primitive: Primitive, size: int, kind: int) -> Primitive:
    """A primitive for blocks of `size` rows: where its fields have the length, they change."""
    if isinstance(primitive, Reshape | Stretch):
        return type(primitive)((size, *primitive.sizes[1:]))
    if isinstance(primitive, Place):
        return Place(primitive.index, (size, *primitive.sizes[1:]))
    return primitive


# Rules: what becomes of an equation that reads long arrays


def elementwise(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Aligned where the rows of the operands are those of the result."""
    if not isinstance(e.primitive, Elementwise | Cast) or not blocks.is_long(e):
        return WHOLE
    ndim = len(e.shape)
    for x in operands:
        shape = aval_of(x).shape
        if len(shape) == ndim and shape[0] not in (1, blocks.length):
            return WHOLE
        if blocks.is_moved(x) and len(shape) != ndim:
            return WHOLE  # its rows stand along another axis
    return ALIGNED


def moved_within(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Aligned where the first axis is left alone."""
    if not blocks.is_long(e):
        return WHOLE
    primitive: Any = e.primitive
    ndim = len(aval_of(operands[0]).shape)
    if isinstance(primitive, Transpose) and len(primitive.axes) == ndim:
        return ALIGNED if primitive.axes[0] == -ndim else WHOLE
    if isinstance(primitive, Flip):
        return WHOLE if any(a % ndim == 0 for a in primitive.axes) else ALIGNED
    if isinstance(primitive, GetItem):
        first = primitive.index[0] if primitive.index else None
        consumed = sum(p is not None and p is not Ellipsis for p in primitive.index)
        if first is Ellipsis:
            return ALIGNED if consumed < ndim else WHOLE
        return ALIGNED if isinstance(first, slice) and is_all(first, blocks.length) else WHOLE
    if isinstance(primitive, Place):
        first = primitive.index[0] if primitive.index else None
        return ALIGNED if isinstance(first, slice) and is_all(first, blocks.length) else WHOLE
    return ALIGNED


def is_all(part: slice, n: int) -> bool:
    """Whether a slice takes all rows as they are."""
    return part.indices(n) == (0, n, 1) and part.stop is None


def stretched(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Aligned: each row is a row of the operand, or the operand itself."""
    if not blocks.is_long(e):
        return WHOLE
    (x,) = operands
    same = len(aval_of(x).shape) == len(e.shape)
    return WHOLE if blocks.is_moved(x) and not same else ALIGNED


def reduction(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Aligned where it is within rows; a sum over the rows is one over blocks."""
    primitive: Any = e.primitive
    ndim = len(aval_of(operands[0]).shape)
    if not any(a % ndim == 0 for a in primitive.axes):
        return ALIGNED
    if isinstance(primitive, Sum) and blocks.is_moved(operands[0]):
        return SUMMED if e.dtype.kind in "fc" else WHOLE
    return WHOLE


def joined(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Aligned where operands are joined within rows."""
    axis = len(e.shape) + e.primitive.axis  # type: ignore[attr-defined]
    return ALIGNED if axis != 0 and all(map(blocks.is_long, operands)) else WHOLE


def product(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """Rows times a matrix, or a stack of products."""
    x, y = (aval_of(each).shape for each in operands)
    if len(x) == 1 and len(y) == 2:  # a sum over the rows of y
        moved = any(map(blocks.is_moved, operands))
        return SUMMED if moved and all(map(blocks.is_long, operands)) else WHOLE
    if not blocks.is_long(e) or len(x) < 2 or not blocks.is_long(operands[0]):
        return WHOLE
    if len(x) == 2:
        return ALIGNED if len(y) <= 2 and not blocks.is_moved(operands[1]) else WHOLE
    if len(y) == len(x):
        return ALIGNED if blocks.is_long(operands[1]) else WHOLE
    return ALIGNED if len(y) <= 2 and not blocks.is_moved(operands[1]) else WHOLE


def contraction(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> int:
    """By the letter of the rows: kept as the first, summed over, or elsewhere."""
    a, b, out = split(e.primitive.spec)  # type: ignore[attr-defined]
    row = blocks.letter(e)
    for letters, x in ((a, operands[0]), (b, operands[1])):
        if row in letters[1:] or (blocks.is_moved(x) and letters[:1] != row):
            return WHOLE
    if row not in out:
        moved = any(map(blocks.is_moved, operands))
        return SUMMED if moved and row in a and row in b else WHOLE
    return ALIGNED if out[:1] == row else WHOLE


RULES: dict[type[Primitive], Callable[[Blocks, Equation, Sequence[Atom]], int]] = {
    **dict.fromkeys((Reshape, Transpose, Flip, GetItem, Place, Copy), moved_within),
    **dict.fromkeys((Sum, Prod, Max, Min, Truth), reduction),
    Stretch: stretched,
    Concatenate: joined,
    MatMul: product,
    Einsum: contraction,
}
