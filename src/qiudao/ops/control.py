"""Control flow as primitives, for programs: branches and loops whose bodies are programs.

Their derivatives and batches are programs too, made by the transforms; so `transforms/control`
gives these classes their `push`, `pull` and `batch`.  Values are computed by running the bodies.
Operands come in groups: what the bodies only read, then what a loop carries, then what it steps
through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.errors import GradientError
from ..core.primitive import Primitive
from ..core.program import Program


class Scan(Primitive):
    """A loop of known length.

    body     (constants, carry, slices of xs) -> (carry, slices of ys)
    operands constants, the first carry, xs: arrays with a leading axis of `length`
    results  the last carry, ys, and with `record` the carry before each step, stacked

    Steps go from the last to the first when `reverse`; slices keep their places.
    """

    name = "scan"
    keeps_out = True

    def __init__(
        self,
        body: Program,
        constants: int,
        carries: int,
        length: int,
        reverse: bool = False,
        record: bool = True,
    ) -> None:
        self.body = body
        self.constants = constants
        self.carries = carries
        self.length = length
        self.reverse = reverse
        self.record = record

    def shape(self, *avals: Aval) -> Any:
        results = self.body.results
        carry = results[: self.carries]
        ys = [Aval((self.length, *y.shape), y.dtype) for y in results[self.carries :]]
        record = [Aval((self.length, *c.shape), c.dtype) for c in carry] if self.record else []
        return (*(Aval(c.shape, c.dtype) for c in carry), *ys, *record)

    def evaluate(self, *xs: Value) -> Value:
        c, n = self.constants, self.carries
        constants, carry, slices = xs[:c], list(xs[c : c + n]), xs[c + n :]
        outs = [np.empty(a.shape, a.dtype) for a in self.shape()[n:]]
        ys, record = outs[: len(self.body.outputs) - n], outs[len(self.body.outputs) - n :]
        steps = range(self.length)
        for i in reversed(steps) if self.reverse else steps:
            for stack, value in zip(record, carry):
                stack[i] = value
            made = self.body(*constants, *carry, *(x[i] for x in slices))
            carry = made[:n]
            for stack, value in zip(ys, made[n:], strict=True):
                stack[i] = value
        return (*carry, *ys, *record)


class CapacityError(GradientError):
    """A loop took more steps than there is room to remember; the front door makes more."""

    def __init__(self, capacity: int | str) -> None:
        super().__init__(f"while_loop: more than {capacity} steps; give a larger max_steps")
        self.capacity = int(capacity)


class While(Primitive):
    """A loop that goes on while a condition holds.

    condition (constants, carry) -> bool[]
    body      (constants, carry) -> carry
    operands  constants, the first carry
    results   the last carry, the number of steps (i64), and with a `capacity` the carry before
              each step, stacked, of which the rows past the number of steps are zero
    """

    name = "while"

    def __init__(
        self, condition: Program, body: Program, constants: int, carries: int, capacity: int = 0
    ) -> None:
        self.condition = condition
        self.body = body
        self.constants = constants
        self.carries = carries
        self.capacity = capacity

    def shape(self, *avals: Aval) -> Any:
        carry = [Aval(c.shape, c.dtype) for c in self.body.results]
        record = [Aval((self.capacity, *c.shape), c.dtype) for c in carry] if self.capacity else []
        return (*carry, Aval((), np.dtype(np.int64)), *record)

    def evaluate(self, *xs: Value) -> Value:
        constants, carry = xs[: self.constants], list(xs[self.constants :])
        record = [np.zeros(a.shape, a.dtype) for a in self.shape()[self.carries + 1 :]]
        count = 0
        while self.condition(*constants, *carry)[0]:
            if self.capacity:
                if count >= self.capacity:
                    raise CapacityError(self.capacity)
                for stack, value in zip(record, carry, strict=True):
                    stack[count] = value
            carry = self.body(*constants, *carry)
            count += 1
        return (*carry, np.int64(count), *record)


class Switch(Primitive):
    """One of several branches, chosen by an integer, which is brought into their range.

    operands  the integer, then the operands of every branch
    results   those of the branch; all branches have results of the same types
    """

    name = "switch"

    def __init__(self, branches: tuple[Program, ...]) -> None:
        self.branches = branches

    def shape(self, *avals: Aval) -> Any:
        return tuple(Aval(y.shape, y.dtype) for y in self.branches[0].results)

    def evaluate(self, *xs: Value) -> Value:
        chosen = min(max(int(xs[0]), 0), len(self.branches) - 1)
        return tuple(self.branches[chosen](*xs[1:]))


class Rows(Primitive):
    """A function of each row, for all rows: made by the compiler, which runs a block at a time.

    body      (constants, blocks of xs) -> (blocks of ys, what the rows of the block add to sums)
    tail      the same for the rows that are left over, fewer than a block; None where none are
    operands  constants, xs: arrays with a leading axis of `length`
    results   ys, sums

    What lies between is as large as a block, and so stays in the cache.
    """

    name = "rows"

    def __init__(
        self,
        body: Program,
        tail: Program | None,
        constants: int,
        sums: int,
        length: int,
        block: int,
    ) -> None:
        self.body = body
        self.tail = tail
        self.constants = constants
        self.sums = sums
        self.length = length
        self.block = block

    def shape(self, *avals: Aval) -> Any:
        results = self.body.results
        count = len(results) - self.sums
        ys = [Aval((self.length, *y.shape[1:]), y.dtype) for y in results[:count]]
        return (*ys, *(Aval(y.shape, y.dtype) for y in results[count:]))

    def evaluate(self, *xs: Value) -> Value:
        constants, rows = xs[: self.constants], xs[self.constants :]
        pieces = []
        for start in range(0, self.length, self.block):
            stop = min(start + self.block, self.length)
            whole = stop - start == self.block
            program = self.body if whole or self.tail is None else self.tail
            pieces.append(program(*constants, *(x[start:stop] for x in rows)))
        columns = list(zip(*pieces, strict=True))
        count = len(columns) - self.sums
        joined = [np.concatenate(column) for column in columns[:count]]
        return (*joined, *(np.sum(column, axis=0) for column in columns[count:]))
