"""Memory that calls of compiled programs leave to each other.

The system gives large pieces of memory page by page, each filled with zeros when first touched,
and takes them back when they are freed: for programs that stream through their temporaries that
takes as long as the program itself.  So one piece stays, in a place that the whole process shares.
A call takes it out by exchanging it for null, which no other call can do meanwhile, and puts its
own piece back.

A piece starts with its size, in a head of `ALIGNMENT` bytes.
"""

from __future__ import annotations

import ctypes

from .code import Code, Module, Register

ALIGNMENT = 64
MOST = 1 << 26  # bytes of a piece that is kept

_place = ctypes.c_void_p()  # where the piece lies that no call uses, or null


def address_of_place() -> int:
    """Where the address of that piece is."""
    return ctypes.addressof(_place)


def kept() -> int:
    """The bytes of the piece that waits for the next call, 0 where there is none."""
    return ctypes.c_int64.from_address(_place.value).value if _place.value else 0


def take(code: Code, size: int, allocate: str, free: str) -> Register:
    """A piece of at least `size` bytes behind its head, or null where the system has no more.

    `allocate` and `free` name declared functions.
    """
    define(code.module, allocate, free)
    return code.op(f"call ptr @reserve.take(i64 {size + 2 * ALIGNMENT})")


def give(code: Code, piece: Register) -> None:
    """Put a piece back."""
    code.do(f"call void @reserve.give(ptr {piece})")


def start(code: Code, piece: Register) -> Register:
    """The first address of a piece behind its head that is aligned to `ALIGNMENT` bytes."""
    past = code.op(f"getelementptr i8, ptr {piece}, i64 {2 * ALIGNMENT - 1}")
    number = code.op(f"ptrtoint ptr {past} to i64")
    return code.op(f"inttoptr i64 {code.op(f'and i64 {number}, -{ALIGNMENT}')} to ptr")


def define(module: Module, allocate: str, free: str) -> None:
    """The two functions, once in a module."""
    name = module.declare("reserve.place", "@reserve.place = external global ptr", address_of_place)
    exchange = f"atomicrmw xchg ptr @{name}"
    code = Code(module)
    piece = code.op(f"{exchange}, ptr null acq_rel")
    with code.when(code.op(f"icmp ne ptr {piece}, null")):
        enough, fits, small = code.op(f"load i64, ptr {piece}"), *map(code.label, ("fits", "small"))
        code.branch(code.op(f"icmp sge i64 {enough}, %size"), fits, small)
        code.start(fits)
        code.do(f"ret ptr {piece}")
        code.start(small)
        code.do(f"call void @{free}(ptr {piece})")
    made = code.op(f"call ptr @{allocate}(i64 %size)")
    with code.when(code.op(f"icmp ne ptr {made}, null")):
        code.do(f"store i64 %size, ptr {made}")
    code.do(f"ret ptr {made}")
    module.define("reserve.take", code.function("@reserve.take(i64 %size)", "internal ptr"))
    code = Code(module)
    size = code.op("load i64, ptr %piece")
    keep, drop = map(code.label, ("keep", "drop"))
    code.branch(code.op(f"icmp sle i64 {size}, {MOST}"), keep, drop)
    code.start(drop)
    code.do(f"call void @{free}(ptr %piece)")
    code.do("ret void")
    code.start(keep)
    other = code.op(f"{exchange}, ptr %piece acq_rel")
    with code.when(code.op(f"icmp ne ptr {other}, null")):
        code.do(f"call void @{free}(ptr {other})")
    code.do("ret void")
    module.define("reserve.give", code.function("@reserve.give(ptr %piece)", "internal void"))
