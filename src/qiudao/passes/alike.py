"""Rows that are alike are computed once: the directions of a Jacobian that do not move a value.

`jacfwd` pushes all directions at once, as the rows of arrays with a leading axis for them.  What
only some parameters move is the same, mostly zero, in all other directions, and so is all that is
computed of it row by row: of `n` rows only those that differ need to be there, one of those that
are alike among them.  They are spread out where a row more differs.

    dx: f64[28, 3, 88], of which 20 rows are not zero, times W   ->   21 rows times W, spread to 28

No value changes, NaN and infinity included: each row is computed as before.  That is worth it
where products of matrices get smaller.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of, with_length
from ..core.families import Elementwise
from ..core.node import Equation, Node
from ..core.program import Atom, Program, apply, operands_of, stated
from ..ops.einsum import Einsum, split
from ..ops.indexing import Gather, GetItem
from ..ops.products import MatMul
from ..ops.reducing import Sum
from ..ops.shaping import Cast, Concatenate, Reshape, Stretch, Transpose
from .opened import Writer
from .rows import after

LEAST = 8  # rows from which they are looked at
LARGEST = 1 << 20  # elements of a constant, likewise
WORTH = 1 << 16  # multiplications that products must lose
SPREAD = 2  # ... for each element that is read from a row that stands for several
MOST = 5 / 6  # of the rows: with more that differ, all are computed

Classes = tuple[int, ...]
"""Of each row, the first row that it is equal to."""

Places = list[int]


def alike(program: Program) -> Program:
    """The program in which rows that are alike are computed once, where that pays."""
    for n in lengths(program):
        found = Alike(program, n)
        if found.saved() >= WORTH:
            return found.written()
    return program


def lengths(program: Program) -> list[int]:
    """How many rows the constants have that may be seeds of directions, the most frequent first.

    They are those of products too, or else nothing is to be gained.
    """
    wanted = {e.shape[0] for e in program.equations if is_product(e) and e.shape} - {*range(LEAST)}
    if not wanted:
        return []
    counts = Counter(
        len(x) for e in program.equations for x in operands_of(e)
        if isinstance(x, np.ndarray) and x.ndim > 1 and x.size <= LARGEST and len(x) in wanted
    )  # fmt: skip
    return [n for n, _ in counts.most_common()]


def is_product(e: Equation) -> bool:
    """Whether an equation multiplies matrices."""
    return isinstance(e.primitive, MatMul | Einsum)


def classes_of(x: np.ndarray) -> Classes | None:
    """Which rows of a constant are equal, bit by bit; None where most differ."""
    if x.size > LARGEST:
        return None
    first: dict[bytes, int] = {}
    return few(tuple(first.setdefault(row.tobytes(), k) for k, row in enumerate(x)))


def joined(several: Sequence[Classes | None]) -> Classes | None:
    """Rows are alike where they are alike in all of the operands; None where most differ."""
    known = [each for each in several if each is not None]
    if len(known) < len(several):
        return None
    if all(each is known[0] for each in known):
        return known[0]
    first: dict[tuple[int, ...], int] = {}
    return few(tuple(first.setdefault(row, k) for k, row in enumerate(zip(*known, strict=True))))


def few(classes: Classes) -> Classes | None:
    """The classes, None where there are too many."""
    return classes if len(set(classes)) <= MOST * len(classes) else None


class Alike:
    """The equations of a program that work row by row on arrays of `length` rows in front.

    `classes` has those of which some rows are known to be alike, and `by_rows` the operands that
    these read row by row.
    """

    def __init__(self, program: Program, length: int) -> None:
        self.program = program
        self.length = length
        self.classes: dict[Equation, Classes] = {}
        self.by_rows: dict[Equation, Places] = {}
        self.constants: dict[int, Classes | None] = {}
        for e in program.equations:
            operands, places = operands_of(e), self.places(e)
            found = joined([self.known(operands[k]) for k in places]) if places else None
            if found is not None:
                self.classes[e], self.by_rows[e] = found, places

    def places(self, e: Equation) -> Places:
        """Which operands an equation reads row by row; none where its rows are not made of rows."""
        rule = elementwise if isinstance(e.primitive, Elementwise) else RULES.get(type(e.primitive))
        if rule is None or e.is_several or not e.shape or e.shape[0] != self.length:
            return []
        operands = operands_of(e)
        if any(isinstance(x, Node) and x.is_several for x in operands):
            return []
        return rule(e, operands, self.length) or []

    def known(self, x: Atom) -> Classes | None:
        """Which rows of an operand are alike."""
        if isinstance(x, Node):
            return self.classes.get(x) if isinstance(x, Equation) else None
        if id(x) not in self.constants:
            self.constants[id(x)] = classes_of(np.asarray(x))
        return self.constants[id(x)]

    def saved(self) -> float:
        """How many multiplications products lose, less what it takes to spread rows out."""
        lost = sum(
            multiplications(e) * (1 - len(set(rows)) / self.length)
            for e, rows in self.classes.items()
            if is_product(e)
        )
        read = {x for e in self.program.equations if e not in self.classes for x in operands_of(e)
                if isinstance(x, Node)}  # fmt: skip
        read.update(y for y in self.program.outputs if isinstance(y, Node))
        return lost - SPREAD * sum(math.prod(e.shape) for e in self.classes if e in read)

    def written(self) -> Program:
        """The program with one row of each class, spread out for what reads all of them."""
        self.writer = Writer(self.program)
        self.rows: dict[Equation, Equation] = {}  # of an old equation, one row of each class
        self.spread: dict[tuple[int, Classes], Atom] = {}
        for e in self.program.equations:
            if e in self.classes:
                self.rows[e] = self.write(e, self.classes[e])
                continue
            for x in operands_of(e):
                self.whole(x)
            self.writer.copy(e)
        for y in self.program.outputs:
            self.whole(y)
        return self.writer.written()

    def write(self, e: Equation, classes: Classes) -> Equation:
        """An equation on one row of each class."""
        operands = [
            self.taken(x, classes) if k in self.by_rows[e] else self.writer.atom(self.whole(x))
            for k, x in enumerate(operands_of(e))
        ]
        primitive: Any = e.primitive
        if isinstance(primitive, Reshape | Stretch):
            axis = -len(primitive.sizes)
            primitive = type(primitive)(with_length(primitive.sizes, axis, len(set(classes))))
        made = apply(primitive, operands, stated(primitive, operands), e)
        self.writer.equations.append(made)
        return made

    def whole(self, x: Atom) -> Atom:
        """An operand of the old program, which the new one has with all of its rows."""
        if isinstance(x, Equation) and x in self.rows and x not in self.writer.defined:
            self.writer.defined[x] = self.taken(x, tuple(range(self.length)))
        return x

    def taken(self, x: Atom, classes: Classes) -> Atom:
        """The rows of an operand that stand for these classes."""
        if isinstance(x, Equation) and self.classes.get(x) is classes:
            return self.rows[x]
        wanted = sorted(set(classes))
        if not isinstance(x, Node):
            return np.asarray(x)[wanted]
        if not isinstance(x, Equation) or x not in self.rows:
            return self.picked(self.writer.atom(x), wanted, x)
        own = self.classes[x]
        place = {row: k for k, row in enumerate(sorted(set(own)))}
        return self.picked(self.rows[x], [place[own[row]] for row in wanted], x)

    def picked(self, x: Atom, rows: list[int], like: Atom) -> Atom:
        """Some rows of an atom of the new program."""
        count = aval_of(x).shape[0]
        if rows == list(range(count)):
            return x
        key = id(x), tuple(rows)
        if key not in self.spread:
            index = np.array(rows)
            aval = Aval((len(rows), *aval_of(x).shape[1:]), aval_of(x).dtype)
            made = apply(Gather((0,), (0,)), (x, index), aval, like)
            self.writer.equations.append(made)
            self.spread[key] = made
        return self.spread[key]


def multiplications(e: Equation) -> int:
    """Of a product."""
    if isinstance(e.primitive, MatMul):
        return math.prod(e.shape) * aval_of(operands_of(e)[0]).shape[-1]
    first, second, _ = split(e.primitive.spec)  # type: ignore[attr-defined]
    sizes: dict[str, int] = {}
    for names, x in zip((first, second), operands_of(e), strict=True):
        sizes.update(zip(names, aval_of(x).shape, strict=True))
    return math.prod(sizes.values())


# Rules: which operands row i of the result reads row i of, and all of the others; None where it
# reads other rows


def elementwise(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """Those that are not broadcast along the rows."""
    avals = map(aval_of, operands)
    return [k for k, x in enumerate(avals) if x.ndim == len(e.shape) and x.shape[0] == length]


def moved(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """Where the first axis stays in front."""
    shape = aval_of(operands[0]).shape
    kept = bool(shape) and after(e.primitive, -len(shape), shape, e.shape) == -len(e.shape)
    return [0] if kept and shape[0] == length else None


def summed(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """Sums within rows."""
    primitive: Any = e.primitive
    ndim = aval_of(operands[0]).ndim
    return None if any(a % ndim == 0 for a in primitive.axes) else [0]


def side_by_side(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """Joined within rows."""
    primitive: Any = e.primitive
    return None if primitive.axis % len(e.shape) == 0 else [*range(len(operands))]


def product(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """The rows of a matrix, or the matrices of a stack."""
    a, b = (aval_of(x).ndim for x in operands)
    if b <= 2 <= a:
        return [0]
    if a <= 2 < b:
        return [1]
    return elementwise(e, operands, length) if a > 2 and b > 2 else None


def contraction(e: Equation, operands: Sequence[Atom], length: int) -> Places | None:
    """Those that have the first letter of the result, in front as well and nowhere else."""
    *names, out = split(e.primitive.spec)  # type: ignore[attr-defined]
    row = out[0]
    if any(row in own[1:] for own in (*names, out)):
        return None
    return [k for k, own in enumerate(names) if own.startswith(row)]


Rule = Callable[[Equation, Sequence[Atom], int], "Places | None"]
RULES: dict[type, Rule] = {
    **dict.fromkeys((Reshape, Transpose, GetItem, Cast), moved),
    Sum: summed,
    Stretch: elementwise,
    Concatenate: side_by_side,
    MatMul: product,
    Einsum: contraction,
}
