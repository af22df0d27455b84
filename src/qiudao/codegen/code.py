"""LLVM's text, line by line: what every emitter of machine code writes into.

A module is text because that is quick: building llvmlite's objects takes longer than LLVM takes to
read what they print.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Dtype, Shape

GIVEN_UP = "given.up"  # the block that leaves a function after a failure

Register = str  # the name of a value, or a constant as LLVM writes it

TYPES = {
    "b1": "i8", "i1": "i8", "u1": "i8", "i2": "i16", "u2": "i16", "i4": "i32", "u4": "i32",
    "i8": "i64", "u8": "i64", "f4": "float", "f8": "double",
}  # fmt: skip

SIZES = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "float": 4, "double": 8}  # in bytes

UNKNOWN = 100  # how many steps a loop is taken to have, where that is not known

UNROLLED = 16  # steps up to which a loop is written out

INTERLEAVED = {"c8": "float", "c16": "double"}  # a complex number lies as its two parts


def memory_type(dtype: Dtype) -> str:
    """The type of one element in memory; of one part of it, for complex numbers."""
    key = f"{dtype.kind}{dtype.itemsize}"
    return INTERLEAVED.get(key) or TYPES[key]


def floating(value: float, type_: str) -> Register:
    """A floating constant, by its bits."""
    if type_ == "float":
        value = struct.unpack("f", struct.pack("f", value))[0] if math.isfinite(value) else value
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def structure_type(each: str, count: int) -> str:
    """The type of several values of one type as one."""
    return f"{{ {', '.join([each] * count)} }}"


class Buffer(NamedTuple):
    """An array in memory: the address of its first element, and how elements follow each other.

    `strides` count elements, not bytes; they are known when compiling, as `shape` is.
    """

    pointer: Register
    shape: Shape
    dtype: Dtype
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def row_major(shape: Shape) -> tuple[int, ...]:
    """The strides of an array whose elements lie in order."""
    strides = [1] * len(shape)
    for k in range(len(shape) - 1, 0, -1):
        strides[k - 1] = strides[k] * max(shape[k], 1)
    return tuple(strides)


Find = Callable[[], int]  # the address of something outside, in the process that asks
Resident = Callable[[str, "Callable[[Module], None]", str], Find]


class Work:
    """How many instructions run in the loops of a module, roughly: what counts is which are more.

    LLVM makes vectors of loops over elements, but not of loops whose steps follow from each other.
    """

    def __init__(self) -> None:
        self.elements = 0.0
        self.steps = 0.0

    def add(self, lines: int, times: float, steps: bool) -> None:
        """A loop of so many lines, which run so many times."""
        if steps:
            self.steps += lines * times
        else:
            self.elements += lines * times


class Module:
    """What the functions of one module share: declarations, constants, and the functions."""

    def __init__(self) -> None:
        self.declarations: dict[str, str] = {}  # by name, so that each is written once
        self.definitions: dict[str, str] = {}
        self.outside: dict[str, Find] = {}  # what other modules or libraries define, by name
        self.metadata: list[str] = []
        self.widest = 64  # bytes of the longest vectors that functions have variants for
        self.resident: Resident | None = None  # where functions are that stay in the process
        self.work = Work()
        self.within = ""  # the function that checks addresses; none, as a rule

    @property
    def libraries(self) -> dict[str, int]:
        """The addresses of what is outside, in this process."""
        return {name: find() for name, find in self.outside.items()}

    @property
    def lines(self) -> int:
        """The lines of all functions."""
        return sum(text.count("\n") for text in self.definitions.values())

    def declare(self, name: str, text: str, find: Find | None = None) -> str:
        """Declare an outside function once; what finds it, where the linker cannot."""
        self.declarations.setdefault(name, text)
        if find is not None:
            self.outside[name.removeprefix("@")] = find
        return name

    def define(self, name: str, text: str) -> str:
        """Add a global or a whole function once."""
        self.definitions.setdefault(name, text)
        return name

    def constant(self, array: Any) -> Register:
        """A global that holds the bytes of an array, aligned for vectors."""
        data = np.ascontiguousarray(array)
        name = f"@constant.{len(self.definitions)}"
        text = "".join(f"\\{byte:02X}" for byte in data.tobytes())
        self.define(name, f'{name} = private constant [{data.nbytes} x i8] c"{text}", align 64')
        return name

    def note(self, *items: str, itself: bool = False) -> str:
        """A metadata node of its own; with `itself` it stands first among its items."""
        name = f"!{len(self.metadata)}"
        inside = ", ".join((name, *items) if itself else items)
        self.metadata.append(f"{name} = distinct !{{{inside}}}")
        return name

    def access_group(self) -> str:
        """A name for memory accesses that no step of a loop makes at the place of another."""
        return self.note()

    def parallel_loop(self, group: str, size: int, chains: bool = False) -> str:
        """The mark of a loop of `size` steps whose accesses of that group do not meet.

        With `chains` each step is a long chain of operations: two run side by side.
        """
        hints = [self.note('!"llvm.loop.parallel_accesses"', group)]
        if size <= UNROLLED and not chains:
            hints.append(self.note('!"llvm.loop.unroll.full"'))
        elif chains:
            hints.append(self.note('!"llvm.loop.interleave.count"', "i32 2"))
        return f", !llvm.loop {self.note(*hints, itself=True)}"

    def vector_loop(self, group: str, lanes: int, count: int) -> str:
        """The mark of a loop of `count` vectors of so many steps, which do not meet either.

        Their width is not demanded: LLVM would print a remark where it makes none, as in checked
        code.
        """
        hints = [self.note('!"llvm.loop.parallel_accesses"', group)]
        if lanes > 1:
            hints.append(self.note('!"llvm.loop.interleave.count"', f"i32 {2 - count % 2}"))
        return f", !llvm.loop {self.note(*hints, itself=True)}"

    def __str__(self) -> str:
        parts = (self.declarations.values(), self.definitions.values(), self.metadata)
        return "\n".join((*itertools.chain.from_iterable(parts), ""))


class Code:
    """The body of one function, written from the top down."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines: list[str] = []
        self.allocas: list[str] = []  # these go to the head, so that loops do not grow the stack
        self.block = "entry"
        self.times = 1.0  # how often the present line runs
        self.count = 0
        self.memory: dict[Register, tuple[Register, int]] = {}  # of pointers, in checked code

    def fresh(self, hint: str = "") -> Register:
        """A new register name."""
        self.count += 1
        return f"%{hint}{self.count}"

    def op(self, text: str) -> Register:
        """One instruction that has a result."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """One instruction without a result."""
        self.lines.append(f"  {text}")

    def structure(self, each: str, values: Sequence[Register]) -> Register:
        """Several values of the type `each` as one."""
        type_, whole = structure_type(each, len(values)), "poison"
        for k, value in enumerate(values):
            whole = self.op(f"insertvalue {type_} {whole}, {each} {value}, {k}")
        return whole

    def parts(self, whole: Register, each: str, count: int) -> list[Register]:
        """The values in a structure of `count`."""
        type_ = structure_type(each, count)
        return [self.op(f"extractvalue {type_} {whole}, {k}") for k in range(count)]

    def alloca(self, type_: str, count: int = 1) -> Register:
        """Memory on the stack for the whole call."""
        name = self.fresh("local")
        self.allocas.append(f"  {name} = alloca [{count} x {type_}], align 64")
        if type_ in SIZES:
            self.claim(name, SIZES[type_] * count)
        return name

    def claim(self, pointer: Register, size: int) -> None:
        """Say that so many bytes from `pointer` on are what it and pointers into it may reach."""
        if self.module.within:
            self.memory[pointer] = (pointer, size)

    def label(self, hint: str) -> str:
        """A new block name."""
        self.count += 1
        return f"{hint}{self.count}"

    def start(self, label: str) -> None:
        """Begin a block; the one before must have ended with a jump."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """End the block by going to `label`."""
        self.do(f"br label %{label}")

    def branch(self, condition: Register, yes: str, no: str) -> None:
        """End the block by going one way or the other."""
        self.do(f"br i1 {condition}, label %{yes}, label %{no}")

    @contextmanager
    def loop(
        self,
        stop: int | Register,
        start: int | Register = 0,
        *,
        hint: str = "i",
        note: str = "",
        steps: bool = False,
    ) -> Iterator[Register]:
        """A counted loop that runs while the index is below `stop`; the index is an i64.

        `note` is metadata for the jump back (", !llvm.loop !0"); `steps` says that each step
        follows from the one before.
        """
        before, head, body, end = self.block, *map(self.label, ("head", "body", "end"))
        index, after = self.fresh(hint), self.fresh("next")
        self.jump(head)
        self.start(head)
        at = len(self.lines)
        self.lines.append("")  # the phi, once the block that jumps back is known
        self.branch(self.op(f"icmp slt i64 {index}, {stop}"), body, end)
        self.start(body)
        known = isinstance(stop, int) and isinstance(start, int)
        with self.repeated(stop - start if known else UNKNOWN, steps):  # type: ignore[operator]
            yield index
        self.do(f"{after} = add nsw i64 {index}, 1")
        self.do(f"br label %{head}{note}")
        self.lines[at] = f"  {index} = phi i64 [ {start}, %{before} ], [ {after}, %{self.block} ]"
        self.start(end)

    @contextmanager
    def repeated(self, times: float, steps: bool = False) -> Iterator[None]:
        """What is written inside runs so many times for once that this line is met."""
        at, outside = len(self.lines), self.times
        self.times = outside * times
        yield
        self.module.work.add(len(self.lines) - at, self.times, steps)
        self.times = outside

    @contextmanager
    def when(self, condition: Register) -> Iterator[None]:
        """What is written inside runs only where the condition (an i1) holds."""
        yes, end = self.label("then"), self.label("end")
        self.branch(condition, yes, end)
        self.start(yes)
        yield
        self.jump(end)
        self.start(end)

    def address(self, buffer: Buffer, offset: int | Register) -> Register:
        """The address of the element `offset` elements after the first."""
        scale = 2 if buffer.dtype.kind == "c" else 1
        type_ = memory_type(buffer.dtype)
        if scale == 2:
            type_ = f"[2 x {type_}]"
        inbounds = "" if self.module.within else "inbounds "
        made = self.op(f"getelementptr {inbounds}{type_}, ptr {buffer.pointer}, i64 {offset}")
        if buffer.pointer in self.memory:
            self.memory[made] = self.memory[buffer.pointer]
        return made

    def place(self, buffer: Buffer, offset: int | Register) -> Register:
        """The address of an element that is read or written."""
        return self.checked(self.address(buffer, offset), buffer.dtype.itemsize)

    def checked(self, address: Register, size: int) -> Register:
        """An address from which `size` bytes are read or written, in checked code compared with
        the memory that it should be in.
        """
        known = self.memory.get(address)
        if known is None:
            return address
        start, total = known
        return self.op(
            f"call ptr {self.module.within}(ptr %status, ptr {address}, ptr {start}, "
            f"i64 {total}, i64 {size})"
        )

    def load(self, buffer: Buffer, offset: int | Register) -> Register:
        """A real element, as its memory type."""
        return self.op(f"load {memory_type(buffer.dtype)}, ptr {self.place(buffer, offset)}")

    def store(self, value: Register, buffer: Buffer, offset: int | Register) -> None:
        """Write a real element."""
        self.do(f"store {memory_type(buffer.dtype)} {value}, ptr {self.place(buffer, offset)}")

    def function(self, head: str, result: str = "void", attributes: str = "") -> str:
        """The text of the function: `head` is its name and parameters, `@f(ptr %a)`."""
        body = "\n".join((*self.allocas, *self.lines))
        return f"define {result} {head} {attributes} {{\nentry:\n{body}\n}}"
