"""A program, or the body of a loop, written into a native function.

Values are held as lanes (numbers, in registers) or buffers (arrays, in memory).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Dtype, Shape, aval_of
from ..core.node import Equation, Node
from ..core.parts import Part
from ..core.program import Atom, Program, operands_of
from ..ops.control import Scan, Switch, While
from .code import Buffer, Code, Register, row_major
from .element import Lane, NoNativeForm, Scalars, constant
from .kernels.table import kernel_for
from .maps import viewed
from .memory import Arena
from .native import is_fused
from .nest import Nest, element
from .plan import Plan, Root

Place = Lane | Buffer

SMALL = 256  # bytes up to which a temporary is on the stack, where LLVM can keep it in registers
WRITTEN_OUT = 1 << 12  # bytes up to which a constant is part of the code


class Function:
    """What all scopes of one native function share."""

    def __init__(self, code: Code, arena: Arena) -> None:
        self.code = code
        self.arena = arena
        self.held: dict[str, np.ndarray[Any, Any]] = {}  # large constants, by symbol
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
            pointer = f"@held.{len(self.held)}"
            module.declare(pointer, f"{pointer} = external global i8", data.ctypes.data)
            self.held[pointer] = data
        made = Buffer(pointer, data.shape, data.dtype, row_major(data.shape))
        self.constants[id(array)] = (array, made)
        return made


class Scope:
    """One program, being written."""

    def __init__(self, function: Function, program: Program) -> None:
        self.function = function
        self.code = function.code
        self.scalars = Scalars(self.code)
        self.program = program
        self.plan = Plan(program, is_fused)
        self.places: dict[Node, Any] = {}  # a Place, or a tuple of them for several results
        self.blocks: dict[Node, tuple[int, int]] = {}
        self.wanted: dict[Node, Buffer] = {}

    def write(self, inputs: Sequence[Place], outputs: Sequence[Buffer | None]) -> list[Place]:
        """Write the program.  An output with a buffer is stored there; the others are returned
        where they are.
        """
        self.places.update(zip(self.program.inputs, inputs, strict=True))
        for y, buffer in zip(self.program.outputs, outputs, strict=True):
            if buffer is not None and isinstance(y, Equation) and y not in self.wanted:
                root = self.plan.roots.get(y)
                if root is not None and root.kind not in ("scalar",) and y.shape != ():
                    self.wanted[y] = buffer
        self.last_reads()
        for level, roots in enumerate(self.plan.levels):
            self.write_level(level, roots)
        found: list[Place] = []
        for y, buffer in zip(self.program.outputs, outputs, strict=True):
            place = self.place(y)
            if buffer is not None:
                self.store(place, buffer)
            found.append(place)
        return found

    def write_level(self, level: int, roots: Sequence[Root]) -> None:
        """Scalars first, which loops read; then what regions stand in; then loops and calls."""
        groups: dict[Shape, list[Root]] = {}
        calls: list[Root] = []
        for root in roots:
            if root.kind == "scalar":
                self.write_scalar(root)
            elif root.kind == "call":
                calls.append(root)
            elif root.kind in ("map", "reduce", "region"):
                groups.setdefault(root.space, []).append(root)
        for root in self.starting.get(level, ()):
            self.prepare(root)
        for space, group in groups.items():
            if 0 in space and all(r.kind != "reduce" for r in group):
                for root in group:
                    self.target(root)
                continue
            nest = Nest(self.code, group, self.held, self.target)
            nest.write()
            for root, lane in nest.results.items():
                self.places[root.equation] = lane
        for root in calls:
            self.write_call(root)
        for node in self.dying.get(level, ()):
            self.function.arena.give(self.blocks.pop(node))

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
            for x in operands_of(node):
                root = self.plan.roots.get(node)
                alias = root is None or root.kind == "onto" or isinstance(node.primitive, Part)
                if alias and isinstance(x, Node) and node in last:
                    last[x] = max(last.get(x, 0), last[node])
        for y in self.program.outputs:
            if isinstance(y, Node):
                self.keep(y, last)
        self.last = last
        self.dying: dict[int, list[Node]] = {}

    def keep(self, x: Node, last: dict[Node, int]) -> None:
        """An output lives to the end, and so does the memory that it is a view of."""
        stack = [x]
        while stack:
            node = stack.pop()
            last[node] = len(self.plan.levels)
            root = self.plan.roots.get(node)
            if isinstance(node, Equation) and (
                root is None or root.kind == "onto" or isinstance(node.primitive, Part)
            ):
                stack.extend(y for y in operands_of(node) if isinstance(y, Node))

    def new_buffer(self, shape: Shape, dtype: Dtype, owner: Node | None = None) -> Buffer:
        """Memory for a value, given back after the level on which its owner is read last."""
        count = math.prod(shape) * dtype.itemsize
        if count <= SMALL:
            pointer = self.code.alloca("i8", max(count, 1))
        else:
            block = self.function.arena.take(count)
            if owner is not None:
                self.blocks[owner] = block
                self.dying.setdefault(self.last.get(owner, 0), []).append(owner)
            pointer = self.code.op(f"getelementptr inbounds i8, ptr %arena, i64 {block[0]}")
        return Buffer(pointer, shape, dtype, row_major(shape))

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
        if found is None:
            found = self.view(x)
            self.places[x] = found
        return found  # type: ignore[no-any-return]

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
        lanes = [self.number(x) for x in operands_of(equation)]
        self.places[equation] = element(self.scalars, equation, lanes)

    def number(self, x: Atom) -> Lane:
        """An atom without axes as a lane."""
        place = self.held(x)
        if place is None:
            root = Root(x, "map", ())
            nest = Nest(self.code, [root], self.held, lambda _: None)
            nest.write()
            lane = nest.lanes[x, ()]
            self.places[x] = lane
            return lane
        return self.scalars.load(place, 0) if isinstance(place, Buffer) else place

    def prepare(self, root: Root) -> None:
        """What stands in an array before its regions are written."""
        node = root.equation
        if root.kind == "onto":
            base = self.place(root.base)
            self.places[node] = base
            return
        buffer = self.wanted.get(node) or self.new_buffer(node.shape, node.dtype, node)
        self.places[node] = buffer
        if root.kind == "place" and sum(math.prod(r.space) for r in root.regions) < buffer.size:
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
        if isinstance(place, Lane):
            with self.code.loop(buffer.size) as i:
                self.scalars.store(place, buffer, i)
        elif place != buffer:
            self.copy(place, buffer)

    def copy(self, source: Buffer, target: Buffer) -> None:
        """Copy elements between arrays of one shape; the target is row by row."""
        in_order = source.strides == row_major(source.shape) or source.size <= 1
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

    def write_call(self, root: Root) -> None:
        """A kernel, or a loop or branch with a body of its own."""
        equation = root.equation
        primitive = equation.primitive
        operands = operands_of(equation)
        if isinstance(primitive, Part):
            self.places[equation] = self.places[operands[0]][primitive.index]
            return
        if isinstance(primitive, Scan | While | Switch):
            self.write_control(equation)
            return
        avals = results_of(equation)
        kernel = kernel_for(primitive, [aval_of(x) for x in operands], avals)
        if kernel is None:
            raise NoNativeForm(f"{primitive.name} has no native form")
        buffers = [self.array(x) for x in operands]
        if not kernel.accepts_strides:
            buffers = [self.in_order(b) for b in buffers]
        results = [self.result_buffer(equation, k, aval) for k, aval in enumerate(avals)]
        count = kernel.scratch(primitive, buffers, avals)
        if count:
            buffers.append(self.new_buffer((count,), np.dtype(np.uint8)))
        kernel(self.code, primitive, buffers, results)
        places: list[Place] = [
            self.scalars.load(b, 0) if b.shape == () else b for b in results
        ]
        self.places[equation] = tuple(places) if equation.shape is None else places[0]

    def result_buffer(self, equation: Equation, k: int, aval: Aval) -> Buffer:
        """Where result `k` of a call goes."""
        if equation.shape is not None and equation in self.wanted:
            return self.wanted[equation]
        return self.new_buffer(aval.shape, aval.dtype, equation if equation.shape else None)

    def write_control(self, equation: Equation) -> None:
        """A structured loop or a branch."""
        raise NoNativeForm(f"{equation.primitive.name} has no native form")


def results_of(equation: Equation) -> list[Aval]:
    """The types of the results of an equation."""
    stated: Any = equation.primitive.shape(*map(aval_of, operands_of(equation)))
    return [stated] if isinstance(stated, Aval) else list(stated)
