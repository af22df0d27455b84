"""One loop nest: every map, reduction and region over the same space, on one level of a plan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..core.avals import Dtype, aval_of
from ..core.node import Equation, Node
from ..core.program import Atom, operands_of
from ..ops.reducing import Min, Prod, Sum, Truth, lowest
from ..ops.shaping import Cast
from .code import UNKNOWN, Buffer, Code, Register, memory_type
from .element import UNARY_MATH, Lane, Scalars, constant
from .maps import VIEWS, Access, Held, Map, Pick, access, broadcast, identity, through
from .picks import READS, limits, picks_of, reads
from .plan import Root

Key = tuple[Atom, Map]

Index = Register | int

FEW = 4  # steps that are written one by one, without a loop
SHORT = 64  # steps up to which a loop is cut into vectors here; LLVM cuts longer ones
VECTOR = 32  # bytes
PASSED_ON = (*VIEWS, *READS)  # whose value is that of an operand


class Loops:
    """The loops of a nest: axes of its space, in the order in which they run."""

    def __init__(self, sizes: Sequence[int], axes: Sequence[tuple[int, ...]]) -> None:
        self.sizes = list(sizes)  # of each loop
        self.axes = list(axes)  # the axes of the space that each loop runs through

    def coefficients(self, found: Access) -> tuple[int, ...]:
        """How far apart in a buffer the steps of each loop are."""
        return tuple(found.coefficients[axes[-1]] for axes in self.axes)


class Nest:
    """Writes the loop nest of some roots over one space."""

    def __init__(
        self,
        code: Code,
        roots: Sequence[Root],
        held: Callable[[Atom], Any],
        target: Callable[[Root], Buffer | None],
        windows: Mapping[Register, Register] | None = None,
    ) -> None:
        self.code = code
        self.scalars = Scalars(code)
        self.roots = roots
        self.by_strips = windows is not None  # the first axis is the outermost loop, by itself
        self.windows = {} if windows is None else windows  # the first row that a buffer has
        self.space = roots[0].space
        self.held = held  # the lane or buffer of an atom that is computed already, or None
        self.target = target  # where a root is stored, or None
        self.whole = identity(self.space)
        self.mine = {r.equation for r in roots if r.kind == "map"}
        self.lanes: dict[Key, Lane] = {}
        self.results: dict[Root, Lane] = {}  # of reductions to one number
        self.positions: dict[Pick, Register] = {}  # of the picks of one step
        self.checks: list[Pick] = []  # the picks that may be out of bounds
        self.flag: Buffer | None = None  # whether one was
        self.indices: Sequence[Index] = ()

    def settle(self) -> None:
        """Find what the body computes, what it reads and stores and where, and the loops."""
        self.order, leaves = self.needed()
        self.accesses = {key: self.access_of(*key) for key in leaves}
        self.stores = [self.store_access(root) for root in self.roots]
        picked = {p: None for at in self.maps() for p in picks_of(at)}
        self.checks = [p for p in picked if limits(p)[1]]
        known = [*self.accesses.values(), *(s for s in self.stores if s is not None)]
        self.loops = self.arrange(known)

    def write(self, part: tuple[Register, Register] | None = None) -> None:
        """Write the nest; with `part`, only these steps of its outermost loop, from and to.

        Then what is added up in memory beyond these steps starts with what is there.
        """
        self.settle()
        depth = len(self.loops.sizes)
        self.scalars.once = depth == 0
        sums = [Accumulator(self, r) for r in self.roots if r.kind == "reduce"]
        if self.checks:
            self.flag = Buffer(self.code.alloca("i8"), (), np.dtype(np.uint8), ())
            self.scalars.store(constant(0), self.flag, 0)
        group = self.code.module.access_group()
        self.note = f", !llvm.access.group {group}" if depth else ""
        chains = any(
            isinstance(x, Equation) and x.primitive.name in UNARY_MATH for x, _ in self.order
        )
        for each in sums:
            if part is None or self.sums_over(each.root, 0):
                each.fill()
        few = depth and not chains and 0 < math.prod(self.loops.sizes) <= FEW
        if few and part is None and all(each.depth == 0 for each in sums):
            self.note = ""
            self.write_out(sums)
            return
        indices: list[Register] = []
        with ExitStack() as ending:
            for k, size in enumerate(self.loops.sizes):
                for each in sums:
                    if each.depth == k:
                        each.start()
                        ending.callback(each.finish, list(indices))
                is_whole = part is None or k > 0
                is_short = k == depth - 1 and size <= SHORT and is_whole
                if is_short and not sums and not self.meets() and (chains or self.is_in_order()):
                    self.write_pieces(size, group, indices)
                    return
                note = ""
                if k == depth - 1:
                    steps = size if is_whole else UNKNOWN
                    note = self.code.module.parallel_loop(group, steps, chains)
                start, stop = (0, size) if part is None or k else part
                indices.append(ending.enter_context(self.code.loop(stop, start, note=note)))
            for each in sums:
                if each.depth == depth:
                    each.start()
                    ending.callback(each.finish, list(indices))
            self.indices = indices
            self.write_step()
            for each in sums:
                each.take(self.lanes[self.source(each.root)])

    def sums_over(self, root: Root, loop: int) -> bool:
        """Whether a reduction runs over the axes of a loop."""
        return set(self.loops.axes[loop]) <= reduced_axes(root)

    def meets(self) -> bool:
        """Whether steps may write to the same place, or note that something is out of bounds."""
        return bool(self.checks) or any(root.scatters for root in self.roots)

    def is_in_order(self) -> bool:
        """Whether the innermost loop reads neighbours or one element, and writes neighbours."""
        reads = [a for a in self.accesses.values() if a is not None]
        writes = [a for a in self.stores if a is not None]
        last = self.loops.axes[-1][-1]
        return (
            not any(a.moves_with(last) for a in (*reads, *writes))
            and all(self.loops.coefficients(a)[-1] in (0, 1) for a in reads)
            and all(self.loops.coefficients(a)[-1] == 1 for a in writes)
        )

    def write_out(self, sums: Sequence[Accumulator]) -> None:
        """A few steps one by one: what LLVM would make of a loop, in less time."""
        for each in sums:
            each.start()
        for indices in itertools.product(*map(range, self.loops.sizes)):
            self.indices = indices
            self.write_step()
            for each in sums:
                each.take(self.lanes[self.source(each.root)])
        for each in sums:
            each.finish([])

    def write_pieces(self, size: int, group: str, indices: Sequence[Index]) -> None:
        """A short loop of long steps as several: whole vectors, and shorter ones for the rest.

        One loop would run the steps that fill no vector one by one, or behind masks.
        """
        width = VECTOR // max(
            (aval_of(x).dtype.itemsize for x, _ in self.order if isinstance(x, Node)), default=8
        )
        start = 0
        for lanes, count in vectors(size, width):
            stop = start + lanes * count
            note = self.code.module.vector_loop(group, lanes, count)
            with self.code.loop(stop, start, note=note) as index:
                self.indices = [*indices, index]
                self.write_step()
            start = stop

    def write_step(self) -> None:
        """The body of the innermost loop, less what is summed."""
        self.positions = {}
        for key in self.order:
            self.lanes[key] = self.compute(key, self.accesses.get(key))
        for root, store in zip(self.roots, self.stores, strict=True):
            if root.kind == "reduce":
                continue
            value = self.lanes[self.source(root)]
            if store is not None:
                self.put(root, value, self.target(root), store)

    # What is computed in the body, and what is read there

    def source(self, root: Root) -> Key:
        """What a root stores or sums."""
        if root.kind == "map":
            return root.equation, self.whole
        if root.kind == "reduce":
            return self.key(operands_of(root.equation)[0], self.whole)
        shape = aval_of(root.source).shape
        return self.key(root.source, broadcast(self.whole, shape, self.space))

    def needed(self) -> tuple[list[Key], list[Key]]:
        """All that the body computes or reads, operands first, and of that what it reads."""
        order: list[Key] = []
        leaves: list[Key] = []
        done: set[Key] = set()
        stack = [(self.source(root), False) for root in reversed(self.roots)]
        stack += [((p.array, p.at), False) for root in self.roots for p in picks_of(root.to)]
        while stack:
            key, ready = stack.pop()
            if ready:
                order.append(key)
                continue
            if key in done:
                continue
            done.add(key)
            stack.append((key, True))
            operands = self.operand_keys(key)
            if operands is None:
                leaves.append(key)
                operands = [(p.array, p.at) for p in picks_of(key[1])]
            stack.extend((k, False) for k in operands if k not in done)
        return order, leaves

    def maps(self) -> list[Map]:
        """The maps at which the body reads memory, and adds to regions."""
        return [*(at for _, at in self.accesses), *(root.to for root in self.roots)]

    def key(self, x: Atom, at: Map) -> Key:
        """An atom at a map, as a key: constants by identity."""
        return (x, at) if isinstance(x, Node) else (Held(x), at)

    def operand_keys(self, key: Key) -> list[Key] | None:
        """What is read to compute an atom at a map, or None where it is read from memory."""
        x, at = key
        if not isinstance(x, Equation):
            return None
        mine = x in self.mine and at == self.whole
        if not mine and self.held(x) is not None:
            return None
        return [self.key(*each) for each in operand_maps(x, at)]

    def access_of(self, x: Atom, at: Map) -> Access | None:
        """Where in memory an atom at a map is read; None for what is in registers."""
        plain = x.value if isinstance(x, Held) else x
        if aval_of(plain).shape == ():
            place = self.held(plain)
            return None if not isinstance(place, Buffer) else Access(0, (0,) * len(self.space))
        place = self.held(plain)
        return access(place.strides, at, len(self.space)) if isinstance(place, Buffer) else None

    def compute(self, key: Key, found: Access | None) -> Lane:
        """The value of an atom at a map, as a lane of the body."""
        x = key[0]
        plain = x.value if isinstance(x, Held) else x
        operands = self.operand_keys(key)
        if operands is None:
            place = self.held(plain)
            if isinstance(place, Lane):
                return place
            return self.scalars.load(place, self.offset(found, place), self.note)
        lanes = [self.lanes[k] for k in operands]
        return element(self.scalars, x, lanes)

    # Loops

    def arrange(self, accesses: Sequence[Access | None]) -> Loops:
        """Drop axes of length 1, join axes that all accesses cross alike, choose the innermost."""
        known = [a for a in accesses if a is not None]
        kept = [k for k, n in enumerate(self.space) if n != 1]
        groups: list[list[int]] = []
        for k in kept:
            alone = self.by_strips and groups == [[0]]
            if groups and not alone and self.joins(groups[-1][-1], k, known):
                groups[-1].append(k)
            else:
                groups.append([k])
        sizes = [int(np.prod([self.space[k] for k in g])) for g in groups]
        if len(groups) > 1:
            scores = [sum(nearness(a, g[-1]) for a in known) for g in groups]
            movable = range(self.by_strips, len(groups))
            best = max(movable, key=lambda k: (scores[k], k))
            last = len(groups) - 1
            if scores[best] > scores[last] and sizes[best] >= 4:
                groups.append(groups.pop(best))
                sizes.append(sizes.pop(best))
        return Loops(sizes, [tuple(g) for g in groups])

    def joins(self, first: int, second: int, accesses: Sequence[Access]) -> bool:
        """Whether two axes in turn can be run through by one loop."""
        n = self.space[second]
        crossed = [a.coefficients for a in accesses]
        for root in self.roots:
            buffer = self.target(root)
            if root.kind == "reduce" and buffer is not None:
                crossed.append(total_strides(root, buffer))
        if any(c[first] != c[second] * n for c in crossed):
            return False
        return all(
            (first in axes) == (second in axes)
            for axes in (reduced_axes(r) for r in self.roots if r.kind == "reduce")
        )

    def offset(self, found: Access | None, buffer: Buffer) -> Register | int:
        """The offset of an access in the body."""
        if found is None:
            return 0
        coefficients = [*self.loops.coefficients(found), *(c for _, c in found.picks)]
        indices = [*self.indices, *(self.position(pick) for pick, _ in found.picks)]
        start = self.windows.get(buffer.pointer)
        if start is not None:
            coefficients.append(-buffer.strides[0])
            indices.append(start)
        return self.sum_of(found.constant, coefficients, indices)

    def position(self, pick: Pick) -> Register:
        """The index of a pick, counted from the front; 0 for one that is out of bounds."""
        known = self.positions.get(pick)
        if known is not None:
            return known
        code = self.code
        lane = self.scalars.cast(self.lanes[pick.array, pick.at], np.dtype(np.int64))
        index = self.scalars.register(lane)
        may_be_negative, _ = limits(pick)
        if may_be_negative:
            is_negative = code.op(f"icmp slt i64 {index}, 0")
            counted = code.op(f"add i64 {index}, {pick.size}")
            index = code.op(f"select i1 {is_negative}, i64 {counted}, i64 {index}")
        if pick in self.checks and self.flag is not None:
            outside = code.op(f"icmp uge i64 {index}, {pick.size}")
            index = code.op(f"select i1 {outside}, i64 0, i64 {index}")
            before = self.scalars.register(self.scalars.load(self.flag, 0))
            bad = code.op(f"or i8 {before}, {code.op(f'zext i1 {outside} to i8')}")
            self.scalars.store(Lane(bad, self.flag.dtype), self.flag, 0)
        self.positions[pick] = index
        return index

    def sum_of(
        self, start: int, coefficients: Sequence[int], indices: Sequence[Index]
    ) -> Register | int:
        """Start + the sum of coefficients times indices."""
        total: Register | int = start
        for c, i in zip(coefficients, indices):
            if isinstance(i, int) and isinstance(total, int):
                total += c * i
            if c == 0 or isinstance(i, int):
                continue
            term = i if c == 1 else self.code.op(f"mul nsw i64 {i}, {c}")
            total = term if total == 0 else self.code.op(f"add nsw i64 {term}, {total}")
        return total

    # Storing

    def store_access(self, root: Root) -> Access | None:
        """Where a root's elements go, or None for one that is not stored here."""
        buffer = self.target(root)
        if buffer is None or root.kind == "reduce":
            return None
        at = root.to if root.kind == "region" else self.whole
        return access(buffer.strides, at, len(self.space))

    def put(self, root: Root, value: Lane, buffer: Buffer | None, found: Access) -> None:
        """Store an element, or add it to what is there."""
        if buffer is None:
            return
        offset = self.offset(found, buffer)
        note = "" if root.scatters else self.note  # steps may meet at a place
        if root.kind == "region" and root.adds:
            value = self.scalars.add(self.scalars.load(buffer, offset, note), value)
        self.scalars.store(value, buffer, offset, note)


