"""Where a loop keeps what its steps carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.node import Equation, Node
from ..core.program import Atom, Program, operands_of
from ..ops.control import Scan
from ..ops.writing import Put, SetItem
from .code import Buffer, Register
from .native import is_fused
from .plan import Plan

if TYPE_CHECKING:
    from .scope import Scope

SMALL = 256  # bytes up to which a temporary is on the stack, where LLVM can keep it in registers


class Carry:
    """Something that a loop carries: `result` has it at the end, `other` is a second place for it.

    A few numbers are written beside and copied after each step.  What each step only writes
    elements of is written where it is, `in_place`.
    """

    def __init__(
        self, scope: Scope, result: Buffer, is_small: bool, in_place: bool, beside: bool
    ) -> None:
        self.scope = scope
        self.result = result
        self.is_small = is_small
        self.in_place = in_place
        self.other = result
        if beside:
            self.other = scope.new_buffer(result.shape, result.dtype)._replace(
                strides=result.strides
            )

    @property
    def stays(self) -> bool:
        """Whether the carry is in one place before each step."""
        return self.in_place or self.is_small

    def end(self) -> None:
        """After a step."""
        if self.is_small and not self.in_place:
            self.scope.store(self.scope.loaded(self.other), self.result)


class Carried(Carry):
    """Where the carry of a scan is: before a step, and where the step writes the next.

    What is more than a few numbers is written beside: in the record, a row on; or in two buffers
    in turns, such that the last step writes the result.
    """

    def __init__(
        self, scope: Scope, result: Buffer, record: Buffer | None, in_place: bool, scan: Scan
    ) -> None:
        is_small = bytes_of(result) <= SMALL or scan.length == 0
        in_place = in_place and record is None
        self.record = record
        self.scan = scan
        self.by_rows = record is not None and not is_small
        super().__init__(scope, result, is_small, in_place, not self.by_rows and not in_place)

    def first(self) -> Buffer:
        """Where the first carry goes."""
        if self.stays:
            return self.result
        if self.by_rows and self.record is not None:
            return self.scope.row(
                self.record, str(self.scan.length - 1 if self.scan.reverse else 0)
            )
        return self.other if self.scan.length % 2 else self.result

    def now(self, k: Register, i: Register) -> Buffer:
        """Where the carry is in step `k`, which belongs to row `i`."""
        if self.in_place:
            return self.result
        if self.is_small:
            if self.record is not None:
                self.scope.store(self.scope.loaded(self.result), self.scope.row(self.record, i))
            return self.result
        if self.by_rows and self.record is not None:
            return self.scope.row(self.record, i)
        return self.in_turns(k, self.result, self.other)

    def next(self, k: Register, i: Register) -> Buffer:
        """Where step `k` writes the next."""
        if self.stays:
            return self.other
        if self.by_rows and self.record is not None:
            code = self.scope.code
            row = self.scope.row(
                self.record, code.op(f"add nsw i64 {i}, {1 - 2 * self.scan.reverse}")
            )
            is_last = code.op(f"icmp eq i64 {k}, {self.scan.length - 1}")
            return either(self.scope, is_last, self.result, row)
        return self.in_turns(k, self.other, self.result)

    def in_turns(self, k: Register, even: Buffer, odd: Buffer) -> Buffer:
        """One of two buffers, by how many steps there are to go."""
        code = self.scope.code
        left = code.op(f"sub nsw i64 {self.scan.length}, {k}")
        is_even = code.op(f"icmp eq i64 {code.op(f'and i64 {left}, 1')}, 0")
        return either(self.scope, is_even, even, odd)


class CarriedWhile(Carry):
    """Where the carry of a loop on a condition is, by whether the number of steps so far is even.

    What is more than a few numbers lies in two places in turns, and is copied once, where the
    steps were odd in number.
    """

    def __init__(self, scope: Scope, result: Buffer, in_place: bool) -> None:
        super().__init__(scope, result, bytes_of(result) <= SMALL, in_place, not in_place)

    def now(self, is_even: Register) -> Buffer:
        """Where the carry is before a step, and after the last."""
        return self.result if self.stays else either(self.scope, is_even, self.result, self.other)

    def next(self, is_even: Register) -> Buffer:
        """Where the step writes the next."""
        return self.other if self.stays else either(self.scope, is_even, self.other, self.result)

    def finish(self, is_even: Register) -> None:
        """After the last."""
        code = self.scope.code
        if not self.stays:
            with code.when(code.op(f"xor i1 {is_even}, true")):
                self.scope.store(self.other, self.result)


def either(scope: Scope, condition: Register, x: Buffer, y: Buffer) -> Buffer:
    """One of two buffers of one layout."""
    pointer = scope.code.op(f"select i1 {condition}, ptr {x.pointer}, ptr {y.pointer}")
    return x._replace(pointer=pointer)


def overwrites(body: Program, carry: Node, out: Atom) -> bool:
    """Whether a body only writes elements of a carry, and reads no others once it has begun."""
    if not isinstance(out, Equation) or not isinstance(out.primitive, Put | SetItem):
        return False
    outputs = [y for y in body.outputs if y is out or y is carry]
    if operands_of(out)[0] is not carry or len(outputs) > 1:
        return False
    plan = Plan(body, is_fused)
    root = plan.roots[out]
    is_call = root.kind == "call"
    if is_call != isinstance(out.primitive, Put) or sum(x is carry for x, _ in root.reads) > 1:
        return False
    begun = root.level if is_call else root.start
    for each in (*plan.roots.values(), *root.regions):
        if each is not root and any(x is carry for x, _ in each.reads):
            # on one level, calls come last
            together = each.level == begun and (each.kind == "call" or not is_call)
            if each.level > begun or together:
                return False
    return True


def bytes_of(buffer: Buffer) -> int:
    """The memory that a buffer takes."""
    return buffer.size * buffer.dtype.itemsize
