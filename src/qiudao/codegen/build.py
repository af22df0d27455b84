"""From a program that is native throughout to a function that Python can call."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.program import Program, inner_programs, letters
from .checking import checked_module, is_checked
from .code import GIVEN_UP, Buffer, Code, Module, row_major
from .element import Lane, Scalars
from .engine import Object, attributes, compile, compiled
from .entry import make_entry, python_callable
from .export import Signature, export
from .failures import STATUS_WORDS
from .memory import Arena
from .resident import resident_module
from .scope import Function, Scope

MANY = 6000  # equations from which a program is compiled in the quick way, and runs half as fast
LONG = 400  # from which LLVM's middle settings do
ONCE = 2000  # from which code that hardly repeats itself is compiled in the quick way too
SELDOM = 8  # times that a line runs in a call, up to which code hardly repeats itself
FEW = 0.2  # the part of the work in loops over elements up to which these need not be vectors


class Interface(NamedTuple):
    """What callers of a program's machine code must know.

    `arena` is the bytes of its temporaries; `shared` has the outputs that lie where inputs do.
    """

    inputs: tuple[Aval, ...]
    outputs: tuple[Aval, ...]
    shared: dict[int, int]
    arena: int
    pieces: bool
    may_fail: bool

    @property
    def lone(self) -> bool:
        """Whether there is one output only."""
        return len(self.outputs) == 1


def build(
    program: Program, level: str | None = None, shared: Mapping[int, int] | None = None
) -> Built:
    """Compile a program, which is native throughout, and link it."""
    shared = dict(shared or {})
    module = checked_module() if is_checked() else resident_module()
    text, function = native_function(module, program, True, shared)
    module.define("@program", text)
    level = level or level_of(program, module)
    interface = Interface(
        inputs=tuple(Aval(a.shape, a.dtype) for a in program.avals),
        outputs=tuple(Aval(a.shape, a.dtype) for a in program.results),
        shared=shared,
        arena=function.arena.size,
        pieces=function.pieces,
        may_fail="%status" in text,
    )
    if not shared:
        enter(module, interface, "direct")
    names = ["program"] if shared else ["program", "direct"]
    code = compiled(str(module), module.outside, names, level)
    return Built(interface, code, str(module))


def enter(module: Module, seen: Interface, name: str, address: int | None = None) -> None:
    """Write an entry of the program: `direct`, or `into`."""
    make_entry(module, name, "program", seen.inputs, seen.outputs, seen.arena,
               address=address, into=name == "into", shared=seen.shared.values(),
               release=seen.pieces, lone=seen.lone, fails=seen.may_fail,
               attributes=attributes())  # fmt: skip


class Built:
    """A program's machine code in this process; called with arrays, it gives the tuple of outputs.

    `module` is the text it was made from, where it was made here.  `direct` is the machine code
    itself: it gives a single output bare, and NotImplemented for arguments that are not as it
    expects.

    With `shared` outputs there is `into` alone.
    """

    def __init__(self, interface: Interface, code: Object, module: str = "") -> None:
        self.interface = interface
        self.code = code
        self.module = module
        self.lone = interface.lone
        native = code.native
        self.keep = (native, code)
        self.program = native.address("program")
        self.direct = (
            self.into
            if interface.shared
            else python_callable(native.address("direct"), code=self.keep)
        )

    @functools.cached_property
    def into(self) -> Callable[..., Any]:
        """As `direct`, given arrays for the outputs too; compiled when it is first asked for."""
        module = Module()
        enter(module, self.interface, "into", self.program)
        native = compile(str(module), module.libraries, ["into"])
        return python_callable(native.address("into"), code=(native, self.keep))

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The outputs for arrays of the types that the program takes."""
        found = self.direct(*arrays)
        if found is NotImplemented:
            found = self.direct(*map(conformed, arrays, self.interface.inputs))
        return (found,) if self.lone else found

    def in_place(self, arrays: Sequence[Any]) -> tuple[Any, ...] | None:
        """The outputs, the shared ones in the arrays given; None where an argument does not fit."""
        shared = self.interface.shared
        outputs = [
            arrays[shared[j]] if j in shared else np.empty(aval.shape, aval.dtype)
            for j, aval in enumerate(self.interface.outputs)
        ]
        if self.into(*arrays, *outputs) is NotImplemented:
            return None
        return tuple(y if y.ndim else y[()] for y in outputs)


