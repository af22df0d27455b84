"""The door from Python into a compiled program, itself machine code: a call costs no Python.

A program is `void @program(ptr %args, ptr %arena)`, where `args` points to the addresses of the
data of its inputs, then of its outputs, and `arena` to memory for what lies between.  Its entry is
a function as CPython calls them (`METH_FASTCALL`), which

    checks the arguments -> makes the outputs -> runs the program -> returns them

or returns NotImplemented where an argument is not what the program was compiled for: then Python
takes the long way, which converts or complains.  A program that `fails` finds the address of its
status after those of its outputs, and what it reports there is raised.

The layouts read here are the public ones of CPython's and NumPy 2's headers.  Nothing of this
process is in the text, since objects are kept on disk: functions, types and dtypes are names,
whose addresses are found when the code is linked (`Module.outside`).
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import struct
import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..core.avals import Aval, Dtype
from . import reserve
from .code import Code, Find, Module, Register
from .failures import STATUS_WORDS, raise_failure

# Byte offsets.  A PyObject ends with its type; what a float, a complex or a NumPy scalar holds
# comes right after it.
HEAD = object.__basicsize__
TYPE = HEAD - 8
DATA, NDIM, DIMENSIONS, DESCR, FLAGS = HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48  # ndarray
BYTEORDER, TYPE_NUMBER = HEAD + 10, HEAD + 12  # of a descr

C_CONTIGUOUS, ALIGNED, WRITEABLE = 0x0001, 0x0100, 0x0400
WARN_ON_WRITE = 1 << 31

API = {"PyArray_Scalar": 60, "PyArray_NewFromDescr": 94}  # places in NumPy's table of functions

ON_STACK = 2**11 if sys.platform == "win32" else 2**15  # bytes of arena that lie on the stack
ALIGNMENT = 64  # of the arena
INLINED = 4  # arguments up to which checks are written out

PYTHON_SCALARS = {"d": float, "D": complex}  # by dtype: these hold their value as NumPy's do

METH_FASTCALL = 0x0080
QUICK = " noinline optnone"  # to LLVM: this has many branches and runs once a call


def is_supported() -> bool:
    """Whether this Python has the layouts that entries read: CPython with 64 bits."""
    return sys.implementation.name == "cpython" and struct.calcsize("P") == 8


def make_entry(
    module: Module,
    name: str,
    program: str,
    inputs: Sequence[Aval],
    outputs: Sequence[Aval],
    arena_bytes: int = 0,
    *,
    address: int | None = None,
    into: bool = False,
    shared: Collection[int] = (),
    release: bool = False,
    lone: bool = True,
    fails: bool = False,
    attributes: str = "nounwind",
) -> str:
    """Add the function `@name` to the module: the entry of `@program`.

    `program` is defined in the same module, or lies at `address`.  With `into` the caller passes
    arrays for the outputs after the inputs, and gets None; the inputs `shared` may be among them.
    With `release` other Python threads run meanwhile.  A single output comes back by itself if
    `lone`, else in a tuple; an output without axes comes back as a NumPy scalar.

    A weak input takes a Python scalar of its type and nothing else (an int as int64); another input
    without axes takes an array, a NumPy scalar, and for float64 and complex128 the Python scalar
    as well.  Data is contiguous and aligned to its items, not more; the arena to 64 bytes.
    """
    if address is not None:
        module.declare(program, f"declare void @{program}(ptr, ptr)", lambda: address)
    writer = Entry(module, program, inputs, outputs, arena_bytes, release, fails, attributes)
    return writer.write(name, into, lone, shared)


class Entry:
    """The writing of one entry."""

    def __init__(
        self,
        module: Module,
        program: str,
        inputs: Sequence[Aval],
        outputs: Sequence[Aval],
        arena_bytes: int,
        release: bool,
        fails: bool,
        attributes: str,
    ) -> None:
        self.module = module
        self.code = Code(module)
        self.program = program
        self.inputs = inputs
        self.outputs = outputs
        self.arena_bytes = arena_bytes
        self.release = release
        self.fails = fails
        self.attributes = attributes
        self.made: list[Register] = []  # objects to give up where a later step fails

    def write(self, name: str, into: bool, lone: bool, shared: Collection[int]) -> str:
        """The whole function, from the number of arguments to the result."""
        code, inputs, outputs = self.code, self.inputs, self.outputs
        taken = (*inputs, *outputs) if into else tuple(inputs)
        self.need(code.op(f"icmp eq i64 %count, {len(taken)}"))
        self.slots = code.alloca("ptr", max(len(inputs) + len(outputs) + self.fails, 1))
        for k, aval in enumerate(taken):
            item = code.op(f"load ptr, ptr {code.op(f'getelementptr ptr, ptr %objects, i64 {k}')}")
            data = self.data_of(item, aval, k >= len(inputs))
            self.need(code.op(f"icmp ne ptr {data}, null"))
            code.do(f"store ptr {data}, ptr {self.slot(k)}")
        if into:
            self.need_apart(shared)
            self.run()
            self.give(self.object("_Py_NoneStruct", None))
        else:
            places = self.make_outputs()
            self.run()
            self.finish(
                [
                    place if aval.ndim else self.box(aval, place)
                    for aval, place in zip(outputs, places, strict=True)
                ],
                lone,
            )
        code.start("other")
        self.give(self.object("_Py_NotImplementedStruct", NotImplemented))
        self.write_failures()
        head = f"@{name}(ptr %self, ptr %objects, i64 %count)"
        attributes = self.attributes + ("" if into else QUICK)
        self.module.define(f"@{name}", code.function(head, "ptr", attributes))
        return name

    # Arguments.

    def need(self, condition: Register) -> None:
        """Go on only where the condition holds; else let Python take the long way."""
        after = self.code.label("ok")
        self.code.branch(condition, after, "other")
        self.code.start(after)

    def slot(self, k: int) -> Register:
        """The place of the address of the data of argument `k`."""
        return self.code.op(f"getelementptr ptr, ptr {self.slots}, i64 {k}")

    def data_of(self, item: Register, aval: Aval, written: bool) -> Register:
        """The address of the data of an argument, null where it is not what is expected."""
        code = self.code
        if aval.ndim or written:
            return self.array_data(item, aval, written)
        kind = code.op(f"load ptr, ptr {self.field(item, TYPE)}")
        value = self.field(item, HEAD)
        if aval.weak:
            python = self.object(f"Py_{aval.weak.__name__}", aval.weak)
            self.need(code.op(f"icmp eq ptr {kind}, {python}"))
            return self.integer(item, aval.weak) if aval.weak in (int, bool) else value
        scalar = aval.dtype.type
        fits = code.op(f"icmp eq ptr {kind}, {self.object(f'numpy.{scalar.__name__}', scalar)}")
        python_scalar = PYTHON_SCALARS.get(aval.dtype.char)
        if python_scalar is not None:
            python = self.object(f"Py_{python_scalar.__name__}", python_scalar)
            fits = code.op(f"or i1 {fits}, {code.op(f'icmp eq ptr {kind}, {python}')}")
        before, array, after = code.block, code.label("array"), code.label("data")
        code.branch(fits, after, array)
        code.start(array)
        data = self.array_data(item, aval, written)
        code.jump(after)
        code.start(after)
        return code.op(f"phi ptr [ {value}, %{before} ], [ {data}, %{array} ]")

    def integer(self, item: Register, kind: type) -> Register:
        """The address of the value of a Python int, as 64 bits, or of a bool, as 8."""
        code = self.code
        if kind is bool:
            place = code.alloca("i8")
            true = self.object("_Py_TrueStruct", True)
            truth = code.op(f"zext i1 {code.op(f'icmp eq ptr {item}, {true}')} to i8")
            code.do(f"store i8 {truth}, ptr {place}")
            return place
        place, overflow = code.alloca("i64"), code.alloca("i32")
        value = self.call("PyLong_AsLongLongAndOverflow", "i64", item, overflow)
        self.need(code.op(f"icmp eq i32 {code.op(f'load i32, ptr {overflow}')}, 0"))
        code.do(f"store i64 {value}, ptr {place}")
        return place

    def array_data(self, item: Register, aval: Aval, written: bool) -> Register:
        """The address of the data of an array of exactly this type, else null."""
        self.object("PyArray_Type", np.ndarray)
        few = len(self.inputs) + len(self.outputs) <= INLINED
        check = "@qiudao.array_data" + (".inlined" if few else "")
        if check not in self.module.definitions:
            inlined = " alwaysinline" if few else ""
            self.module.define(check, array_data(self.module, check, self.attributes + inlined))
        wanted = C_CONTIGUOUS | ALIGNED | (WRITEABLE if written else 0)
        mask = wanted | (WARN_ON_WRITE if written else 0)
        return self.code.op(
            f"call ptr {check}(ptr {item}, ptr {self.descr(aval.dtype)}, "
            f"i32 {aval.dtype.num}, i32 {aval.ndim}, ptr {self.shape(aval)}, "
            f"i32 {mask}, i32 {wanted})"
        )

    def need_apart(self, shared: Collection[int]) -> None:
        """No output may share memory with another output, or with an input that is not `shared`."""
        code = self.code
        total = len(self.inputs) + len(self.outputs)
        sizes = [aval.size * aval.dtype.itemsize for aval in (*self.inputs, *self.outputs)]
        for each in shared:
            sizes[each] = 0
        table = self.module.constant(np.array(sizes, np.int64))

        def bounds(k: Register) -> tuple[Register, Register]:
            slot = code.op(f"getelementptr ptr, ptr {self.slots}, i64 {k}")
            first = code.op(f"load ptr, ptr {slot}")
            size = code.op(f"load i64, ptr {code.op(f'getelementptr i64, ptr {table}, i64 {k}')}")
            return first, code.op(f"getelementptr i8, ptr {first}, i64 {size}")

        with code.loop(total, len(self.inputs)) as k:
            first, last = bounds(k)
            with code.loop(k) as j:
                start, stop = bounds(j)
                before = code.op(f"icmp ule ptr {last}, {start}")
                after = code.op(f"icmp ule ptr {stop}, {first}")
                self.need(code.op(f"or i1 {before}, {after}"))

    # Outputs.

    def make_outputs(self) -> list[Register]:
        """Make an array for each output; for a scalar, room on the stack for its value."""
        code = self.code
        new = self.function("PyArray_NewFromDescr", "ptr", "ptr, ptr, i32, ptr, ptr, ptr, i32, ptr")
        type_ = self.object("PyArray_Type", np.ndarray)
        places = []
        for k, aval in enumerate(self.outputs, len(self.inputs)):
            if aval.ndim:
                descr = self.descr(aval.dtype)
                self.call("Py_IncRef", "void", descr)  # the next call takes one over
                place = self.keep(
                    code.op(
                        f"call ptr @{new}(ptr {type_}, ptr {descr}, i32 {aval.ndim}, "
                        f"ptr {self.shape(aval)}, ptr null, ptr null, i32 0, ptr null)"
                    )
                )
                data = code.op(f"load ptr, ptr {self.field(place, DATA)}")
            else:
                place = data = code.alloca("i8", aval.dtype.itemsize)
            places.append(place)
            code.do(f"store ptr {data}, ptr {self.slot(k)}")
        return places

    def box(self, aval: Aval, data: Register) -> Register:
        """A NumPy scalar of the value at an address."""
        box = self.function("PyArray_Scalar", "ptr", "ptr, ptr, ptr")
        descr = self.descr(aval.dtype)
        return self.keep(self.code.op(f"call ptr @{box}(ptr {data}, ptr {descr}, ptr null)"))

    def finish(self, results: Sequence[Register], lone: bool) -> None:
        """Return the outputs."""
        code = self.code
        if lone and len(results) == 1:
            code.do(f"ret ptr {results[0]}")
            return
        new = self.function("PyTuple_New", "ptr", "i64")
        group = code.op(f"call ptr @{new}(i64 {len(results)})")
        self.need_made(group)
        put = self.function("PyTuple_SetItem", "i32", "ptr, i64, ptr")
        for k, result in enumerate(results):
            code.do(f"call i32 @{put}(ptr {group}, i64 {k}, ptr {result})")
        code.do(f"ret ptr {group}")

    # The program.

    def run(self) -> None:
        """Call the program, with an arena, and without the interpreter's lock if so wished."""
        code = self.code
        memory = arena = "null"
        if 0 < self.arena_bytes <= ON_STACK:
            arena = code.alloca("i8", self.arena_bytes)
        elif self.arena_bytes:
            allocate = self.function("PyMem_RawMalloc", "ptr", "i64")
            free = self.function("PyMem_RawFree", "void", "ptr")
            advise = None
            if sys.platform == "linux":
                advise = self.function("madvise", "i32", "ptr, i64, i32")
            memory = reserve.take(code, self.arena_bytes, allocate, free, advise)
            self.need_memory(memory)
            arena = reserve.start(code, memory)
        if self.fails:
            status = code.alloca("i64", STATUS_WORDS)
            code.do(f"store ptr {status}, ptr {self.slot(len(self.inputs) + len(self.outputs))}")
        if self.release:
            save = self.function("PyEval_SaveThread", "ptr", "")
            state = code.op(f"call ptr @{save}()")
        code.do(f"call void @{self.program}(ptr {self.slots}, ptr {arena})")
        if self.release:
            self.call("PyEval_RestoreThread", "void", state)
        if memory != "null":
            reserve.give(code, memory)
        if self.fails:
            self.need_success(status)

    # Failures.

    def keep(self, made: Register) -> Register:
        """Go on only where an object was made; it is given up where a later step fails."""
        self.need_made(made)
        self.made.append(made)
        return made

    def need_made(self, made: Register) -> None:
        """Go on only where an address is not null; else give up, with the error that is set."""
        after = self.code.label("made")
        self.code.branch(
            self.code.op(f"icmp ne ptr {made}, null"), after, f"failed.{len(self.made)}"
        )
        self.code.start(after)

    def need_memory(self, memory: Register) -> None:
        """Go on only where there was memory; else raise MemoryError."""
        code, after, starved = self.code, self.code.label("memory"), self.code.label("starved")
        code.branch(code.op(f"icmp ne ptr {memory}, null"), after, starved)
        code.start(starved)
        self.call("PyErr_NoMemory", "ptr")
        code.jump(f"failed.{len(self.made)}")
        code.start(after)

    def need_success(self, status: Register) -> None:
        """Go on only where the program reported nothing; else raise what it did."""
        code, after, reported = self.code, self.code.label("fine"), self.code.label("reported")
        places = [code.op(f"getelementptr i64, ptr {status}, i64 {k}") for k in range(STATUS_WORDS)]
        words = [code.op(f"load i64, ptr {place}") for place in places]
        code.branch(code.op(f"icmp eq i64 {words[0]}, 0"), after, reported)
        code.start(reported)
        call = self.function("PyObject_CallFunction", "ptr", "ptr, ptr, ...")
        raiser = self.object("qiudao.raise_failure", raise_failure)
        form = self.module.constant(np.frombuffer(f"(({'L' * STATUS_WORDS}))\0".encode(), "u1"))
        given = ", ".join(f"i64 {word}" for word in words)
        code.op(f"call ptr (ptr, ptr, ...) @{call}(ptr {raiser}, ptr {form}, {given})")
        code.jump(f"failed.{len(self.made)}")
        code.start(after)

    def write_failures(self) -> None:
        """The ends that raise: give up what was made, the last first, and return null."""
        for k in range(len(self.made), 0, -1):
            self.code.start(f"failed.{k}")
            self.call("Py_DecRef", "void", self.made[k - 1])
            self.code.jump(f"failed.{k - 1}")
        self.code.start("failed.0")
        self.code.do("ret ptr null")

    # Names from outside.

    def give(self, object_: Register) -> None:
        """Return an object of Python's own."""
        self.call("Py_IncRef", "void", object_)
        self.code.do(f"ret ptr {object_}")

    def call(self, name: str, result: str, *pointers: Register) -> Register:
        """Call a function of Python's or NumPy's that takes addresses only."""
        name = self.function(name, result, ", ".join("ptr" for _ in pointers))
        text = f"call {result} @{name}({', '.join(f'ptr {each}' for each in pointers)})"
        if result == "void":
            self.code.do(text)
            return ""
        return self.code.op(text)

    def function(self, name: str, result: str, takes: str) -> str:
        """Declare a function of Python's or NumPy's."""
        return self.module.declare(
            name, f"declare {result} @{name}({takes})", partial(address_of_function, name)
        )

    def object(self, symbol: str, value: object) -> Register:
        """An object that lives as long as the interpreter does."""
        return self.named(symbol, partial(id, value))

    def descr(self, dtype: Dtype) -> Register:
        """The dtype that NumPy itself uses for this type number."""
        name = f"numpy.dtype.{dtype.type.__name__}"
        return self.named(name, partial(address_of_dtype, dtype.char))

    def named(self, symbol: str, find: Find) -> Register:
        """An object by its name."""
        return "@" + self.module.declare(symbol, f"@{symbol} = external global i8", find)

    def shape(self, aval: Aval) -> Register:
        """A table of the lengths of the axes."""
        return self.module.constant(np.array(aval.shape, np.intp)) if aval.ndim else "null"

    def field(self, item: Register, offset: int) -> Register:
        """The address so many bytes into an object."""
        return self.code.op(f"getelementptr i8, ptr {item}, i64 {offset}")