def vectors(size: int, width: int) -> list[tuple[int, int]]:
    """So many steps as vectors: how many lanes, how many times, the widest first."""
    found: list[tuple[int, int]] = []
    while width:
        count, size = divmod(size, width)
        if count % 2 and count > 1:  # pairs of vectors run side by side
            found.append((width, count - 1))
            count = 1
        if count:
            found.append((width, count))
        width //= 2
    return found


def nearness(found: Access, axis: int) -> int:
    """How well an access suits an innermost loop over an axis, by its step."""
    if found.moves_with(axis):
        return -2
    return {1: 2, 0: 1, -1: 1}.get(found.coefficients[axis], -2)


def operand_maps(equation: Equation, at: Map) -> list[tuple[Atom, Map]]:
    """Where the operands of an inlined equation are read."""
    operands = operands_of(equation)
    if isinstance(equation.primitive, VIEWS):
        shape = aval_of(operands[0]).shape
        return [(operands[0], through(equation.primitive, at, shape, equation.shape) or ())]
    if isinstance(equation.primitive, READS):
        return reads(equation, at)
    return [(x, broadcast(at, aval_of(x).shape, equation.shape)) for x in operands]


def element(scalars: Scalars, equation: Equation, lanes: Sequence[Lane]) -> Lane:
    """The scalar code of an equation, in the dtype of its result."""
    primitive: Any = equation.primitive
    if isinstance(primitive, PASSED_ON):
        return lanes[0]
    if isinstance(primitive, Cast):
        return scalars.cast(lanes[0], equation.dtype)
    made: Lane = primitive.element(scalars, *lanes)
    return scalars.cast(made, equation.dtype)


