"""Control flow as primitives, for programs: branches and loops whose bodies are programs.

Their derivatives and batches are programs too, made by tracing the bodies; so
`transforms/control` states them, and gives them to these classes as `rules`.  Values are computed
by running the bodies.  Operands come in groups: what the bodies only read, then what a loop
carries, then what it steps through.

Reverse mode needs the carry before every step.  A loop applied to something recorded takes that
record of its own accord, and gives its caller the results without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..core.avals import Aval, Value, is_inexact, with_length
from ..core.dispatch import Tracer, level_of
from ..core.errors import GradientError
from ..core.living import Guarded, MayLoop
from ..core.modes import modes
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.program import Program
from ..core.slot import Slot
from .stopping import stop_gradient


class Rules(NamedTuple):
    """How a structured primitive is differentiated and batched.

    dual   (primitive, operands, tangents) -> results, their tangents
    pull   (primitive, cotangents, results, operands, parents) -> cotangents of the operands
    reach  (primitive, live lanes, results, operands, parents) -> live lanes of the operands
    batch  (primitive, size, mapped, operands) -> results, each with the batch in front
    slots  (primitive, operands) -> results, where some operands are slots
    guard  (primitive, flag, operands) -> both with the flag of `core/living.py`, or None
    """

    dual: Callable[[Any, Values, Terms], tuple[Value, Value]]
    pull: Callable[[Any, Value, Value, Values, Parents], Terms]
    reach: Callable[[Any, Value, Value, Values, Parents], Terms]
    batch: Callable[[Any, int, Sequence[bool], Values], Value]
    slots: Callable[[Any, Values], Value]
    guard: Callable[[Any, Any, Sequence[Any]], Guarded | None]


class Structured(MayLoop):
    """Base of the primitives that have programs inside."""

    rules: ClassVar[Rules]

    def __call__(self, *xs: Value) -> Value:
        if modes.live is not None:
            return self.for_the_live(modes.live, xs)
        top = max((x for x in xs if isinstance(x, Tracer)), key=level_of, default=None)
        branch = None if top is None else branch_above(top.level)
        if branch is not None:  # what is closed over alone is looped over in the branch, too
            return branch.apply(self, xs)
        if isinstance(top, Slot):
            return self.rules.slots(self, xs)
        if not any(isinstance(x, Tracer) and x.is_recorded() for x in xs):
            return super().__call__(*xs)
        return tuple(map(without_integer_gradient, self.recorded(*xs)))

    def recorded(self, *xs: Value) -> Any:
        """Apply to operands of which some are recorded."""
        return super().__call__(*xs)

    def dual(self, xs: Values, dxs: Terms) -> tuple[Value, Value]:
        """The results together with their tangents."""
        return self.rules.dual(self, xs, dxs)

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return self.rules.dual(self, xs, dxs)[1]

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return self.rules.pull(self, ct, out, xs, parents)

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return self.rules.reach(self, alive, out, xs, parents)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        return self.rules.batch(self, size, mapped, xs)

    def guarded(self, live: Any, xs: Sequence[Any]) -> Guarded | None:
        return self.rules.guard(self, live, xs)


def branch_above(level: float) -> Any:
    """What records the innermost branch that is being traced, if it stands above this level."""
    each = modes.recording
    while each is not None and each.level > level:
        if each.is_branch:
            return each
        each = each.outer
    return None


def without_integer_gradient(y: Value) -> Value:
    """A result; one that has no derivative is taken off the record, so that it can be an index."""
    if is_inexact(y.dtype) or not isinstance(y, Tracer) or not y.is_recorded():
        return y
    return stop_gradient(y)


class Scan(Structured):
    """A loop of known length.

    body     (constants, carry, slices of xs) -> (carry, slices of ys)
    operands constants, the first carry, xs: arrays with a leading axis of `length`
    results  the last carry, ys, and with `record` the carry before each step, stacked

    Steps go from the last to the first when `reverse`; slices keep their places.
    """

    name = "scan"

    def __init__(
        self,
        body: Program,
        constants: int,
        carries: int,
        length: int,
        reverse: bool = False,
        record: bool = False,
    ) -> None:
        self.body = body
        self.constants = constants
        self.carries = carries
        self.length = length
        self.reverse = reverse
        self.record = record

    def recorded(self, *xs: Value) -> Any:
        if self.record:
            return super().recorded(*xs)
        recording = Scan(
            self.body, self.constants, self.carries, self.length, self.reverse, record=True
        )
        return recording.recorded(*xs)[: len(self.body.outputs)]

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


class Room(threading.local):
    """How many steps of a loop without `max_steps` reverse mode has room for, in this thread."""

    capacity: int = 64


room = Room()


class CapacityError(GradientError):
    """A loop took more steps than there is room to remember; the front door makes more."""

    def __init__(self, capacity: int | str) -> None:
        super().__init__(f"while_loop: more than {capacity} steps; give a larger max_steps")
        self.capacity = int(capacity)


class While(Structured):
    """A loop that goes on while a condition holds.

    condition (constants, carry) -> bool[]
    body      (constants, carry) -> carry
    operands  constants, the first carry
    results   the last carry, the number of steps (i64), and with a `capacity` the carry before
              each step, stacked, of which the rows past the number of steps mean nothing

    More steps than `bound` are refused (0: as many as it takes), as are more than `capacity`.
    """

    name = "while"

    def __init__(
        self,
        condition: Program,
        body: Program,
        constants: int,
        carries: int,
        capacity: int = 0,
        bound: int = 0,
    ) -> None:
        self.condition = condition
        self.body = body
        self.constants = constants
        self.carries = carries
        self.capacity = capacity
        self.bound = bound

    def recorded(self, *xs: Value) -> Any:
        if self.capacity:
            return super().recorded(*xs)
        return self.remembering(lambda loop: loop.recorded(*xs))[: self.carries + 1]

    def remembering(self, run: Callable[[While], Any]) -> Any:
        """What `run` makes of this loop with room to remember its steps."""
        if self.capacity:
            return run(self)
        capacity = self.bound or room.capacity
        while True:
            try:
                return run(self.with_capacity(capacity))
            except CapacityError as error:  # the values are known: look how many steps there are
                if self.bound or error.capacity != capacity:
                    raise
                capacity *= 2

    def with_capacity(self, capacity: int) -> While:
        """This loop with room to remember so many steps."""
        return While(self.condition, self.body, self.constants, self.carries, capacity, self.bound)

    def shape(self, *avals: Aval) -> Any:
        carry = [Aval(c.shape, c.dtype) for c in self.body.results]
        record = [Aval((self.capacity, *c.shape), c.dtype) for c in carry] if self.capacity else []
        return (*carry, Aval((), np.dtype(np.int64)), *record)

    def evaluate(self, *xs: Value) -> Value:
        constants, carry = xs[: self.constants], list(xs[self.constants :])
        record = [np.zeros(a.shape, a.dtype) for a in self.shape()[self.carries + 1 :]]
        limit = self.capacity or self.bound
        count = 0
        while self.condition(*constants, *carry)[0]:
            if limit and count >= limit:
                raise CapacityError(limit)
            for stack, value in zip(record, carry):
                stack[count] = value
            carry = self.body(*constants, *carry)
            count += 1
        return (*carry, np.int64(count), *record)


class Switch(Structured):
    """One of several branches, chosen by an integer, which is brought into their range.

    operands  the integer, then the operands of every branch
    results   those of the branch; all branches have results of the same types
    """

    name = "switch"
    keeps_out = False
    is_selection = True

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
    operands  constants, xs: arrays with an axis of `length`
    results   ys, sums
    axes      which axis that is, of each of the xs and then of the ys, from the end

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
        axes: tuple[int, ...],
    ) -> None:
        self.body = body
        self.tail = tail
        self.axes = axes
        self.constants = constants
        self.sums = sums
        self.length = length
        self.block = block

    def shape(self, *avals: Aval) -> Any:
        results = self.body.results
        count = len(results) - self.sums
        ys = [
            Aval(with_length(y.shape, axis, self.length), y.dtype)
            for y, axis in zip(results[:count], self.axes_of_results, strict=True)
        ]
        return (*ys, *(Aval(y.shape, y.dtype) for y in results[count:]))

    @property
    def axes_of_results(self) -> tuple[int, ...]:
        return self.axes[len(self.body.inputs) - self.constants :]

    def evaluate(self, *xs: Value) -> Value:
        constants, rows = xs[: self.constants], xs[self.constants :]
        pieces = []
        for start in range(0, self.length, self.block):
            stop = min(start + self.block, self.length)
            whole = stop - start == self.block
            program = self.body if whole or self.tail is None else self.tail
            blocks = (
                x[(..., slice(start, stop), *(slice(None),) * (-axis - 1))]
                for x, axis in zip(rows, self.axes, strict=False)
            )
            pieces.append(program(*constants, *blocks))
        columns = list(zip(*pieces, strict=True))
        count = len(columns) - self.sums
        joined = [
            np.concatenate(column, axis)
            for column, axis in zip(columns[:count], self.axes_of_results, strict=True)
        ]
        return (*joined, *(np.sum(column, axis=0) for column in columns[count:]))
