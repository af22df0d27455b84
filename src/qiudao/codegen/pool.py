"""The threads that share the work of compiled code.

Compiled code cuts a large loop into *pieces* (`pieces.py`) and calls `run`, which shares them out:
each thread takes the next piece until there are none.  Which pieces there are does not depend on
the number of threads, and so neither does any result.

The threads are the platform's, by way of CPython's `PyThread_*`, and run no Python.  Between two
loops they sleep, each at a lock of its own.  A loop that finds the pool taken, by a call in another
thread of Python's, does all of its pieces itself.

    words of the pool    THREADS  BUSY  STATE  NEXT  COUNT  HELPERS  FUNCTION  CONTEXT  MEMORY
                         SCRATCH  DONE, then for each helper its lock, and whether it was woken
    STATE                the helpers at work, + OPEN while more may join them

Whoever closes a loop that helpers are at work in waits at the lock DONE, which the last of them
opens.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import os
import threading
from typing import Any

from .engine import Native, attributes, compile, load_llvm
from .entry import address_of_function

MOST = 256  # threads
OPEN = 1 << 32
(
    THREADS, BUSY, STATE, NEXT, COUNT, HELPERS, FUNCTION, CONTEXT, MEMORY, SCRATCH, DONE,
) = (0, 8, 16, 24, 25, 26, 27, 28, 29, 30, 31)  # fmt: skip
FIRST = 32  # the word of the first helper
FAILED = ctypes.c_ulong(-1).value  # no thread

NAMES = (
    "PyThread_acquire_lock", "PyThread_release_lock", "PyMem_RawMalloc", "PyMem_RawFree",
)  # fmt: skip


def word(name: str, place: int) -> str:
    """The line that gives the address of a word of the pool a name."""
    return f"%{name} = getelementptr i64, ptr @qiudao.pool, i64 {place}"


TEXT = f"""\
@qiudao.pool = external global i8
declare i32 @PyThread_acquire_lock(ptr, i32)
declare void @PyThread_release_lock(ptr)
declare ptr @PyMem_RawMalloc(i64)
declare void @PyMem_RawFree(ptr)

define internal void @work(ptr %arena) ATTRIBUTES {{
entry:
  {word("next", NEXT)}
  {word("counted", COUNT)}
  {word("held", FUNCTION)}
  {word("given", CONTEXT)}
  %count = load i64, ptr %counted
  %function = load ptr, ptr %held
  %context = load ptr, ptr %given
  br label %head
head:
  %k = atomicrmw add ptr %next, i64 1 monotonic
  %more = icmp slt i64 %k, %count
  br i1 %more, label %body, label %end
body:
  call void %function(ptr %context, i64 %k, ptr %arena)
  br label %head
end:
  ret void
}}

define void @helper(ptr %number) ATTRIBUTES {{
entry:
  {word("state", STATE)}
  {word("finished", DONE)}
  {word("wanted", HELPERS)}
  {word("held", MEMORY)}
  {word("size", SCRATCH)}
  %mine = ptrtoint ptr %number to i64
  %twice = mul i64 %mine, 2
  %place = add i64 %twice, {FIRST}
  %lock.at = getelementptr i64, ptr @qiudao.pool, i64 %place
  %woken = getelementptr i64, ptr %lock.at, i64 1
  %lock = load ptr, ptr %lock.at
  br label %sleep
sleep:
  %woke = call i32 @PyThread_acquire_lock(ptr %lock, i32 1)
  store atomic i64 0, ptr %woken seq_cst, align 8
  br label %ask
ask:
  %now = load atomic i64, ptr %state seq_cst, align 8
  %open = icmp uge i64 %now, {OPEN}
  br i1 %open, label %join, label %sleep
join:
  %joined = add i64 %now, 1
  %pair = cmpxchg ptr %state, i64 %now, i64 %joined seq_cst seq_cst
  %in = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %in, label %inside, label %ask
inside:
  %helpers = load i64, ptr %wanted
  %needed = icmp slt i64 %mine, %helpers
  br i1 %needed, label %help, label %leave
help:
  %memory = load ptr, ptr %held
  %scratch = load i64, ptr %size
  %offset = mul i64 %mine, %scratch
  %arena = getelementptr i8, ptr %memory, i64 %offset
  call void @work(ptr %arena)
  br label %leave
leave:
  %before = atomicrmw sub ptr %state, i64 1 seq_cst
  %last = icmp eq i64 %before, 1
  br i1 %last, label %tell, label %sleep
tell:
  %opened = load ptr, ptr %finished
  call void @PyThread_release_lock(ptr %opened)
  br label %sleep
}}