def aligned(code: Code, memory: Register) -> Register:
    """The first address in some memory that is aligned as an arena is."""
    past = code.op(f"getelementptr i8, ptr {memory}, i64 {ALIGNMENT - 1}")
    number = code.op(f"ptrtoint ptr {past} to i64")
    return code.op(f"inttoptr i64 {code.op(f'and i64 {number}, -{ALIGNMENT}')} to ptr")


def array_data(module: Module, name: str, attributes: str) -> str:
    """The function that checks one array: the address of its data, or null.

    An array passes if its type is ndarray itself, its dtype the given one (or of that number and
    in native byte order), its shape the given one, and its flags under `mask` are `wanted`.
    """
    code = Code(module)

    def need(condition: Register) -> None:
        after = code.label("ok")
        code.branch(condition, after, "other")
        code.start(after)

    def read(type_: str, base: Register, offset: int) -> Register:
        at = code.op(f"getelementptr i8, ptr {base}, i64 {offset}")
        return code.op(f"load {type_}, ptr {at}")

    need(code.op(f"icmp eq ptr {read('ptr', '%item', TYPE)}, @PyArray_Type"))
    flags = code.op(f"and i32 {read('i32', '%item', FLAGS)}, %mask")
    need(code.op(f"icmp eq i32 {flags}, %wanted"))
    need(code.op(f"icmp eq i32 {read('i32', '%item', NDIM)}, %ndim"))
    descr = read("ptr", "%item", DESCR)
    code.branch(code.op(f"icmp eq ptr {descr}, %descr"), "fits", "copied")
    code.start("copied")  # pickle, for one, makes dtypes anew
    need(code.op(f"icmp eq i32 {read('i32', descr, TYPE_NUMBER)}, %number"))
    order = read("i8", descr, BYTEORDER)
    native, unordered = (code.op(f"icmp eq i8 {order}, {ord(each)}") for each in "=|")
    need(code.op(f"or i1 {native}, {unordered}"))
    code.jump("fits")
    code.start("fits")
    lengths = read("ptr", "%item", DIMENSIONS)
    with code.loop(code.op("zext i32 %ndim to i64")) as k:
        length, wanted = (
            code.op(f"load i64, ptr {code.op(f'getelementptr i64, ptr {table}, i64 {k}')}")
            for table in (lengths, "%shape")
        )
        need(code.op(f"icmp eq i64 {length}, {wanted}"))
    code.do(f"ret ptr {read('ptr', '%item', DATA)}")
    code.start("other")
    code.do("ret ptr null")
    takes = "ptr %item, ptr %descr, i32 %number, i32 %ndim, ptr %shape, i32 %mask, i32 %wanted"
    return code.function(f"{name}({takes})", "internal ptr", attributes)


