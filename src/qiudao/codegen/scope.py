"""A program, or the body of a loop, written into a native function.

Values are held as lanes (numbers, in registers) or buffers (arrays, in memory).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Dtype, Shape, aval_of
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Atom, Program, operands_of
from ..ops.control import Rows, Scan, Switch, While
from .carried import SMALL
from .code import GIVEN_UP, Buffer, Code, Register, row_major
from .courses import courses_of, nests_of
from .element import Lane, NoNativeForm, Place, Scalars, constant
from .kernels.table import kernel_for
from .maps import VIEWS, viewed
from .memory import Arena
from .native import is_fused
from .nest import Nest, element
from .picks import READS
from .pieces import write_in_pieces
from .plan import Plan, Root
from .search import Search
from .side_by_side import Call, write_side_by_side
from .strips import write_course
from .structured import is_matrix_vector, results_of, write_control

COPIED = 8  # elements up to which a copy is written out
COLUMNS = 64  # up to which a block of rows lies column by column
WRITTEN_OUT = 1 << 12  # bytes up to which a constant is part of the code


def address_of_data(array: np.ndarray[Any, Any]) -> int:
    """Where the elements of an array lie."""
    return array.ctypes.data


class Function:
    """What all scopes of one native function share.

    Where it `splits`, large loops are cut into pieces that threads share; `pieces` says whether any
    was.
    """

    def __init__(self, code: Code, arena: Arena, splits: bool = False) -> None:
        self.code = code
        self.arena = arena
        self.splits = splits
        self.pieces = False
        self.constants: dict[int, tuple[Any, Buffer]] = {}

    def constant(self, array: np.ndarray[Any, Any]) -> Buffer:
        """A constant array in memory."""
        known = self.constants.get(id(array))
        if known is not None:
            return known[1]
        data = np.ascontiguousarray(array)
        module = self.code.module
        if data.nbytes <= WRITTEN_OUT:
            pointer = module.constant(data)
        else:
            pointer = f"@held.{len(module.outside)}"
            find = functools.partial(address_of_data, data)
            module.declare(pointer, f"{pointer} = external global i8", find)
        self.code.claim(pointer, data.nbytes)
        made = Buffer(pointer, data.shape, data.dtype, row_major(data.shape))
        self.constants[id(array)] = (array, made)
        return made


class Scope:
    """One program, being written."""

    def __init__(self, function: Function, program: Program, rows: int = 0) -> None:
        self.function = function
        self.rows = rows  # of a block: arrays of few columns lie column by column
        self.code = function.code
        self.scalars = Scalars(self.code)
        self.program = program
        self.plan = Plan(program, is_fused)
        self.places: dict[Node, Any] = {}  # a Place, or a tuple of them for several results
        self.blocks: dict[Node | None, list[tuple[int, int]]] = {}
        self.parts: dict[tuple[Node, int], Node] = {
            (operands_of(e)[0], e.primitive.index): e
            for e in program.equations
            if isinstance(e.primitive, Part)
        }
        self.wanted: dict[Node, Buffer] = {}
        self.turned: dict[Node, Buffer] = {}  # matrices column by column, for products with vectors

    def write(self, inputs: Sequence[Place], outputs: Sequence[Buffer | None]) -> list[Place]:
        """Write the program.  An output with a buffer is stored there; the others are returned
        where they are.
        """
        self.places.update(zip(self.program.inputs, inputs, strict=True))
        for y, buffer in zip(self.program.outputs, outputs, strict=True):
            if buffer is not None and isinstance(y, Equation) and y not in self.wanted:
                root = self.plan.roots.get(y)
                kind = "scalar" if root is None or y.shape == () else root.kind
                if kind == "map" or (kind != "scalar" and is_dense(buffer)):
                    self.wanted[y] = buffer
        self.last_reads()
        self.write_levels()
        found: list[Place] = []
        for y, buffer in zip(self.program.outputs, outputs, strict=True):
            place = self.place(y)
            if buffer is not None:
                self.store(place, buffer)
            found.append(place)
        return found

    def write_levels(self) -> None:
        """All levels in turn, those that can go by strips together."""
        courses = courses_of(self.plan)
        level = 0
        while level < len(self.plan.levels):
            course = courses.get(level)
            if course is not None and write_course(self, course):
                done = range(level, course.stop)
            else:
                self.write_level(level, self.plan.levels[level])
                done = range(level, level + 1)
            for each in done:
                for node in self.dying.get(each, ()):
                    self.give_back(node)
            level = done.stop

    def write_level(self, level: int, roots: Sequence[Root]) -> None:
        """Scalars first, which loops read; then what regions stand in; then loops and calls."""
        calls: list[Root] = []
        for root in roots:
            if root.kind == "scalar":
                self.write_scalar(root)
            elif root.kind == "call":
                calls.append(root)
        for root in self.starting.get(level, ()):
            self.prepare(root)
        for group in nests_of(roots):
            if 0 in group[0].space and all(r.kind != "reduce" for r in group):
                for root in group:
                    self.target(root)
                continue
            for root, lane in self.write_nest(group).items():
                self.places[root.equation] = lane
        heavy: list[tuple[Root, Call]] = []
        for root in calls:
            begun = len(self.code.lines)
            call = self.write_call(root)
            if call is not None and self.function.splits and call.is_heavy:
                heavy.append((root, call))
            elif call is not None:
                self.finish(root, call)
            self.check(begun)
        if heavy:
            begun = len(self.code.lines)
            if write_side_by_side(self.code, [call for _, call in heavy], self.new_buffer):
                self.function.pieces = True
                for root, call in heavy:
                    self.place_results(root, call)
            else:
                for each in heavy:
                    self.finish(*each)
            self.check(begun)

    def write_nest(self, group: Sequence[Root]) -> dict[Root, Lane]:
        """A loop nest, in pieces if it is large; its reductions to one number."""
        if self.function.splits:
            found = write_in_pieces(self.code, group, self.held, self.target, self.new_buffer)
            if found is not None:
                self.function.pieces = True
                self.report(found)
                return found.results
        nest = Nest(self.code, group, self.held, self.target)
        nest.write()
        self.report(nest)
        return nest.results

    def check(self, begun: int) -> None:
        """Give up where what was written since then can go wrong, and does."""
        if any("%status" in line for line in self.code.lines[begun:]):
            self.give_up()

    def give_up(self) -> None:
        """Leave the function where something went wrong: what follows may not end without."""
        code = self.code
        fine, on = code.op("load i64, ptr %status"), code.label("fine")
        code.branch(code.op(f"icmp eq i64 {fine}, 0"), on, GIVEN_UP)
        code.start(on)

    def give_back(self, owner: Node | None) -> None:
        """Give the memory of a value back."""
        for block in self.blocks.pop(owner, ()):
            self.function.arena.give(block)

    def release(self) -> None:
        """Give back all memory that is left, once nothing of this scope is read any more."""
        for owner in list(self.blocks):
            self.give_back(owner)

    # Where values are

    def last_reads(self) -> None:
        """On which level each root is read last, and each region is begun."""
        self.starting: dict[int, list[Root]] = {}
        last: dict[Node, int] = {}
        for root in self.plan.roots.values():
            if root.regions:
                self.starting.setdefault(root.start, []).append(root)
            last[root.equation] = max(last.get(root.equation, 0), root.level)
        readers = [r for level in self.plan.levels for r in level]
        for root in (*readers, *(r for r in self.plan.roots.values() if r.regions)):
            for x, _ in root.reads:
                if isinstance(x, Node):
                    last[x] = max(last.get(x, 0), root.level)
        for node in reversed(self.program.equations):  # memory that another value lives on in
            if node in last:
                for x in self.plan.shown_by(node):
                    last[x] = max(last.get(x, 0), last[node])
        for y in self.program.outputs:
            if isinstance(y, Node):
                self.keep(y, last)
        self.last = last
        self.dying: dict[int, list[Node]] = {}

    def keep(self, x: Node, last: dict[Node, int]) -> None:
        """An output lives to the end, and so does the memory that it is a view of."""
        stack, done = [x], set[Node]()
        while stack:
            node = stack.pop()
            if node in done:
                continue
            done.add(node)
            last[node] = len(self.plan.levels)
            if isinstance(node, Equation):
                stack.extend(self.plan.shown_by(node))

    def new_buffer(self, shape: Shape, dtype: Dtype, owner: Node | None = None) -> Buffer:
        """Memory for a value, given back after the level on which its owner is read last."""
        count = math.prod(shape) * dtype.itemsize
        if count <= SMALL:
            pointer = self.code.alloca("i8", max(count, 1))
        else:
            block = self.function.arena.take(count)
            self.blocks.setdefault(owner, []).append(block)
            if owner is not None:
                self.dying.setdefault(self.last.get(owner, 0), []).append(owner)
            pointer = self.code.op(f"getelementptr inbounds i8, ptr %arena, i64 {block[0]}")
            self.code.claim(pointer, count)
        return Buffer(pointer, shape, dtype, self.layout(shape))

    def layout(self, shape: Shape) -> tuple[int, ...]:
        """The strides of a temporary."""
        few = len(shape) > 1 and shape[0] == self.rows and math.prod(shape[1:]) <= COLUMNS
        if not few:
            return row_major(shape)
        return (1, *(stride * shape[0] for stride in row_major(shape[1:])))

    def target(self, root: Root) -> Buffer | None:
        """Where a root is stored; None for one that stays in a register."""
        node = root.equation
        if root.kind == "region":
            place: Buffer = self.places[node]
            return place
        if not root.stored or (root.kind == "reduce" and node.shape == ()):
            return None
        if node not in self.places:
            self.places[node] = self.wanted.get(node) or self.new_buffer(
                node.shape, node.dtype, node
            )
        found: Buffer = self.places[node]
        return found

    def held(self, x: Atom) -> Place | None:
        """Where an atom is that is computed already; None for what is not."""
        if not isinstance(x, Node):
            return self.place(x)
        found: Place | None = self.places.get(x)
        if found is None and x in self.plan.aliases:
            return self.place(x)
        return found

    def place(self, x: Atom) -> Place:
        """Where an atom is."""
        if not isinstance(x, Node):
            return constant(x) if np.ndim(x) == 0 else self.function.constant(x)
        found = self.places.get(x)
        if found is None and x in self.plan.inlined and x.shape == ():
            return self.number(x)
        if found is None:
            found = self.view(x)
            self.places[x] = found
        return found

    def view(self, x: Node) -> Place:
        """A view as a buffer."""
        (source,) = operands_of(x)  # type: ignore[arg-type]
        place = self.place(source)
        if isinstance(place, Lane):
            buffer = self.new_buffer((), place.dtype)
            self.scalars.store(place, buffer, 0)
            place = buffer
        found = viewed(x.primitive, place, x.shape)  # type: ignore[attr-defined]
        if found is None:
            found = viewed(x.primitive, self.in_order(place), x.shape)  # type: ignore[attr-defined]
        if found is None:
            raise NoNativeForm(f"{x!r} is no view of memory in order")
        offset, buffer = found
        if offset:
            buffer = buffer._replace(pointer=self.code.address(buffer, offset))
        return buffer

    def in_order(self, buffer: Buffer) -> Buffer:
        """The same elements row by row, copied where they are not."""
        if buffer.strides == row_major(buffer.shape) or buffer.size <= 1:
            return buffer._replace(strides=row_major(buffer.shape))
        made = self.new_buffer(buffer.shape, buffer.dtype)
        made = made._replace(strides=row_major(buffer.shape))
        self.copy(buffer, made)
        return made

    def array(self, x: Atom) -> Buffer:
        """An atom in memory."""
        place = self.place(x)
        if isinstance(place, Buffer):
            return place
        buffer = self.new_buffer((), place.dtype)
        self.scalars.store(place, buffer, 0)
        return buffer

    # Writing

    def write_scalar(self, root: Root) -> None:
        """A number, computed here and now."""
        equation = root.equation
        if isinstance(equation.primitive, READS):
            self.places[equation] = self.alone(equation)
            return
        lanes = [self.number(x) for x in operands_of(equation)]
        self.places[equation] = element(self.scalars, equation, lanes)

    def number(self, x: Atom) -> Lane:
        """An atom without axes as a lane."""
        place = self.held(x)
        if place is None:
            lane = self.places[x] = self.alone(x)
            return lane
        return self.scalars.load(place, 0) if isinstance(place, Buffer) else place

    def alone(self, x: Equation) -> Lane:
        """The value of an equation without axes, which nothing is to store."""
        nest = Nest(self.code, [Root(x, "map", ())], self.held, lambda _: None)
        nest.write()
        self.report(nest)
        return nest.lanes[x, ()]

    def report(self, nest: Nest) -> None:
        """Leave the function where a nest came by an index that is out of bounds."""
        if nest.flag is None:
            return
        found = self.scalars.register(self.scalars.load(nest.flag, 0))
        with self.code.when(self.code.op(f"icmp ne i8 {found}, 0")):
            for pick in nest.checks:
                Search(self.code, pick, self.held).write()
        self.give_up()

    def prepare(self, root: Root) -> None:
        """What stands in an array before its regions are written."""
        node = root.equation
        if root.kind == "onto":
            base = self.place(root.base)
            self.places[node] = base
            return
        buffer = self.wanted.get(node) or self.new_buffer(node.shape, node.dtype, node)
        self.places[node] = buffer
        filled = sum(math.prod(r.space) for r in root.regions)
        if root.kind == "scatter" or (root.kind == "place" and filled < buffer.size):
            self.fill(buffer)
        elif root.kind == "write":
            self.store(self.place(root.base), buffer)

    def fill(self, buffer: Buffer) -> None:
        """Zeros everywhere."""
        count = buffer.size * buffer.dtype.itemsize
        name = self.code.module.declare(
            "@llvm.memset.p0.i64", "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"
        )
        self.code.do(f"call void {name}(ptr {buffer.pointer}, i8 0, i64 {count}, i1 false)")

    def store(self, place: Place, buffer: Buffer) -> None:
        """Put a value where it is wanted."""
        if isinstance(place, Lane) and buffer.size == 1:
            self.scalars.store(place, buffer, 0)
        elif isinstance(place, Lane):
            with self.code.loop(buffer.size) as i:
                self.scalars.store(place, buffer, i)
        elif place != buffer:
            self.copy(place, buffer)

    def copy(self, source: Buffer, target: Buffer) -> None:
        """Copy elements between arrays of one shape."""
        rows = row_major(source.shape)
        in_order = source.strides == rows == target.strides or source.size <= 1
        if in_order and source.size <= COPIED:  # LLVM finds numbers in registers sooner
            for k in range(source.size):
                self.scalars.store(self.scalars.load(source, k), target, k)
            return
        if in_order and source.dtype == target.dtype:
            count = source.size * source.dtype.itemsize
            name = self.code.module.declare(
                "@llvm.memmove.p0.p0.i64",
                "declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)",
            )
            self.code.do(
                f"call void {name}(ptr {target.pointer}, ptr {source.pointer}, i64 {count}, "
                "i1 false)"
            )
            return
        self.copy_axes(source, target, 0, 0, 0)

    def copy_axes(
        self, source: Buffer, target: Buffer, axis: int, start: Register | int, end: Register | int
    ) -> None:
        """The loops of a copy from `axis` on."""
        code = self.code
        if axis == len(source.shape):
            self.scalars.store(self.scalars.load(source, start), target, end)
            return
        with code.loop(source.shape[axis]) as i:
            step = code.op(f"mul nsw i64 {i}, {source.strides[axis]}")
            there = code.op(f"mul nsw i64 {i}, {target.strides[axis]}")
            self.copy_axes(
                source, target, axis + 1,
                code.op(f"add nsw i64 {start}, {step}"), code.op(f"add nsw i64 {end}, {there}"),
            )  # fmt: skip

    def write_call(self, root: Root) -> Call | None:
        """A loop or branch with a body of its own; or a kernel, to be written with the operands."""
        equation = root.equation
        primitive = equation.primitive
        operands = operands_of(equation)
        if isinstance(primitive, Part):
            self.places[equation] = self.places[operands[0]][primitive.index]
            return None
        if isinstance(primitive, Scan | While | Switch | Rows):
            write_control(self, equation)
            return None
        if isinstance(primitive, VIEWS):
            (aval,) = results_of(equation)
            buffer = self.result_buffer(equation, 0, aval)
            self.store(self.view(equation), buffer)
            self.places[equation] = buffer
            return None
        avals = results_of(equation)
        kernel = kernel_for(primitive, [aval_of(x) for x in operands], avals)
        if kernel is None:
            raise NoNativeForm(f"{primitive.name} has no native form")
        buffers = [self.array(x) for x in operands]
        matrix = operands[0] if operands else None
        if isinstance(matrix, Node) and matrix in self.turned and is_matrix_vector(equation):
            buffers[0] = self.turned[matrix]
        if not kernel.accepts_strides:
            buffers = [self.in_order(b) for b in buffers]
        results = [self.result_buffer(equation, k, aval) for k, aval in enumerate(avals)]
        return Call(kernel, primitive, buffers, results)

    def finish(self, root: Root, call: Call) -> None:
        """Write a call where it stands."""
        room = call.scratch
        scratch = [self.new_buffer((room,), np.dtype(np.uint8))] if room else []
        if call.write(self.code, scratch, self.function.splits):
            self.function.pieces = True
        self.place_results(root, call)

    def place_results(self, root: Root, call: Call) -> None:
        """Where the results of a call are."""
        places = [self.scalars.load(b, 0) if b.shape == () else b for b in call.results]
        several = root.equation.is_several
        self.places[root.equation] = tuple(places) if several else places[0]

    def result_buffer(self, equation: Equation, k: int, aval: Aval) -> Buffer:
        """Where result `k` of a call goes."""
        reader = equation if not equation.is_several else self.parts.get((equation, k))
        if reader is not None and reader in self.wanted:
            return self.wanted[reader]
        made = self.new_buffer(aval.shape, aval.dtype, equation)
        return made._replace(strides=row_major(aval.shape))

    def loaded(self, place: Place) -> Place:
        """A number in memory as a lane."""
        is_number = isinstance(place, Buffer) and place.shape == ()
        return self.scalars.load(place, 0) if is_number else place  # type: ignore[arg-type]

    def write_body(
        self,
        program: Program,
        inputs: Sequence[Place],
        outputs: Sequence[Buffer | None],
        rows: int = 0,
        turned: dict[Node, Buffer] | None = None,
    ) -> list[Place]:
        """A body, in the block that is being written."""
        scope = Scope(self.function, program, rows)
        scope.turned = turned or {}
        found = scope.write(list(map(self.loaded, inputs)), outputs)
        scope.release()
        return found

    def row(self, stack: Buffer, i: Register) -> Buffer:
        """The part of a stacked array that belongs to step `i`."""
        start = self.code.op(f"mul nsw i64 {i}, {stack.strides[0]}")
        pointer = self.code.address(stack, start)
        return Buffer(pointer, stack.shape[1:], stack.dtype, stack.strides[1:])

    def apart(self, code: Code) -> Scope:
        """A scope of nothing yet, in another function."""
        return Scope(Function(code, Arena()), Program((), (), ()))


def is_dense(buffer: Buffer) -> bool:
    """Whether the elements of an array lie row by row, without gaps."""
    return buffer.strides == row_major(buffer.shape)
