"""Blocks of rows: what treats each row of long arrays alike is run for a few rows at a time.

A chain of operations on arrays of n rows writes and reads each array between as a whole; where
these do not fit into the cache, memory is what takes the time.  This pass finds the equations that
work row by row and makes one `Rows` of them, whose body is the same computation on a block of rows
that does fit.

An atom is *aligned* where row i of it depends on row i of other aligned atoms only, and on atoms
that are whole.  Sums over the rows end it: each block adds its part.  What needs a finished sum
comes in a later `Rows` (a later *stage*).

Rows may lie along any axis, and along another in each atom: what a transpose or a product turns is
followed.  Axes are counted from the end, so that broadcasting leaves them alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..core.avals import Aval, aval_of, with_length
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
ADDED = 64  # rows of what else were stored: as large may a product be that each block adds to

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
    """The lengths of axes of the largest arrays between, the most bytes first."""
    held: dict[int, int] = {}
    for e in (*program.inputs, *program.equations):
        for n in set(e.shape or ()):  # several results have no shape
            held[n] = held.get(n, 0) + math.prod(e.shape) * e.dtype.itemsize
    return sorted((n for n, b in held.items() if n >= 16 and b >= WORTH), key=lambda n: -held[n])


Found = tuple[int, int]  # what becomes of an equation, and the axis of its rows
NOTHING: Found = (WHOLE, 0)


class Blocks:
    """The equations of a program that work by rows of arrays of `length` rows.

    `axis` has the axis of the rows of what is aligned; `sliced` has, for an equation that is not
    whole and an operand that is not aligned, the axis along which rows of it are read, if any.
    """

    def __init__(self, program: Program, length: int) -> None:
        self.program = program
        self.length = length
        self.kind: dict[Node, int] = {}
        self.stage: dict[Node, int] = {}
        self.axis: dict[Node, int] = {}
        self.sliced: dict[tuple[Node, int], int] = {}
        self.reads = {y for y in program.outputs if isinstance(y, Node)}
        for e in program.equations:
            self.look(e)

    def is_long(self, x: Atom, axis: int) -> bool:
        """Whether an atom has as many rows along an axis."""
        if isinstance(x, Node) and x.is_several:
            return False
        shape = aval_of(x).shape
        return len(shape) >= -axis and shape[axis] == self.length

    def axes_of(self, x: Atom) -> list[int]:
        """The axes along which an atom may have rows: its own where it is aligned, or else all
        that are as long, the first one first.
        """
        if isinstance(x, Node) and x.is_several:
            return []
        if isinstance(x, Node) and x in self.axis:
            return [self.axis[x]]
        ndim = len(aval_of(x).shape)
        return [a for a in range(-ndim, 0) if self.is_long(x, a)]

    def fits(self, x: Atom, axis: int) -> bool:
        """Whether an operand can be read by rows along an axis."""
        if isinstance(x, Node) and x in self.axis:
            return self.axis[x] == axis
        return self.is_long(x, axis)

    def look(self, e: Equation) -> None:
        """Whether an equation is aligned, ends in a sum over rows, or is whole; its stage."""
        operands = operands_of(e)
        known = [x for x in operands if isinstance(x, Node)]
        kind, axis = NOTHING
        if not e.is_several and any(map(self.axes_of, (e, *operands))):
            kind, axis = RULES.get(type(e.primitive), elementwise)(self, e, operands)
        if kind == ALIGNED:
            self.axis[e] = axis
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

    def is_computed(self, x: Atom) -> bool:
        """Whether an atom is computed by rows, and no view of what is there already."""
        while isinstance(x, Equation) and isinstance(x.primitive, Transpose | Reshape):
            (x,) = operands_of(x)
        return self.is_moved(x)

    def row_size(self, x: Atom) -> int:
        """The bytes of one row."""
        aval = aval_of(x)
        return math.prod(aval.shape) * aval.dtype.itemsize // self.length

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
                    if isinstance(x, Node) and (e, k) in self.sliced
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
        """Whether the equations of a stage keep much out of memory.

        Without products, which read their matrices again, a block must fit into the cache.
        """
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
        row = sum(self.row_size(e) for e in rows if self.kind[e] == ALIGNED)
        fits = row <= CACHE or has_products(rows)
        return (fits and between >= WORTH) or self.reread(own) >= WORTH

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
        blocks: dict[tuple[Any, int], Atom] = {}
        for e in rows:
            for k, x in enumerate(operands_of(e)):
                if isinstance(x, Node) and x in own:
                    continue
                axis = self.slice_of(e, k, x)
                if axis is not None:
                    blocks[key(x), axis] = x
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
            (*(axis for _, axis in blocks), *(self.axis[y] for y in ys)),
        )  # fmt: skip
        operands = [self.atom(x) for x in (*constants.values(), *blocks.values())]
        whole = apply(primitive, operands, None, rows[0])
        self.equations.append(whole)
        results = (*ys, *sums)
        for k, e in enumerate(results):
            part = apply(Part(k, len(results)), (whole,), Aval(e.shape, e.dtype), e)
            self.equations.append(part)
            self.defined[e] = part

    def slice_of(self, e: Equation, k: int, x: Atom) -> int | None:
        """The axis along which operand `k` of an equation is read by rows; None where whole."""
        if isinstance(x, Node) and x in self.axis:
            return self.axis[x]
        return self.sliced.get((e, k))

    def block_of(self, rows: Sequence[Equation], sliced: Sequence[Atom]) -> int:
        """How many rows fit into the cache."""
        row = sum(self.row_size(e) for e in rows if self.kind[e] == ALIGNED)
        read = sum(map(self.row_size, sliced))
        block = max(CACHE // max(row + read, 1), 32 if has_products(rows) else 1)
        if block >= 8:
            block -= block % 8
        return min(block, self.length)

    def body(
        self,
        rows: Sequence[Equation],
        constants: dict[Any, Atom],
        blocks: dict[tuple[Any, int], Atom],
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
        sliced: dict[tuple[Any, int], Node] = {}
        for (k, axis), x in blocks.items():
            aval = aval_of(x)
            sliced[k, axis] = Leaf(with_length(aval.shape, axis, size), aval.dtype)
            inputs.append(sliced[k, axis])
        own = set(rows)
        made: list[Equation] = []
        for e in rows:
            operands: list[Atom] = []
            for k, x in enumerate(operands_of(e)):
                read = self.slice_of(e, k, x)
                if isinstance(x, Node) and x in own:
                    operands.append(defined[key(x)])
                elif read is not None:
                    operands.append(sliced[key(x), read])
                else:
                    operands.append(defined[key(x)] if isinstance(x, Node) else x)
            primitive = resized(e.primitive, size, self.axis.get(e))
            equation = apply(primitive, operands, stated(primitive, operands), e)
            defined[key(e)] = equation
            made.append(equation)
        return Program(inputs, made, [defined[key(y)] for y in outputs])


def has_products(rows: Sequence[Equation]) -> bool:
    """Whether matrices are multiplied."""
    return any(isinstance(e.primitive, MatMul | Einsum) for e in rows)


def key(x: Atom) -> Any:
    """Nodes by themselves, constants by identity."""
    return x if isinstance(x, Node) else id(x)


def resized(primitive: Primitive, size: int, axis: int | None) -> Primitive:
    """A primitive for blocks of `size` rows: where its fields have the length, they change."""
    if axis is None:
        return primitive
    if isinstance(primitive, Reshape | Stretch):
        return type(primitive)(with_length(primitive.sizes, axis, size))
    if isinstance(primitive, Place):
        return Place(primitive.index, with_length(primitive.sizes, axis, size))
    return primitive


# Rules: what becomes of an equation that reads or makes long arrays


def elementwise(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Aligned where the rows of all operands that have any are those of the result."""
    if not isinstance(e.primitive, Elementwise | Cast):
        return NOTHING
    moved = {blocks.axis[x] for x in operands if blocks.is_moved(x)}
    for axis in moved or blocks.axes_of(e):
        if len(moved) > 1 or not blocks.is_long(e, axis):
            return NOTHING
        if any(blocks.is_long(x, axis) for x in operands):
            return aligned(blocks, e, operands, axis)
    return NOTHING


