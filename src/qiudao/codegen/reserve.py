"""Memory that calls of compiled programs leave to each other.

The system gives large pieces of memory page by page, each filled with zeros when first touched,
and takes them back when they are freed: for programs that stream through their temporaries that
takes as long as the program itself.  So one piece stays, in a place that the whole process shares.
A call takes it out by exchanging it for null, which no other call can do meanwhile, and puts its
own piece back.

Large pieces are asked for in huge pages, as NumPy's large arrays are, where the system has them: a
program that goes through dozens of arrays side by side would else wait for the tables that say
where each small page is.

A piece starts with its size, in a head of `ALIGNMENT` bytes.
"""

from __future__ import annotations

import ctypes

from .code import Code, Module, Register

ALIGNMENT = 64
MOST = 1 << 26  # bytes of a piece that is kept
HUGE = 1 << 22  # bytes from which huge pages are asked for: two of them
PAGE = 1 << 12
MADV_HUGEPAGE = 14  # Linux's number

_place = ctypes.c_void_p()  # where the piece lies that no call uses, or null


def address_of_place() -> int:
    """Where the address of that piece is."""
    return ctypes.addressof(_place)


def kept() -> int:
    """The bytes of the piece that waits for the next call, 0 where there is none."""
    return ctypes.c_int64.from_address(_place.value).value if _place.value else 0


def take(code: Code, size: int, allocate: str, free: str, advise: str | None) -> Register:
    """A piece of at least `size` bytes behind its head, or null where the system has no more.

    `allocate` and `free` name declared functions, and so does `advise`: Linux's madvise, None
    elsewhere.
    """
    define(code.module, allocate, free, advise)
    return code.op(f"call ptr @reserve.take(i64 {size + 2 * ALIGNMENT})")


def give(code: Code, piece: Register) -> None:
    """Put a piece back."""
    code.do(f"call void @reserve.give(ptr {piece})")


def start(code: Code, piece: Register) -> Register:
    """The first address of a piece behind its head that is aligned to `ALIGNMENT` bytes."""
    past = code.op(f"getelementptr i8, ptr {piece}, i64 {2 * ALIGNMENT - 1}")
    number = code.op(f"ptrtoint ptr {past} to i64")
    return code.op(f"inttoptr i64 {code.op(f'and i64 {number}, -{ALIGNMENT}')} to ptr")


def define(module: Module, allocate: str, free: str, advise: str | None) -> None:
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
        if advise is not None:
            ask_for_huge_pages(code, made, advise)
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


def ask_for_huge_pages(code: Code, made: Register, advise: str) -> None:
    """Before a new piece of `%size` bytes is touched, where it is large.

    The answer does not matter: a system without huge pages gives small ones.
    """
    with code.when(code.op(f"icmp sge i64 %size, {HUGE}")):
        first = code.op(f"ptrtoint ptr {made} to i64")
        end = code.op(f"add i64 {first}, %size")
        start = code.op(f"and i64 {code.op(f'add i64 {first}, {PAGE - 1}')}, -{PAGE}")
        length = code.op(f"sub i64 {code.op(f'and i64 {end}, -{PAGE}')}, {start}")
        pointer = code.op(f"inttoptr i64 {start} to ptr")
        code.op(f"call i32 @{advise}(ptr {pointer}, i64 {length}, i32 {MADV_HUGEPAGE})")