def reduced_axes(root: Root) -> set[int]:
    """The axes of its space that a reduction sums over, from the front."""
    primitive: Any = root.equation.primitive
    return {a % len(root.space) for a in primitive.axes} if root.space else set()


def total_strides(root: Root, buffer: Buffer) -> tuple[int, ...]:
    """How far apart the totals of a reduction lie, by the axes of its space; 0 for those that it
    sums over.
    """
    primitive: Any = root.equation.primitive
    reduced = reduced_axes(root)
    strides = iter(buffer.strides)
    found = []
    for k in range(len(root.space)):
        stride = next(strides) if k not in reduced or primitive.keepdims else 0
        found.append(0 if k in reduced else stride)
    return tuple(found)


class Reduction:
    """How the elements of a reduction come together."""

    def __init__(self, scalars: Scalars, root: Root) -> None:
        self.scalars = scalars
        self.code = scalars.code
        self.root = root
        self.dtype: Dtype = root.equation.dtype

    @property
    def combine(self) -> Callable[[Lane, Lane], Lane]:
        primitive = self.root.equation.primitive
        if isinstance(primitive, Sum):
            return self.summed
        if isinstance(primitive, Prod):
            return self.multiplied
        if isinstance(primitive, Truth):
            name = "logical_and" if primitive.function == "all" else "logical_or"
            return lambda x, y: self.scalars.bits(name, x, y)
        if isinstance(primitive, Min):
            return lambda x, y: self.extreme("minimum", x, y)
        return lambda x, y: self.extreme("maximum", x, y)

    def summed(self, x: Lane, y: Lane) -> Lane:
        return self.reordered("fadd", self.scalars.add, x, y)

    def multiplied(self, x: Lane, y: Lane) -> Lane:
        return self.reordered("fmul", self.scalars.multiply, x, y)

    def reordered(self, op: str, otherwise: Callable[[Lane, Lane], Lane], x: Lane, y: Lane) -> Lane:
        """A sum or product that may be taken in another order, so that it can be vectorised."""
        if x.dtype.kind == "c" and op == "fadd":
            parts = [
                self.scalars.register(self.reordered(op, otherwise, *pair))
                for pair in ((self.scalars.part(x, k), self.scalars.part(y, k)) for k in (0, 1))
            ]
            return self.scalars.joined(parts, self.dtype)
        if x.dtype.kind != "f":
            return otherwise(x, y)
        type_ = memory_type(x.dtype)
        a, b = self.scalars.register(x), self.scalars.register(y)
        return Lane(self.code.op(f"{op} reassoc contract {type_} {a}, {b}"), x.dtype)

    def extreme(self, name: str, x: Lane, y: Lane) -> Lane:
        if x.dtype.kind != "f":
            return self.scalars.call(name, x, y)
        return self.scalars.intrinsic(name, x, y)

    def start_value(self) -> Lane:
        """What changes nothing."""
        primitive = self.root.equation.primitive
        if isinstance(primitive, Sum):
            value: Any = 0
        elif isinstance(primitive, Prod):
            value = 1
        elif isinstance(primitive, Truth):
            value = primitive.function == "all"
        else:
            value = lowest(self.dtype, -1 if isinstance(primitive, Min) else 1)
            value = np.asarray(value).item()
        return Lane(value, self.dtype, None, fixed=True)