def conformed(x: Any, aval: Aval) -> Any:
    """An argument as machine code takes it: in its dtype, row by row, aligned."""
    made = np.require(np.asarray(x), aval.dtype, ["C", "A"])
    return made if made.shape == aval.shape else np.reshape(made, aval.shape)


def level_of(program: Program, module: Module) -> str:
    """How a program is compiled, whose functions are in a module."""
    size = size_of(program)
    if size > MANY:
        return "quick"
    work = module.work
    if not work.elements and not work.steps:
        return "straight"
    if size <= LONG:
        return "full"
    if work.elements + work.steps < SELDOM * module.lines:
        return "quick" if size > ONCE else "steps"
    return "middle" if work.elements > FEW * work.steps else "steps"


def size_of(program: Program) -> int:
    """How many equations a program has, those in its bodies included."""
    return len(program.equations) + sum(
        size_of(inner) for e in program.equations for inner in inner_programs(e.primitive)
    )


def native_function(
    module: Module,
    program: Program,
    splits: bool = False,
    shared: Mapping[int, int] | None = None,
) -> tuple[str, Function]:
    """The text of `void @program(ptr %args, ptr %arena)`.

    With `splits` large loops are in pieces; outputs `shared` lie where those inputs do.
    """
    code = Code(module)
    function = Function(code, Arena(), splits)
    scalars = Scalars(code)
    inputs: list[Lane | Buffer] = []
    count = len(program.inputs)
    for k, x in enumerate(program.inputs):
        buffer = argument(code, k, aval_of(x))
        inputs.append(scalars.load(buffer, 0) if buffer.shape == () else buffer)
    outputs = [
        inputs[shared[j]] if shared and j in shared else argument(code, count + j, aval_of(y))
        for j, y in enumerate(program.outputs)
    ]
    Scope(function, program).write(inputs, outputs)  # type: ignore[arg-type]
    code.do("ret void")
    if any("%status" in line for line in code.lines):
        code.start(GIVEN_UP)
        code.do("ret void")
        code.allocas.append(f"  %status.place = {place_text(count + len(outputs))}")
        code.allocas.append("  %status = load ptr, ptr %status.place")
        code.allocas.append(f"  store [{STATUS_WORDS} x i64] zeroinitializer, ptr %status")
    head = "@program(ptr noalias %args, ptr noalias %arena)"
    return code.function(head, attributes=attributes()), function


def place_text(k: int) -> str:
    """Where the address of argument `k` is."""
    return f"getelementptr ptr, ptr %args, i64 {k}"


def argument(code: Code, k: int, aval: Aval) -> Buffer:
    """The memory of an input or output."""
    pointer = code.op(f"load ptr, ptr {code.op(place_text(k))}")
    code.claim(pointer, aval.size * aval.dtype.itemsize)
    return Buffer(pointer, aval.shape, aval.dtype, row_major(aval.shape))


def export_program(
    program: Program, name: str, path: str | os.PathLike[str], ir: bool
) -> list[Path]:
    """Write a program for C (see `export.py`); its inputs are named as when it is printed."""
    module = Module()
    text, function = native_function(module, program)
    module.define("@program", text)
    inputs = {letters(k): Aval(a.shape, a.dtype) for k, a in enumerate(program.avals)}
    results = [Aval(a.shape, a.dtype) for a in program.results]
    outputs = {f"result{k}": aval for k, aval in enumerate(results)}
    signature = Signature("program", inputs, outputs, function.arena.size, "%status" in text)
    return export(str(module), module.libraries, {name: signature}, path, ir=ir)