define void @run(ptr %function, ptr %context, i64 %count, ptr %arena, i64 %scratch) ATTRIBUTES {{
entry:
  {word("threads", THREADS)}
  {word("busy", BUSY)}
  {word("state", STATE)}
  {word("next", NEXT)}
  {word("counted", COUNT)}
  {word("wanted", HELPERS)}
  {word("held", FUNCTION)}
  {word("given", CONTEXT)}
  {word("lent", MEMORY)}
  {word("size", SCRATCH)}
  {word("finished", DONE)}
  %allowed = load atomic i64, ptr %threads monotonic, align 8
  %few = icmp slt i64 %count, %allowed
  %used = select i1 %few, i64 %count, i64 %allowed
  %helpers = sub i64 %used, 1
  %several = icmp sgt i64 %helpers, 0
  br i1 %several, label %try, label %alone
try:
  %pair = cmpxchg ptr %busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %reserve, label %alone
reserve:
  %all = mul i64 %scratch, %helpers
  %bytes = add i64 %all, 64
  %raw = call ptr @PyMem_RawMalloc(i64 %bytes)
  %made = icmp ne ptr %raw, null
  br i1 %made, label %prepare, label %give.up
give.up:
  store atomic i64 0, ptr %busy seq_cst, align 8
  br label %alone
prepare:
  %past = ptrtoint ptr %raw to i64
  %up = add i64 %past, 63
  %even = and i64 %up, -64
  %memory = inttoptr i64 %even to ptr
  store i64 %count, ptr %counted
  store i64 %helpers, ptr %wanted
  store ptr %function, ptr %held
  store ptr %context, ptr %given
  store ptr %memory, ptr %lent
  store i64 %scratch, ptr %size
  store atomic i64 0, ptr %next monotonic, align 8
  store atomic i64 {OPEN}, ptr %state seq_cst, align 8
  br label %wake
wake:
  %k = phi i64 [ 0, %prepare ], [ %k.next, %woken ]
  %twice = mul i64 %k, 2
  %place = add i64 %twice, {FIRST}
  %lock.at = getelementptr i64, ptr @qiudao.pool, i64 %place
  %sign = getelementptr i64, ptr %lock.at, i64 1
  %before = atomicrmw xchg ptr %sign, i64 1 seq_cst
  %asleep = icmp eq i64 %before, 0
  br i1 %asleep, label %call, label %woken
call:
  %lock = load ptr, ptr %lock.at
  call void @PyThread_release_lock(ptr %lock)
  br label %woken
woken:
  %k.next = add i64 %k, 1
  %more = icmp slt i64 %k.next, %helpers
  br i1 %more, label %wake, label %share
share:
  call void @work(ptr %arena)
  %at.work = atomicrmw sub ptr %state, i64 {OPEN} seq_cst
  %waits = icmp ugt i64 %at.work, {OPEN}
  br i1 %waits, label %wait, label %close
wait:
  %done = load ptr, ptr %finished
  %opened = call i32 @PyThread_acquire_lock(ptr %done, i32 1)
  br label %close
close:
  call void @PyMem_RawFree(ptr %raw)
  store atomic i64 0, ptr %busy seq_cst, align 8
  ret void
alone:
  br label %head
head:
  %piece = phi i64 [ 0, %alone ], [ %piece.next, %body ]
  %left = icmp slt i64 %piece, %count
  br i1 %left, label %body, label %end
body:
  call void %function(ptr %context, i64 %piece, ptr %arena)
  %piece.next = add i64 %piece, 1
  br label %head
end:
  ret void
}}"""


class Pool:
    """The threads of this process: their number, and once there is compiled code, themselves."""

    def __init__(self) -> None:
        self.count = 0  # of threads; 0: as the environment says
        self.helpers = 0  # that were started
        self.words = (ctypes.c_int64 * (FIRST + 2 * MOST))()
        self.lock = threading.Lock()

    @functools.cached_property
    def native(self) -> Native:
        """The code that shares out pieces."""
        libraries = {name: address_of_function(name) for name in NAMES}
        libraries["qiudao.pool"] = ctypes.addressof(self.words)
        text = TEXT.replace("ATTRIBUTES", attributes())
        return compile(text, libraries, ["run", "helper"], level="middle")

    def ready(self) -> Native:
        """The code, with the threads that it may use."""
        with self.lock:
            native = self.native
            self.settle()
        if get_num_threads() > 1:
            register()
        return native

    def use(self, count: int) -> None:
        """Use so many threads, the one that calls among them."""
        with self.lock:
            self.count = count
            if "native" in self.__dict__:
                self.settle()

    def settle(self) -> None:
        """Start the helpers that are missing, and say how many threads there may be."""
        if not self.words[DONE]:
            self.words[DONE] = new_lock()
        count = self.count or from_environment()
        while self.helpers < count - 1:
            self.words[FIRST + 2 * self.helpers] = new_lock()
            if not start(self.native.address("helper"), self.helpers):
                break  # there is no room for more
            self.helpers += 1
        self.words[THREADS] = min(count, self.helpers + 1)

    def forget(self) -> None:
        """In the child of a fork, where none of the helpers is: one thread."""
        self.count, self.helpers = 1, 0
        self.lock = threading.Lock()
        ctypes.memset(self.words, 0, ctypes.sizeof(self.words))
        self.words[THREADS] = 1


def new_lock() -> int:
    """A lock of CPython's, closed: whoever acquires it waits."""
    make, acquire = ctypes.pythonapi.PyThread_allocate_lock, ctypes.pythonapi.PyThread_acquire_lock
    make.restype, make.argtypes = ctypes.c_void_p, []
    acquire.restype, acquire.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]
    made = make()
    if made is None:
        raise MemoryError("set_num_threads: no memory for a lock")
    acquire(made, 1)
    return int(made)


