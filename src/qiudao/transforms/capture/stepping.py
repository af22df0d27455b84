"""The step of a tried loop as the step of a scan.

    what is known ahead            a slice of an array along the steps
    x[i], x[i - 1], x from outside a slice of x
    z[i] = v                       a stacked result, written into z after the loop
    z[i - d]                       what was written d steps before: carried
    all other carried values       carried

What would be carried whole only because one element of it is written is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import Tracer
from ...core.node import Equation, Node
from ...core.program import Atom, Program, operands_of
from ...ops.control import Scan, Switch, While
from ...ops.indexing import Gather
from ...ops.writing import Put, SetItem
from ..control import scan
from ..trace import Symbol, Traced
from .branch import cast
from .effects import appended
from .foreseen import Carry, Foreseen, is_narrow
from .outcomes import end_trial
from .replaying import attribute
from .scopes import augmented, written
from .state import StandIns, nest, regions
from .step import Step

FARTHEST = 4  # steps back from which elements are still carried
SMALL = 16  # elements of an array that may be carried whole though one of them is written


class TriedStep(Step):
    """The step of a loop of known length.

    Lists that a step only appends to are as they were while it is traced; what it appends is noted.
    """

    def trace(self) -> Traced:
        made = super().trace()
        outputs = made.program.outputs
        self.appended = outputs[len(self.keys) :]
        program = Program(made.program.inputs, made.program.equations, outputs[: len(self.keys)])
        return made._replace(program=program)

    def advance(self, given: Any, stand: StandIns, before: dict[str, Any]) -> list[Value]:
        names = self.growing()
        outer, regions.appended = regions.appended, {id(before[n]): [] for n in names}
        try:
            results = super().advance(given, stand, before)
            self.grown = {n: [nest(x) for x in regions.appended[id(before[n])]] for n in names}
        finally:
            regions.appended = outer
        leaves = [x for each in self.grown.values() for parts in each for x in parts.leaves]
        if not all(isinstance(x, Tracer) for x in leaves) or any(
            x is y for x in leaves for y in stand.symbols
        ):
            end_trial("what is appended is known, or is one array in all steps")
        return [*results, *leaves]

    def growing(self) -> list[str]:
        """The lists that a step appends to, which no other name holds."""
        of = self.loop
        body = of.site.node.body
        values = of.state.values
        names = [n for n in sorted(appended(body)) if type(values.get(n)) is list]
        for name in names:
            if sum(holds(x, values[name]) for x in values.values()) > 1:
                end_trial("several names hold a list")
        if names and any(is_array(values.get(n)) for n in written(body) | augmented(body)):
            end_trial("an array that was appended might be written into")
        return names

    def extend(self, stacks: Sequence[Value]) -> None:
        """Append what all steps have appended."""
        place = 0
        for name, each in self.grown.items():
            columns = []
            for parts in each:
                columns.append((parts.tree, stacks[place : place + len(parts.leaves)]))
                place += len(parts.leaves)
            held = self.loop.state.values[name]
            for k in range(self.loop.bound or 0):
                held.extend(tree.build([x[k] for x in rows]) for tree, rows in columns)

    def finish(self) -> Any:
        if self.undefined or self.new or any(map(self.loop.state.is_place, self.names)):
            end_trial("a list changes, or a variable is not always defined")
        return super().finish()

    def equation(self) -> list[Value]:
        """The results of the loop, for each carried value."""
        stepping = Stepping(self)
        found = stepping.results()
        self.extend(stepping.more)
        return found


class Filled(NamedTuple):
    """An array that the loop writes a row of at each step."""

    carry: Carry
    write: Equation
    index: Any  # of the rows, by step


class Stepping:
    """How the parts of a step move from step to step."""

    def __init__(self, step: TriedStep) -> None:
        self.step = step
        self.program = step.piece.program
        inputs: tuple[Any, ...] = self.program.inputs
        own = 1 + len(step.keys)
        self.length: int = step.loop.bound  # type: ignore[assignment]
        self.count: Any = inputs[1]
        own_inputs: Sequence[Any] = inputs[2:own]
        captured: Sequence[Any] = inputs[own:]
        self.outside: dict[Node, Value] = dict(zip(captured, step.piece.captured, strict=True))
        self.carries = [
            Carry(leaf, self.start(key, first), out)
            for key, leaf, first, out in zip(
                step.keys[1:], own_inputs, step.init[1:], self.program.outputs[1:], strict=True
            )
        ]
        self.ahead = Foreseen(self.program, self.count, self.carries, captured, self.length)
        self.moving = self.hanging()
        self.readers = self.reading()
        self.check()
        self.xs: dict[Node, tuple[Value, Any]] = {}  # what is read by step: the array, the rows
        self.lagged: dict[Node, tuple[Filled, int]] = {}  # what was written some steps before
        self.fresh: dict[Node, Filled] = {}  # what was written in this step
        self.filled = [f for c in self.carries if (f := self.fill(c)) is not None]
        self.settle_reads()
        self.check_writes()

    def start(self, key: Any, first: Value) -> Value:
        """What a carried value starts with, as the user has it."""
        if isinstance(key, tuple) and key[0] in self.step.loop.starts:
            held = self.step.loop.starts[key[0]].leaves[key[1]]
            if not isinstance(held, Tracer):
                return held
        return first

    def hanging(self) -> set[Node]:
        """The nodes that may differ from step to step."""
        found: set[Node] = {self.count, *(c.leaf for c in self.carries)}
        for e in self.program.equations:
            if any(isinstance(x, Node) and x in found for x in operands_of(e)):
                found.add(e)
        return found

    def moves(self, x: Atom) -> bool:
        """Whether an operand may differ from step to step."""
        return isinstance(x, Node) and x in self.moving

    def reading(self) -> dict[Node, list[Equation | None]]:
        """What reads each node; None for each result of the step that it is."""
        found: dict[Node, list[Equation | None]] = {}
        for e in self.program.equations:
            for x in operands_of(e):
                if isinstance(x, Node):
                    found.setdefault(x, []).append(e)
        for y in (*self.program.outputs, *self.step.appended):
            if isinstance(y, Node):
                found.setdefault(y, []).append(None)
        return found

    # What speaks against the loop

    def check(self) -> None:
        """Refuse where unrolled steps would do something else, or better."""
        ahead = self.ahead
        if not ahead.dark & {c.leaf for c in self.carries}:
            end_trial("all of the loop is known")
        for c in self.carries:
            if not c.is_known and ahead.knows(c.out):
                end_trial("a value becomes known")
            is_number = isinstance(c.start, bool | int | float | complex)
            changes = is_number and np.asarray(c.start).dtype != c.leaf.dtype
            if changes and c.leaf in ahead.dark:
                end_trial("a number of Python's changes its type")
        numbers = {
            c.leaf for c in self.carries if isinstance(c.start, bool | int | float | complex)
        }
        for e in self.program.equations:
            operands = operands_of(e)
            if isinstance(e.primitive, While):
                end_trial("a loop of unknown length inside")
            if isinstance(e.primitive, Scan) and holds_switch(e.primitive):
                end_trial("a decision inside an inner loop")
            if isinstance(e.primitive, Switch) and self.ahead.knows(operands[0]):
                end_trial("a decision that is known")
            places = indices(e)
            free = [x for k, x in enumerate(operands) if k not in places]
            weak = [
                x for x in free
                if isinstance(x, Node) and (x in numbers or x not in ahead.dark)
            ]  # fmt: skip
            if weak and any(is_small(x) for x in free):
                end_trial("numbers in less than Python's precision")

    def check_writes(self) -> None:
        """Refuse to carry an array whole of which a step writes a part."""
        whole = {c.leaf for c in self.carries} - {f.carry.leaf for f in self.filled}
        grown: set[Node] = set()
        for e in self.program.equations:
            first = next(iter(operands_of(e)), None)
            into = isinstance(first, Node) and first in whole | grown
            if into and isinstance(e.primitive, Put | SetItem):
                grown.add(e)
                if np.prod(e.shape, dtype=int) > SMALL:
                    end_trial("an array would be carried for one of its elements")

    # Arrays that are filled, and arrays that are read

    def fill(self, carry: Carry) -> Filled | None:
        """An array of which a step writes one row, and reads rows at most."""
        e = carry.out
        if not isinstance(e, Equation) or not is_row(e) or type(e.primitive) is not Put:
            return None
        base, _, index = operands_of(e)
        if base is not carry.leaf or not self.ahead.knows(index):
            return None
        others = [*self.readers[carry.leaf], *self.readers[e]]
        if others.count(None) > 1 or others.count(e) > 1:
            return None
        for r in others:
            if r is not None and r is not e and not self.reads_row(r, (carry.leaf, e)):
                return None
        rows = self.rows(index, carry.leaf.shape[0])
        steps = np.diff(rows)
        if not (steps[0] and np.all(steps == steps[0])):
            return None
        return Filled(carry, e, rows)

    def reads_row(self, e: Equation, arrays: Sequence[Node]) -> bool:
        """Whether an equation reads a row of an array, at an index known ahead."""
        if type(e.primitive) is not Gather or not is_row(e):
            return False
        base, index = operands_of(e)
        return any(base is x for x in arrays) and self.ahead.knows(index)

    def rows(self, index: Atom, size: int) -> Any:
        """The rows that an index stands for, by step."""
        found = self.ahead.stacks[index] if isinstance(index, Node) else np.full(self.length, index)
        found = np.where(found < 0, found + size, found)
        if np.any(found < 0) or np.any(found >= size):
            end_trial("an index out of bounds")
        return found

    def settle_reads(self) -> None:
        """Tell each read of a row by how it moves."""
        for f in self.filled:
            for after, node in enumerate((f.carry.leaf, f.write)):
                for r in self.readers[node]:
                    if r is not None and r is not f.write:
                        self.settle_read(f, r, bool(after))
        for e in self.program.equations:
            if type(e.primitive) is Gather and e not in self.lagged and e not in self.fresh:
                self.settle_slice(e)

    def settle_read(self, f: Filled, r: Equation, after: bool) -> None:
        """A read of an array that is filled."""
        size = f.carry.leaf.shape[0]
        rows = self.rows(operands_of(r)[1], size)
        when = np.full(size, self.length)  # the step that writes each row
        when[f.index] = np.arange(self.length)
        now = np.arange(self.length)
        if after and np.array_equal(rows, f.index):
            self.fresh[r] = f
        elif np.all(when[rows] >= now + after):
            self.xs[r] = f.carry.start, rows
        else:
            for lag in range(1, FARTHEST + 1):
                first = when[rows[:lag]] >= now[:lag]
                if np.array_equal(rows[lag:], f.index[:-lag]) and np.all(first):
                    self.lagged[r] = f, lag
                    return
            end_trial("rows are read that were written at other steps")

    def settle_slice(self, e: Equation) -> None:
        """A read of an array that stays the same: its elements along the steps are slices."""
        base, *index = operands_of(e)
        primitive: Any = e.primitive
        if len(index) != 1 or aval_of(index[0]).shape or self.moves(base) or e in self.xs:
            return
        hole = primitive.holes[0]
        if not self.moves(index[0]) or not self.ahead.knows(index[0]):
            return
        if any(p is Ellipsis or p is None for p in primitive.pattern[:hole]):
            return
        rows = self.rows(index[0], aval_of(base).shape[hole])
        self.xs[e] = self.value(base), rows

    def value(self, x: Atom) -> Value:
        """What does not move, computed before the loop."""
        if not isinstance(x, Node):
            return x
        if x not in self.outside:
            e: Any = x
            self.outside[x] = applied(e, [self.value(y) for y in operands_of(e)])
        return self.outside[x]

    # The scan

    def results(self) -> list[Value]:
        """Make the scan, and give what each carried value is after it."""
        ahead = self.ahead
        arrays = {f.carry.leaf for f in self.filled}
        kept = [c for c in self.carries if c.leaf in ahead.dark and c.leaf not in arrays]
        far = [max([0, *(d for g, d in self.lagged.values() if g is f)]) for f in self.filled]
        held = [self.earlier(f, d) for f, d in zip(self.filled, far, strict=True)]
        nodes = [*self.xs, *self.needed()]
        paces = [f.index for f in self.filled] or [rows for _, rows in self.xs.values()]
        down = bool(paces) and all(rows[-1] < rows[0] for rows in paces)
        order = slice(None, None, -1 if down else 1)

        def along(x: Any) -> Value:
            if x not in self.xs:
                return ahead.stacks[x][order]
            array, rows = self.xs[x]
            return read_along(array, x, rows[order])

        def body(carry: Any, rows: list[Value]) -> Any:
            now, before = carry
            values: dict[Node, Value] = dict(zip(nodes, rows, strict=True))
            values.update(zip((c.leaf for c in kept), now, strict=True))
            for r, (f, lag) in self.lagged.items():
                values[r] = before[self.filled.index(f)][-lag]
            written = self.replay(values)
            new = [cast(read(values, c.out), aval_of(c.leaf)) for c in kept]
            lags = [[*b, v][1:] if b else [] for b, v in zip(before, written, strict=True)]
            more = [self.operand(values, x) for x in self.step.appended]
            return (new, lags), (written, more)

        init = [self.first(c) for c in kept]
        (last, _), (stacks, more) = scan(
            body, (init, held), [along(x) for x in nodes], self.length, down
        )
        self.more = more if not down else [x[::-1] for x in more]
        found: dict[Node, Value] = dict(zip((c.leaf for c in kept), last, strict=True))
        for f, rows in zip(self.filled, stacks, strict=True):
            found[f.carry.leaf] = filled(f, f.index[order], rows)
        for c in ahead.known:
            value = ahead.last[c.leaf]
            plain = isinstance(c.start, bool | int | float | complex)
            found[c.leaf] = value.item() if plain and hasattr(value, "item") else value
        return [np.int64(self.length), *(found[c.leaf] for c in self.carries)]

    def first(self, c: Carry) -> Value:
        """What is carried into the first step."""
        return self.step.init[1 + self.carries.index(c)]

    def earlier(self, f: Filled, lag: int) -> list[Value]:
        """The rows that the steps before the first would have written."""
        found: list[Value] = []
        for d in range(lag, 0, -1):
            row = f.index[0] - d * (f.index[1] - f.index[0])
            size = f.carry.leaf.shape[0]
            inside = 0 <= row < size or any(g is f and e >= d for g, e in self.lagged.values())
            found.append(self.first(f.carry)[int(row) % size if inside else 0])
        return found

    def needed(self) -> list[Node]:
        """What is known ahead and read by the rest of the step."""
        found: dict[Node, None] = {}
        skipped = {*self.xs, *self.lagged, *self.fresh, *(f.write for f in self.filled)}
        values = [operands_of(f.write)[1] for f in self.filled]
        for e in self.program.equations:
            if e in self.ahead.dark and e not in skipped:
                values += operands_of(e)
        for x in (*values, *self.program.outputs[1:], *self.step.appended):
            if isinstance(x, Node) and x in self.ahead.stacks:
                found[x] = None
        return list(found)

    def replay(self, values: dict[Node, Value]) -> list[Value]:
        """The rest of the step on these values; the rows that it writes."""
        written: dict[Equation, Value] = {}
        writes = {f.write for f in self.filled}
        for e in self.program.equations:
            if e in values or e not in self.ahead.dark:
                continue
            if e in writes:
                written[e] = row_of(e, read(values, operands_of(e)[1]))
            elif e in self.fresh:
                values[e] = written[self.fresh[e].write]
            else:
                xs = [self.operand(values, x) for x in operands_of(e)]
                values[e] = applied(e, xs)
        return [written[f.write] for f in self.filled]

    def operand(self, values: dict[Node, Value], x: Atom) -> Value:
        """An operand of an equation of the step."""
        return self.outside[x] if isinstance(x, Node) and x not in values else read(values, x)


def is_array(x: Any) -> bool:
    """Whether a variable may be an array with axes."""
    return isinstance(x, Tracer | np.ndarray) and bool(x.shape)


def holds(x: Any, held: list[Any]) -> bool:
    """Whether a value is a list, or has it somewhere inside."""
    if x is held:
        return True
    inside = x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else ()
    return any(holds(each, held) for each in inside)


def read(values: dict[Node, Value], x: Atom) -> Value:
    """The value of an atom."""
    return values[x] if isinstance(x, Node) else x


def applied(e: Equation, xs: list[Value]) -> Value:
    """An equation on other operands, with its line."""
    made = e.primitive(*xs)
    for each in made if isinstance(made, tuple) else (made,):
        if isinstance(each, Symbol):
            attribute(each.node, e)
    return made


def is_row(e: Equation) -> bool:
    """Whether a read or write is of one row, with an index that is a single number."""
    primitive: Any = e.primitive
    if type(primitive) not in (Gather, Put) or primitive.holes != (0,):
        return False
    full = all(isinstance(p, slice) and p == slice(None) for p in primitive.pattern[1:])
    return full and aval_of(operands_of(e)[-1]).shape == ()


def row_of(e: Equation, v: Value) -> Value:
    """What a write puts into the row, in the type of the array."""
    shape = e.shape[1:]
    made = cast(v, Aval((), e.dtype))
    return made if np.shape(made) == shape else np.broadcast_to(made, shape)


def filled(f: Filled, index: Any, rows: Value) -> Value:
    """The array with all rows written."""
    start = f.carry.start
    whole: Any = start.snapshot() if isinstance(start, Tracer) else rows.constant(start)
    whole[spelled(index)] = rows
    return whole


def read_along(x: Value, e: Equation, rows: Any) -> Value:
    """What a read gives at each step, along a first axis."""
    primitive: Any = e.primitive
    hole = primitive.holes[0]
    pattern = (*primitive.pattern[:hole], slice(None), *primitive.pattern[hole + 1 :])
    plain = all(isinstance(p, slice) and p == slice(None) for p in pattern)
    whole = x if plain else x[pattern]
    axis = sum(isinstance(p, slice) for p in pattern[:hole])
    if axis:
        whole = np.moveaxis(whole, axis, 0)
    at = spelled(rows)
    every = isinstance(at, slice) and at == slice(0, whole.shape[0], 1)
    return whole if every else whole[at]


def spelled(rows: Any) -> Any:
    """Rows as a slice where they are evenly spaced."""
    step = int(rows[1] - rows[0])
    if not step or np.any(np.diff(rows) != step):
        return rows
    stop = int(rows[-1]) + (1 if step > 0 else -1)
    return slice(int(rows[0]), None if stop < 0 else stop, step)


def indices(e: Equation) -> range:
    """The places of the operands of an equation that are indices."""
    count = len(operands_of(e))
    if not isinstance(e.primitive, Gather | Put):
        return range(count, count)
    return range(2 if isinstance(e.primitive, Put) else 1, count)


def is_small(x: Atom) -> bool:
    """Whether an operand has less than Python's precision."""
    aval = aval_of(x)
    return aval.weak is None and (aval.dtype.kind == "u" or (
        aval.dtype.kind in "ifc" and is_narrow(aval.dtype)
    ))  # fmt: skip


def holds_switch(primitive: Any) -> bool:
    """Whether a loop decides anything inside."""
    return any(
        isinstance(e.primitive, Switch | While)
        or (isinstance(e.primitive, Scan) and holds_switch(e.primitive))
        for e in primitive.body.equations
    )