def aligned(blocks: Blocks, e: Equation, operands: Sequence[Atom], axis: int) -> Found:
    """Aligned along an axis, which operands have too or are broadcast along."""
    for k, x in enumerate(operands):
        if not blocks.is_moved(x) and blocks.is_long(x, axis):
            blocks.sliced[e, k] = axis
    return ALIGNED, axis


def moved_within(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Aligned where the axis of the rows stays in one piece."""
    (x,) = operands
    for axis in blocks.axes_of(x):
        there = after(e.primitive, axis, aval_of(x).shape, e.shape)
        if there is not None and blocks.is_long(e, there):
            if not blocks.is_moved(x):
                blocks.sliced[e, 0] = axis
            return ALIGNED, there
    return NOTHING


def after(primitive: Any, axis: int, shape: tuple[int, ...], result: tuple[int, ...]) -> int | None:
    """Which axis of the result an axis of the operand becomes; None where it is cut."""
    ndim = len(shape)
    if isinstance(primitive, Transpose):
        axes = primitive.axes
        if -axis > len(axes):
            return axis
        return axes.index(axis) - len(axes)
    if isinstance(primitive, Flip):
        return None if axis % ndim in {a % ndim for a in primitive.axes} else axis
    if isinstance(primitive, GetItem | Place):
        return through_index(primitive, axis, shape, result)
    if isinstance(primitive, Reshape):
        inner = math.prod(shape[ndim + axis + 1 :])
        for there in range(-len(result), 0):
            size = math.prod(result[len(result) + there + 1 :])
            if size == inner and result[there] == shape[axis]:
                return there
        return None
    return axis


def through_index(
    primitive: GetItem | Place, axis: int, shape: tuple[int, ...], result: tuple[int, ...]
) -> int | None:
    """As `after`, for basic indices: a slice of all keeps an axis."""
    index = primitive.index
    whole = shape if isinstance(primitive, GetItem) else result
    if any(p is None or p is Ellipsis for p in index):
        return None
    is_kept = [isinstance(p, slice) for p in index] + [True] * (len(whole) - len(index))
    kept = [k for k, keeps in enumerate(is_kept) if keeps]  # axes of the whole, in order
    if isinstance(primitive, GetItem):
        place = len(whole) + axis
        if not is_kept[place]:
            return None
        there = kept.index(place) - len(kept)
    else:
        place = kept[axis]
        there = place - len(whole)
    if place < len(index) and not is_all(index[place], whole[place]):
        return None
    return there


def is_all(part: slice, n: int) -> bool:
    """Whether a slice takes all rows as they are."""
    return part.indices(n) == (0, n, 1) and part.stop is None


def stretched(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Aligned: each row is a row of the operand, or the operand itself."""
    (x,) = operands
    if blocks.is_moved(x):
        axis = blocks.axis[x]
        return (ALIGNED, axis) if blocks.is_long(e, axis) else NOTHING
    for axis in blocks.axes_of(e):
        return aligned(blocks, e, operands, axis)
    return NOTHING


def reduction(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Aligned where it is within rows; a sum over the rows is one over blocks."""
    primitive: Any = e.primitive
    (x,) = operands
    ndim = len(aval_of(x).shape)
    reduced = {a % ndim - ndim for a in primitive.axes}
    for axis in blocks.axes_of(x):
        if axis not in reduced:
            gone = 0 if primitive.keepdims else sum(a > axis for a in reduced)
            if not blocks.is_moved(x):
                blocks.sliced[e, 0] = axis
            return ALIGNED, axis + gone
    if isinstance(primitive, Sum) and blocks.is_moved(x) and e.dtype.kind in "fc":
        return SUMMED, 0
    return NOTHING


def joined(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Aligned where operands are joined within rows."""
    across: int = e.primitive.axis  # type: ignore[attr-defined]
    moved = {blocks.axis[x] for x in operands if blocks.is_moved(x)}
    for axis in moved or blocks.axes_of(e):
        if axis != across and all(blocks.fits(x, axis) for x in operands):
            return aligned(blocks, e, operands, axis)
    return NOTHING


def product(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """Rows of either matrix, a sum over rows, or a stack of products."""
    x, y = (len(aval_of(each).shape) for each in operands)
    if max(x, y) > 2:
        for axis in blocks.axes_of(operands[0]):
            if axis >= -2:
                continue
            first = y == x and blocks.fits(operands[1], axis)
            if first or (y <= 2 and not blocks.is_moved(operands[1])):
                read = operands if first else operands[:1]
                return aligned(blocks, e, read, axis)
        return NOTHING
    letters = "ij"[2 - x :], "jk"[:y]
    return by_letters(blocks, e, operands, (*letters, "ik"[2 - x : y]))


def contraction(blocks: Blocks, e: Equation, operands: Sequence[Atom]) -> Found:
    """By the letter of the rows."""
    return by_letters(blocks, e, operands, split(e.primitive.spec))  # type: ignore[attr-defined]


def by_letters(
    blocks: Blocks, e: Equation, operands: Sequence[Atom], letters: tuple[str, str, str]
) -> Found:
    """The letter of the rows: kept, or summed over, and alone in each operand."""
    *names, out = letters
    moved = {
        own[blocks.axis[x]] for own, x in zip(names, operands, strict=True) if blocks.is_moved(x)
    }
    found = [own[a] for own, x in zip(names, operands, strict=True) for a in blocks.axes_of(x)]
    for row in moved or dict.fromkeys(sorted(found, key=lambda r: r not in out[:1])):
        if len(moved) > 1 or any(own.count(row) > 1 for own in names):
            return NOTHING
        axes = [own.index(row) - len(own) if row in own else 0 for own in names]
        if any(a and not blocks.fits(x, a) for a, x in zip(axes, operands, strict=True)):
            continue
        if row not in out:
            rows = sum(blocks.row_size(x) for x in operands if blocks.is_computed(x))
            size = math.prod(e.shape) * e.dtype.itemsize
            if not moved or not all(axes) or size > ADDED * rows:
                continue
        for k, (a, x) in enumerate(zip(axes, operands, strict=True)):
            if a and not blocks.is_moved(x):
                blocks.sliced[e, k] = a
        return (ALIGNED, out.index(row) - len(out)) if row in out else (SUMMED, 0)
    return NOTHING


RULES: dict[type[Primitive], Callable[[Blocks, Equation, Sequence[Atom]], Found]] = {
    **dict.fromkeys((Reshape, Transpose, Flip, GetItem, Place, Copy), moved_within),
    **dict.fromkeys(REDUCTIONS, reduction),
    Stretch: stretched,
    Concatenate: joined,
    MatMul: product,
    Einsum: contraction,
}