def start(address: int, number: int) -> bool:
    """Start the function at an address in a thread of its own; whether there is one now."""
    begin = ctypes.pythonapi.PyThread_start_new_thread
    begin.restype, begin.argtypes = ctypes.c_ulong, [ctypes.c_void_p, ctypes.c_void_p]
    return bool(begin(address, number) != FAILED)


def from_environment() -> int:
    """The number of threads that the environment asks for; 1 where it asks for none."""
    asked = os.environ.get("QIUDAO_NUM_THREADS", "").strip() or "1"
    if not asked.isdecimal() or not 1 <= int(asked) <= MOST:
        raise ValueError(
            f"QIUDAO_NUM_THREADS: {asked!r} is no number of threads; set it to 1 to {MOST}, or "
            "leave it out"
        )
    return int(asked)


pool = Pool()


def address_of_run() -> int:
    """The address of what shares out pieces among the threads of this process."""
    return pool.ready().address("run")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.forget)


def set_num_threads(n: int) -> None:
    """Let compiled code use up to `n` threads, the one that calls among them.

    It holds for the whole process.  Results do not depend on it, to the last bit.  From then on
    `threadpoolctl.threadpool_limits` sets it too, and sets it back.  Raises `ValueError` where `n`
    is not an integer from 1 to 256, and `ModuleNotFoundError` where LLVM is not installed.

    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    >>> set_num_threads(1)
    """
    if type(n) is not int or not 1 <= n <= MOST:
        raise ValueError(
            f"set_num_threads: {n!r} is no number of threads; pass an integer from 1 to {MOST}"
        )
    register()
    pool.use(n)


def get_num_threads() -> int:
    """How many threads compiled code may use: 1, or what `QIUDAO_NUM_THREADS` says, at first.

    >>> get_num_threads()
    1
    """
    return pool.count or from_environment()


@functools.cache
def register() -> None:
    """Make the threads known to threadpoolctl, where it is installed.

    It finds thread pools by the files of the libraries that are loaded; ours comes with LLVM's.
    """
    load_llvm().get_process_triple()  # the library itself is loaded when it is first called
    with contextlib.suppress(ModuleNotFoundError):
        threadpoolctl = importlib.import_module("threadpoolctl")

        class Controller(threadpoolctl.LibController):  # type: ignore[misc, name-defined]
            """The threads of compiled code, as threadpoolctl sees them."""

            user_api = internal_api = "qiudao"
            filename_prefixes = ("libllvmlite", "llvmlite")

            def get_num_threads(self) -> int:
                return get_num_threads()

            def set_num_threads(self, num_threads: int) -> None:
                pool.use(max(1, min(num_threads, MOST)))

            def get_version(self) -> Any:
                return None

        threadpoolctl.register(Controller)