def address_of_dtype(char: str) -> int:
    """The address of NumPy's own dtype of this letter."""
    return id(np.dtype(char))


@functools.cache
def address_of_function(name: str) -> int:
    """The address of a function of NumPy's or CPython's C interface, or of the C library."""
    if name not in API:
        return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
    unwrap = ctypes.pythonapi.PyCapsule_GetPointer
    unwrap.restype, unwrap.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    table = ctypes.cast(unwrap(capsule, None), ctypes.POINTER(ctypes.c_size_t))
    return int(table[API[name]])


class MethodDef(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_: ClassVar[Any] = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class Program:
    """What a compiled function needs to stay: its definition, and the code that it runs."""

    def __init__(self, address: int, name: str, doc: str, code: object) -> None:
        self.code = code
        self.definition = MethodDef(name.encode(), address, METH_FASTCALL, doc.encode())


def python_callable(
    address: int, name: str = "program", doc: str = "", code: object = None
) -> Callable[..., Any]:
    """The builtin function whose entry lies at an address; it keeps `code` alive.

    It returns NotImplemented where the arguments are not those that were compiled for.
    """
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        ("PyCFunction_NewEx", ctypes.pythonapi)
    )
    owner = Program(
        address, name, doc, code
    )  # CPython frees `self` after the definition is done with
    function: Callable[..., Any] = make(ctypes.addressof(owner.definition), owner, None)
    return function
