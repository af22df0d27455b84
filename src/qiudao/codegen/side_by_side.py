"""Independent products, solutions and factorisations, side by side on the threads of the pool.

The calls of one level do not read each other's results, and neither do those for the matrices of a
stack. Each heavy call is a piece of work, or several where it is for a stack; which pieces there
are follows from the sizes alone, so results are the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval
from .code import Buffer, Code
from .failures import STATUS_WORDS, pass_on
from .kernels.loops import part_of, times
from .kernels.numbers import Offset, size_of
from .kernels.table import Kernel
from .pieces import WORTH, Memory, Piece, number_of

BYTES = np.dtype(np.uint8)


class Call(NamedTuple):
    """An application of a kernel, whose results have their places."""

    kernel: Kernel
    primitive: Any
    operands: Sequence[Buffer]
    results: Sequence[Buffer]

    @property
    def work(self) -> int:
        """About how many operations it takes, of one that may run beside others; else 0."""
        work = self.kernel.work
        return 0 if work is None else work(self.primitive, self.operands, avals_of(self.results))

    @property
    def is_heavy(self) -> bool:
        """Whether another thread could take it over with profit."""
        return self.work >= WORTH

    @property
    def scratch(self) -> int:
        """The bytes that it needs beside."""
        return self.kernel.scratch(self.primitive, self.operands, avals_of(self.results))

    def write(self, code: Code, scratch: Sequence[Buffer], splits: bool = False) -> bool:
        """Write it; whether it shares out its own work."""
        return self.kernel(code, self.primitive, [*self.operands, *scratch], self.results, splits)

    def rows(self, count: int, place: Any) -> Call:
        """The same for `count` of a stack's matrices; `place` finds the first ones."""
        operands, results = (
            [place(x)._replace(shape=(count, *x.shape[1:])) for x in each]
            for each in (self.operands, self.results)
        )
        return self._replace(operands=operands, results=results)

    @property
    def stack(self) -> int:
        """How many matrices, each with its own of every operand, it is for; 1 for no stack."""
        shapes = [x.shape for x in self.operands]
        length = shapes[0][0] if shapes[0] else 0
        if length < 2 or any(len(s) < 3 or s[0] != length for s in shapes):
            return 1
        one = [a._replace(shape=a.shape[1:]) for a in avals_of(self.operands)]
        found = self.primitive.shape(*one)
        each = [found] if isinstance(found, Aval) else list(found)
        fits = all((length, *a.shape) == x.shape for a, x in zip(each, self.results, strict=True))
        return length if fits else 1


class Part(NamedTuple):
    """`pieces` of work from the piece `first` on, each for `rows` matrices of a stack.

    Those before are of `done` of its matrices. With `rows` of 0 the one piece is the whole call.
    """

    call: Call
    first: int
    pieces: int
    rows: int = 0
    done: int = 0


def avals_of(buffers: Sequence[Buffer]) -> list[Aval]:
    """The types of arrays."""
    return [Aval(x.shape, x.dtype) for x in buffers]


def parts_of(calls: Sequence[Call]) -> Iterator[Part]:
    """How the calls are shared out."""
    first = 0
    for call in calls:
        length = call.stack
        pieces = min(number_of(call.work), length)
        if pieces < 2:
            yield Part(call, first, 1)
            first += 1
            continue
        rows = -(-length // pieces)
        whole, rest = divmod(length, rows)
        yield Part(call, first, whole, rows)
        first += whole
        if rest:
            yield Part(call, first, 1, rest, whole * rows)
            first += 1


def write_side_by_side(code: Code, calls: Sequence[Call], memory: Memory) -> bool:
    """Write heavy calls as pieces of work; False, with nothing written, where there is only one."""
    parts = list(parts_of(calls))
    count = sum(part.pieces for part in parts)
    if count < 2:
        return False
    piece = Piece(code)
    inner = piece.code
    arena = Buffer("%arena", (1,), BYTES, (1,))
    most = 0
    for part in parts:
        k = inner.op(f"sub nsw i64 %piece, {part.first}")
        with inner.when(inner.op(f"icmp ult i64 {k}, {part.pieces}")):
            call = inside(piece, part, k)
            room = call.scratch
            most = max(most, size_of((room,), BYTES))
            call.write(inner, [arena._replace(shape=(room,))] if room else [])
    scratch = memory((most,), BYTES).pointer if most else "null"
    if not piece.may_fail:
        piece.run(count, scratch, most)
        return True
    words = STATUS_WORDS * count
    statuses = code.alloca("i64", words)
    with code.loop(words) as i:
        code.do(f"store i64 0, ptr {code.op(f'getelementptr i64, ptr {statuses}, i64 {i}')}")
    piece.run(count, scratch, most, statuses)
    with code.loop(count) as k:
        at = code.op(f"mul nsw i64 {k}, {STATUS_WORDS}")
        pass_on(code, code.op(f"getelementptr i64, ptr {statuses}, i64 {at}"))
    return True


def inside(piece: Piece, part: Part, k: Offset) -> Call:
    """A call as a piece has it: piece `k` of its part."""
    call, code = part.call, piece.code
    if not part.rows:
        operands, results = ([piece.place(x) for x in each] for each in call[2:])
        return call._replace(operands=operands, results=results)

    def place(x: Buffer) -> Buffer:
        found: Buffer = piece.place(x)
        steps = part.done if part.pieces == 1 else times(code, k, part.rows)
        return found._replace(pointer=part_of(code, found, times(code, steps, x.strides[0])))

    return call.rows(part.rows, place)