class Accumulator(Reduction):
    """A reduction in a nest: a register over the innermost loops that are summed over, and memory
    where a loop that is summed over has one inside that is not.
    """

    def __init__(self, nest: Nest, root: Root) -> None:
        super().__init__(nest.scalars, root)
        self.nest = nest
        axes = reduced_axes(root)
        inner = [set(group) <= axes for group in nest.loops.axes]
        self.depth = len(inner)
        while self.depth and inner[self.depth - 1]:
            self.depth -= 1
        self.in_memory = any(inner[: self.depth])
        self.buffer = nest.target(root)
        self.place: Buffer | None = None

    def fill(self) -> None:
        """Before the nest: the start value in memory, where that is added to."""
        if not self.in_memory or self.buffer is None:
            return
        with self.code.loop(self.buffer.size) as i:
            self.scalars.store(self.start_value(), self.buffer, i)

    def start(self) -> None:
        """Before the innermost loops that are summed over."""
        scale = 2 if self.dtype.kind == "c" else 1
        local = self.code.alloca(memory_type(self.dtype), scale)
        self.place = Buffer(local, (), self.dtype, ())
        self.scalars.store(self.start_value(), self.place, 0)

    def take(self, value: Lane) -> None:
        """In the body."""
        if self.place is None:
            return
        value = self.scalars.cast(value, self.dtype)
        total = self.combine(self.scalars.load(self.place, 0), value)
        self.scalars.store(total, self.place, 0)

    def finish(self, indices: Sequence[Index]) -> None:
        """After the innermost loops that are summed over."""
        if self.place is None:
            return
        total = self.scalars.load(self.place, 0)
        if self.buffer is None:
            self.nest.results[self.root] = total
            return
        strides = total_strides(self.root, self.buffer)
        coefficients = [strides[group[-1]] for group in self.nest.loops.axes]
        offset = self.nest.sum_of(0, coefficients, indices)
        note = self.nest.note if self.depth == len(self.nest.loops.sizes) else ""
        if self.in_memory:
            total = self.combine(self.scalars.load(self.buffer, offset, note), total)
        self.scalars.store(total, self.buffer, offset, note)
