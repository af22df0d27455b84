"""Large loops in pieces, which the threads of the pool share.

A piece is a function of its own, `void @piece(ptr %context, i64 %piece, ptr %arena)`: the steps of
the outermost loop that fall to it.  What it reads from around it comes through `context`, a table
of registers.  What is summed over the outermost loop is summed by each piece for itself, and the
pieces' sums are added in order.

How many pieces there are follows from the sizes alone, so results are the same for any number of
threads, one included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..core.avals import Dtype, Shape, aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, operands_of
from ..ops.control import Rows
from ..ops.products import MatMul
from .code import GIVEN_UP, Buffer, Code, Register, row_major
from .element import UNARY_MATH, Lane, Scalars, constant, real_dtype, register_type
from .engine import attributes
from .failures import STATUS_WORDS
from .nest import Nest, Reduction
from .plan import Root
from .pool import address_of_run

WORTH = 1 << 17  # operations that a piece should have: about 60 microseconds
MOST = 64  # pieces
ALIKE = 8  # multiplications of a product of matrices that take the time of one operation
MATH = 8  # operations that a function like exp takes
EVEN = 64  # elements that pieces of one long loop are a multiple of: none shares a cache line
LARGEST = 1 << 12  # elements of a sum that each piece has one of
LINE = 64  # bytes of a cache line

Memory = Callable[[Shape, Dtype], Buffer]


class Piece:
    """A function that does one part of a loop, while it is written."""

    def __init__(self, outer: Code) -> None:
        self.outer = outer
        self.code = Code(outer.module)
        self.captured: dict[Register, tuple[Register, int]] = {}
        self.stores: list[str] = []

    def register(self, outside: Register, type_: str) -> Register:
        """A register of the function around, in this one."""
        known = self.captured.get(outside)
        if known is None:
            place = len(self.captured)
            at, inside = self.code.fresh("at"), self.code.fresh("given")
            self.code.allocas.append(f"  {at} = getelementptr i64, ptr %context, i64 {place}")
            self.code.allocas.append(f"  {inside} = load {type_}, ptr {at}")
            self.stores.append(f"store {type_} {outside}, ptr ")
            known = self.captured[outside] = (inside, place)
        return known[0]

    def pointer(self, outside: Register) -> Register:
        """An address, and in checked code what it was claimed for."""
        if outside.startswith("@"):
            return outside
        found = self.register(outside, "ptr")
        if outside in self.outer.memory:
            start, size = self.outer.memory[outside]
            self.code.memory[found] = found, size
            if start != outside:
                self.code.memory[found] = self.pointer(start), size
        return found

    def place(self, x: Lane | Buffer) -> Any:
        """A value of the function around, in this one."""
        if isinstance(x, Buffer):
            return x._replace(pointer=self.pointer(x.pointer))
        if x.fixed:
            return x
        type_ = register_type(real_dtype(x.dtype))
        several = x.value if x.dtype.kind == "c" else (x.value,)
        found = tuple(self.register(r, type_) for r in several)
        return x._replace(value=found if x.dtype.kind == "c" else found[0])

    @property
    def may_fail(self) -> bool:
        """Whether it may report a failure."""
        return any("%status" in line for line in (*self.code.lines, *self.code.allocas))

    def run(
        self, count: int, arena: Register, scratch: int, statuses: Register = "%status"
    ) -> None:
        """Define the function, and call it for all pieces.

        They report to one `%status`, or each to its own of those that begin at `statuses`.
        """
        inner, outer = self.code, self.outer
        inner.do("ret void")
        if any(GIVEN_UP in line for line in inner.lines):
            inner.start(GIVEN_UP)
            inner.do("ret void")
        if self.may_fail:
            found, own = self.register(statuses, "ptr"), inner.fresh("own")
            words = 0 if statuses == "%status" else STATUS_WORDS
            inner.allocas.append(f"  {own} = mul i64 %piece, {words}")
            inner.allocas.append(f"  %status = getelementptr i64, ptr {found}, i64 {own}")
        name = f"@piece.{len(outer.module.definitions)}"
        head = f"{name}(ptr noalias %context, i64 %piece, ptr noalias %arena)"
        outer.module.define(name, inner.function(head, "internal void", attributes()))
        context = outer.alloca("i64", max(len(self.stores), 1))
        for k, store in enumerate(self.stores):
            outer.do(store + outer.op(f"getelementptr i64, ptr {context}, i64 {k}"))
        run = outer.module.declare(
            "@qiudao.run", "declare void @qiudao.run(ptr, ptr, i64, ptr, i64)", address_of_run
        )
        outer.do(
            f"call void {run}(ptr {name}, ptr {context}, i64 {count}, ptr {arena}, i64 {scratch})"
        )


class Share:
    """The steps of a loop that fall to a piece."""

    def __init__(self, steps: int, pieces: int, multiple: int = 1) -> None:
        self.steps = steps
        self.each = -(-steps // (pieces * multiple)) * multiple
        self.count = -(-steps // self.each)

    def bounds(self, code: Code) -> tuple[Register, Register]:
        """The first step of piece `%piece`, and the one after its last."""
        first = code.op(f"mul nsw i64 %piece, {self.each}")
        last = code.op(f"add nsw i64 {first}, {self.each}")
        code.module.declare("@llvm.smin.i64", "declare i64 @llvm.smin.i64(i64, i64)")
        return first, code.op(f"call i64 @llvm.smin.i64(i64 {last}, i64 {self.steps})")


class Partial:
    """What each piece has for itself of a sum: a row of an array with a row for each."""

    def __init__(self, shape: Shape, dtype: Dtype, count: int, memory: Memory) -> None:
        self.shape = shape
        elements = -(-math.prod(shape) * dtype.itemsize // LINE) * LINE // dtype.itemsize
        self.rows = memory((count, elements), dtype)

    def row(self, code: Code, k: Register, rows: Buffer) -> Buffer:
        """The row of a piece; `rows` is the array as that function knows it."""
        start = code.op(f"mul nsw i64 {k}, {self.rows.strides[0]}")
        return Buffer(code.address(rows, start), self.shape, rows.dtype, row_major(self.shape))

    def combine(
        self, scalars: Scalars, total: Buffer, first: Lane, both: Callable[[Lane, Lane], Lane]
    ) -> None:
        """The rows of all pieces, in order, into the total."""
        code = scalars.code
        with code.loop(total.size) as i:
            scalars.store(first, total, i)
        with code.loop(self.rows.shape[0]) as k:
            row = self.row(code, k, self.rows)
            with code.loop(total.size) as i:
                scalars.store(both(scalars.load(total, i), scalars.load(row, i)), total, i)


def write_in_pieces(
    code: Code,
    roots: Sequence[Root],
    held: Callable[[Atom], Any],
    target: Callable[[Root], Buffer | None],
    memory: Memory,
) -> Nest | None:
    """Write a loop nest in pieces; None where it is not worth it.

    `memory` gives room for an array in the function around.
    """
    space = roots[0].space
    if not may_split(roots):
        return None
    if any(root.scatters for root in roots):
        return None
    piece = Piece(code)
    partials: dict[Root, Partial] = {}
    own: dict[Root, Buffer] = {}

    def inside(x: Atom) -> Any:
        found = held(x)
        return found if found is None else piece.place(found)

    def within(root: Root) -> Buffer | None:
        if root in own:
            return own[root]
        found = target(root)
        return found if found is None else piece.place(found)

    nest = Nest(piece.code, roots, inside, within)
    nest.settle()
    pieces = number_of(math.prod(space) * cost(nest))
    sums = [r for r in roots if r.kind == "reduce"]
    over = [r for r in sums if nest.loops.sizes and nest.sums_over(r, 0)]
    if pieces < 2 or not nest.loops.sizes or not all(map(is_small, over)):
        return None
    if any(partly(nest, r) for r in sums):
        return None
    alone = len(nest.loops.sizes) == 1
    share = Share(nest.loops.sizes[0], pieces, EVEN if alone else 1)
    if share.count < 2:
        return None
    scalars = Scalars(code)
    first, last = share.bounds(piece.code)
    for root in over:
        made = Partial(root.equation.shape, root.equation.dtype, share.count, memory)
        own[root] = made.row(piece.code, "%piece", piece.place(made.rows))
        partials[root] = made
    nest.write((first, last))
    if nest.flag is not None:
        flag = Buffer(code.alloca("i8"), (), nest.flag.dtype, ())
        scalars.store(constant(0), flag, 0)
        found = nest.scalars.register(nest.scalars.load(nest.flag, 0))
        with piece.code.when(piece.code.op(f"icmp ne i8 {found}, 0")):
            nest.scalars.store(constant(1), piece.place(flag), 0)
        nest.flag = flag
    piece.run(share.count, "null", 0)
    for root, partial in partials.items():
        buffer = target(root)
        total = buffer or memory(root.equation.shape, root.equation.dtype)
        reduction = Reduction(scalars, root)
        partial.combine(scalars, total, reduction.start_value(), reduction.combine)
        if buffer is None:
            nest.results[root] = scalars.load(total, 0)
    return nest


def may_split(roots: Sequence[Root]) -> bool:
    """Whether a loop nest has the steps for more than one piece."""
    return math.prod(roots[0].space) * MATH >= 2 * WORTH


def number_of(operations: int) -> int:
    """How many pieces a loop of so many operations should have."""
    return min(operations // WORTH, MOST)


def cost(nest: Nest) -> int:
    """The operations of a step of a nest, reads and writes included."""
    return len(nest.roots) + sum(weight(x) for x, _ in nest.order)


def weight(x: Any) -> int:
    """The operations that an element of an atom takes."""
    if not isinstance(x, Equation):
        return 1
    return MATH if x.primitive.name in UNARY_MATH else 1


def is_small(root: Root) -> bool:
    """Whether each piece can have the whole of a reduction for itself."""
    return math.prod(root.equation.shape) <= LARGEST


def partly(nest: Nest, root: Root) -> bool:
    """Whether a loop within the outermost adds up in memory, which others must first clear."""
    if nest.sums_over(root, 0):
        return False
    depth = len(nest.loops.sizes)
    while depth and nest.sums_over(root, depth - 1):
        depth -= 1
    return any(nest.sums_over(root, k) for k in range(depth))


def rows_in_pieces(rows: Rows) -> Share | None:
    """How the blocks of rows are shared out; None where that is not worth it."""
    blocks = rows.length // rows.block
    pieces = min(number_of(blocks * sum(map(operations, rows.body.equations))), blocks)
    fits = all(a.size <= LARGEST for a in rows.body.results[len(rows.body.results) - rows.sums :])
    share = Share(blocks, pieces) if pieces > 1 and fits else None
    return share if share is not None and share.count > 1 else None


def operations(e: Equation) -> int:
    """The operations of an equation of a block."""
    if e.is_several:
        return 0
    elements = max(math.prod(aval_of(x).shape) for x in (e, *known(e)))
    if isinstance(e.primitive, MatMul):
        return math.prod(e.shape) * aval_of(operands_of(e)[0]).shape[-1]
    return elements * weight(e)


def known(e: Equation) -> list[Atom]:
    """The operands of an equation that are single values."""
    return [x for x in operands_of(e) if not (isinstance(x, Node) and x.is_several)]
