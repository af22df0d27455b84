"""The new program of a pass that rolls loops: what stays, and a `Scan` for each loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.node import Equation, Leaf
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, apply, operands_of, stated
from ..core.source import line_of
from ..ops.control import Scan
from ..ops.indexing import Gather, GetItem
from ..ops.shaping import Concatenate, Reshape, Transpose
from ..ops.writing import SetItem
from .indices import Moving, span
from .listing import CONSTANT, Listing
from .loops import Plan
from .roles import (
    Array,
    Carried,
    Chain,
    Constants,
    Fill,
    Inner,
    Items,
    Literal,
    Mapped,
    Outer,
    Places,
    Refusal,
    Role,
    Row,
    Slice,
    Write,
)

MANY = 8  # operands from which a join is looked at for rows of one stack


def line_of_place(listing: Listing, place: int) -> str:
    """The user's line behind an equation."""
    equation = listing.equations[place]
    return str(line_of(equation.code, equation.offset))


class Writer:
    """Writes the new program: the equations that stay, and a `Scan` for each loop."""

    def __init__(self, listing: Listing, roll: Callable[[Program], Any]) -> None:
        self.listing = listing
        self.roll = roll  # for what is repeated inside a body
        self.report: list[str] = []
        self.new: list[Equation] = []
        self.atoms: dict[int, Atom] = {}  # what replaces the value of an equation
        self.region = np.full(listing.count, -1, np.int32)
        self.loops: list[Loop] = []

    def written(self, plans: Sequence[Plan]) -> Program:
        """The new program."""
        at = 0
        for plan in plans:
            self.keep(at, plan.start)
            try:
                loop = Loop(self, plan)
            except Refusal as refusal:
                for place in range(plan.start, plan.end):
                    self.atoms.pop(place, None)
                self.report.append(
                    f"{line_of_place(self.listing, plan.start)}: not rolled: {refusal}"
                )
                self.keep(plan.start, plan.end)
            else:
                self.region[plan.start : plan.end] = len(self.loops)
                self.loops.append(loop)
                self.report.append(
                    f"{line_of_place(self.listing, plan.start)}: {plan.count} iterations of "
                    f"{plan.period} operations rolled into a loop"
                )
            at = plan.end
        self.keep(at, self.listing.count)
        outputs = [
            y if place == CONSTANT else self.value(place)
            for y, place in zip(self.listing.program.outputs, self.listing.outputs.tolist())
        ]
        return Program(self.listing.program.inputs, alive(self.new, outputs), outputs)

    def keep(self, start: int, end: int) -> None:
        """Equations that stay, with what replaces their operands."""
        listing = self.listing
        offsets = listing.offsets[start : end + 1].tolist()
        places = listing.places
        changed = self.atoms
        for k, i in enumerate(range(start, end)):
            equation = listing.equations[i]
            its = places[offsets[k] : offsets[k + 1]].tolist()
            if len(its) >= MANY and type(equation.primitive) is Concatenate:
                self.join(i, np.array(its))
            elif any(p >= 0 and (p in changed or self.region[p] >= 0) for p in its):
                changed[i] = self.again(i, its)
            else:
                self.new.append(equation)

    def again(self, i: int, places: Sequence[int]) -> Equation:
        """Equation `i` with what replaces its operands."""
        equation = self.listing.equations[i]
        operands = [
            x if place == CONSTANT else self.value(place)
            for x, place in zip(operands_of(equation), places)
        ]
        aval = self.listing.aval(i)
        made = apply(equation.primitive, operands, aval, equation)
        self.new.append(made)
        return made

    def emit(self, primitive: Primitive, operands: Sequence[Atom], like: Equation) -> Equation:
        """A new equation."""
        made = apply(primitive, operands, stated(primitive, operands), like)
        self.new.append(made)
        return made

    def value(self, place: int) -> Atom:
        """The atom for the value at a place."""
        if place < 0:
            return self.listing.program.inputs[-1 - place]
        found = self.atoms.get(place)
        if found is not None:
            return found
        region = int(self.region[place])
        if region >= 0:
            return self.loops[region].value(place)
        return self.listing.equations[place]

    # Rows

    def rows(self, places: Array) -> Atom | None:
        """The values at these places stacked, where they are rows of something; None elsewhere."""
        if not len(places) or places.min() < 0:
            return None
        regions = self.region[places]
        if regions[0] >= 0:
            if (regions != regions[0]).any():
                return None
            plan = self.loops[regions[0]].plan
            steps, values = np.divmod(places - plan.start, plan.period)
            if (values != values[0]).any() or not is_even(steps):
                return None
            whole = self.loops[regions[0]].stacked(int(values[0]))
            if whole is None:
                return None
            return self.cut(whole, steps, self.listing.equations[places[0]])
        if (regions >= 0).any() or (
            self.listing.tokens[places] != self.listing.tokens[places[0]]
        ).any():
            return None
        first = self.listing.equations[places[0]]
        if type(first.primitive) is not GetItem:
            return None
        sources = self.listing.places[self.listing.offsets[places]]
        numbers = [self.listing.numbers_at(p) for p in places.tolist()]
        if (sources != sources[0]).any() or any(n is None for n in numbers[0]):
            return None
        source = self.value(int(sources[0]))
        try:
            return self.items(source, first.primitive.index, np.array(numbers), first)
        except Refusal:
            return None

    def cut(self, whole: Atom, steps: Array, like: Equation) -> Atom:
        """The rows of a stack at these even steps."""
        if steps[0] == 0 and len(steps) == whole.shape[0] and (len(steps) == 1 or steps[1] == 1):
            return whole
        step = int(steps[1] - steps[0]) if len(steps) > 1 else 1
        return self.emit(GetItem((span(int(steps[0]), step, len(steps)),)), (whole,), like)

    def items(self, x: Atom, index: Any, numbers: Array, like: Equation) -> Atom:
        """What an index reads from `x`, its integers a row of `numbers` each time, stacked."""
        moving = Moving(index, numbers, x.shape)
        even = moving.progression()
        if even is not None and even[1]:
            part = moving.parts[0]
            axis = sum(p is None or isinstance(p, slice) for p in moving.index[:part])
            cut = span(*even, len(numbers))
            read = (*moving.index[:part], cut, *moving.index[part + 1 :])
            return self.front(self.emit(GetItem(read), (x,), like), axis, like)
        fixed = tuple(slice(None) if k in moving.parts else p for k, p in enumerate(moving.index))
        if any(part != slice(None) for part in fixed):
            x = self.emit(GetItem(fixed), (x,), like)
        axes = [sum(p is None or isinstance(p, slice) for p in moving.index[:part])
                + sum(q < part for q in moving.parts) for part in moving.parts]  # fmt: skip
        if moving.is_window:
            axes = [sum(p is None or isinstance(p, slice) for p in moving.index[: moving.parts[0]])]
            pattern = (*(slice(None),) * axes[0], 0)
            return self.front(
                self.emit(Gather(pattern, (axes[0],)), (x, moving.rows[0]), like), axes[0], like
            )
        for k, axis in enumerate(axes):
            x = self.front(x, axis, like, k)
        count = len(axes)
        return self.emit(Gather((0,) * count, tuple(range(count))), (x, *moving.rows), like)

    def front(self, x: Atom, axis: int, like: Equation, to: int = 0) -> Atom:
        """`x` with an axis moved to the front, or to the place `to`."""
        if axis == to:
            return x
        ndim = len(x.shape)
        order = [k for k in range(ndim) if k != axis]
        order.insert(to, axis)
        return self.emit(Transpose(tuple(k - ndim for k in order)), (x,), like)

    def join(self, i: int, places: Array) -> None:
        """A join of many operands, of which stretches may be rows of one stack."""
        equation = self.listing.equations[i]
        axis: int = equation.primitive.axis  # type: ignore[attr-defined]
        pieces: list[Atom] = []
        at = 0
        while at < len(places):
            end = self.stretch(places, at)
            whole = self.rows(places[at:end]) if end - at > 1 else None
            if whole is None:
                pieces += [
                    x if place == CONSTANT else self.value(place)
                    for x, place in zip(operands_of(equation)[at:end], places[at:end].tolist())
                ]
            else:
                pieces.append(self.merged(whole, axis, equation))
            at = end
        if len(pieces) == 1 and len(places) > 1 and pieces[0].dtype == equation.dtype:
            self.atoms[i] = pieces[0]
        else:
            self.atoms[i] = self.emit(equation.primitive, pieces, equation)

    def stretch(self, places: Array, at: int) -> int:
        """The end of the stretch from `at` on of rows of one stack."""
        region = self.region[places[at]] if places[at] >= 0 else -1
        if region < 0:
            return at + 1
        period = self.loops[region].plan.period
        end = at + 1
        while (
            end < len(places)
            and places[end] - places[end - 1] == period
            and (self.region[places[end]] == region)
        ):
            end += 1
        return end

    def merged(self, rows: Atom, axis: int, like: Equation) -> Atom:
        """The rows of a stack joined along one of their axes."""
        shape = tuple(rows.shape[1:])
        at = axis + len(shape)
        if at:
            ndim = len(rows.shape)
            order = [*range(1, at + 1), 0, *range(at + 1, ndim)]
            rows = self.emit(Transpose(tuple(k - ndim for k in order)), (rows,), like)
        count = rows.shape[at]
        return self.emit(Reshape((*shape[:at], count * shape[at], *shape[at + 1 :])), (rows,), like)


def is_even(steps: Array) -> bool:
    """Whether integers grow or fall by one step throughout."""
    changes = np.diff(steps)
    return not len(changes) or bool(changes[0] and (changes == changes[0]).all())


def alive(equations: list[Equation], outputs: Sequence[Atom]) -> list[Equation]:
    """The equations that the outputs depend on."""
    wanted = {id(y) for y in outputs}
    kept = []
    for equation in reversed(equations):
        if id(equation) in wanted:
            kept.append(equation)
            wanted.update(map(id, equation.parents))
    kept.reverse()
    return kept


class Loop:
    """A loop as it is written: its `Scan`, and where the values of its iterations are found."""

    def __init__(self, writer: Writer, plan: Plan) -> None:
        self.writer = writer
        self.plan = plan
        self.like = writer.listing.equations[plan.start]
        self.made: dict[int, Atom] = {}  # stacks
        self.results: dict[tuple[int, int], Atom] = {}  # single rows, by value and iteration
        self.ys: dict[int, Atom] = {}
        self.finals: dict[int, Atom] = {}
        for value, role in plan.values.items():
            if isinstance(role, Outer) and role.place == plan.start + value:
                places = plan.matrix[0, self.slots(value)].tolist()
                writer.atoms[plan.start + value] = writer.again(plan.start + value, places)
        self.write()
        for value in plan.used:
            role = plan.resolved(Inner(value))
            if isinstance(role, Slice):
                self.stack(role.stack)  # or a refusal, while the equations can still stay
        for fill in plan.fills:
            self.finals[fill.writes[-1].setter] = self.filled(fill)

    def slots(self, value: int) -> slice:
        """The columns of the operands of an equation."""
        slots = [*self.plan.first_slots, self.plan.stride]
        return slice(slots[value], slots[value + 1])

    def write(self) -> None:
        """Write the `Scan`."""
        plan, writer = self.plan, self.writer
        filled = {w.value for fill in plan.fills for w in fill.writes}
        setters = {w.setter for fill in plan.fills for w in fill.writes}
        stacked: list[int] = []
        last: list[int] = []
        for value, steps in plan.used.items():
            role = plan.resolved(Inner(value))
            if value not in setters and not isinstance(role, Outer | Slice):
                (last if steps == [plan.count - 1] else stacked).append(value)
        stacked += [v for v in sorted(filled) if not isinstance(plan.resolved(Inner(v)), Slice)]
        for value in last:
            if not any(chain.value == value for chain in plan.chains):
                aval = plan.listing.aval(plan.start + value)
                if aval is None:
                    raise Refusal("several results of one operation are read after the loop")
                plan.chain(value, aval, [Literal(np.zeros(aval.shape, aval.dtype)[()])])
        wanted = self.wanted(stacked, last)
        if not stacked and not last:
            return
        body = Body(self, wanted)
        chains = [(k, m) for k, depth in sorted(wanted.chains.items()) for m in range(1, depth + 1)]
        carries = [body.carry(k, m) for k, m in chains]
        for value in plan.formulas_in_order():
            if value in wanted.values:
                body.compute(value)
        nexts = [
            body.atom(Inner(plan.chains[k].value)) if m == 1 else body.carry(k, m - 1)
            for k, m in chains
        ]
        ys = [body.atom(Inner(value)) for value in stacked]
        inner = Program(
            (*body.constants.values(), *carries, *body.slices.values()), body.equations,
            (*nexts, *ys),
        )  # fmt: skip
        deeper = writer.roll(inner)
        writer.report += deeper.report
        scan = Scan(deeper.program, len(body.constants), len(carries), plan.count)
        firsts = [self.first(plan.chains[k], m) for k, m in chains]
        operands = (
            *(writer.value(place) for place in body.constants),
            *firsts,
            *(self.stack(k) for k in body.slices),
        )
        equation = writer.emit(scan, operands, self.like)
        avals: Any = scan.shape()
        for k, value in enumerate(stacked, len(chains)):
            part = apply(Part(k, len(avals)), (equation,), avals[k], self.like)
            writer.new.append(part)
            self.ys[value] = part
        for value in last:
            k = next(k for k, (c, m) in enumerate(chains)
                     if m == 1 and plan.chains[c].value == value)  # fmt: skip
            part = apply(Part(k, len(avals)), (equation,), avals[k], self.like)
            writer.new.append(part)
            self.results[value, plan.count - 1] = part

    def wanted(self, stacked: list[int], last: list[int]) -> Wanted:
        """What the results depend on."""
        plan = self.plan
        values: set[int] = set()
        chains: dict[int, int] = {}
        todo: list[Role] = [Inner(v) for v in stacked]
        for value in last:
            k = next(k for k, chain in enumerate(plan.chains) if chain.value == value)
            todo.append(Carried(k, 1))
        while todo:
            role = plan.resolved(todo.pop())
            if isinstance(role, Inner) and role.value not in values:
                values.add(role.value)
                todo += plan.formulas[role.value].roles
            elif isinstance(role, Carried) and chains.get(role.chain, 0) < role.lag:
                if role.chain not in chains:
                    todo.append(Inner(plan.chains[role.chain].value))
                chains[role.chain] = role.lag
        return Wanted(values, chains)

    def first(self, chain: Chain, lag: int) -> Atom:
        """What stands for the value of a chain `lag` iterations before the first."""
        first = chain.first[lag - 1]
        if isinstance(first, Literal):
            return first.value
        if isinstance(first, Row):
            return self.writer.emit(GetItem(first.at), (self.writer.value(first.place),), self.like)
        return self.writer.value(first)

    # Stacks

    def stack(self, k: int) -> Atom:
        """A stack that the loop steps through, written when first wanted."""
        if k not in self.made:
            self.made[k] = self.stack_made(k)
        return self.made[k]

    def stack_made(self, k: int) -> Atom:
        """A stack, written."""
        writer, stack = self.writer, self.plan.stacks[k]
        if isinstance(stack, Constants):
            return stack.values
        if isinstance(stack, Items):
            return writer.items(writer.value(stack.place), stack.at, stack.numbers, self.like)
        if isinstance(stack, Mapped):
            return writer.emit(stack.primitive, (self.stack(stack.stack),), self.like)
        rows = writer.rows(stack.places)
        return self.joined(stack) if rows is None else rows

    def joined(self, stack: Places) -> Atom:
        """A stack of values from all over the program."""
        listing, writer = self.writer.listing, self.writer
        avals = {listing.aval(place) for place in stack.places.tolist()}
        if len({a[:2] for a in avals if a is not None}) != 1 or None in avals:
            raise Refusal("values of different types stand in one place of the iterations")
        if self.plan.period < 4:
            raise Refusal("it reads so many values that a loop would save little")
        shape = next(a.shape for a in avals if a is not None)
        pieces = [
            writer.emit(Reshape((1, *shape)), (writer.value(place),), self.like)
            for place in stack.places.tolist()
        ]
        return writer.emit(Concatenate(-1 - len(shape)), pieces, self.like)

    # Results

    def value(self, place: int) -> Atom:
        """The atom for the value of one iteration."""
        plan, writer = self.plan, self.writer
        step, value = divmod(place - plan.start, plan.period)
        if value in self.finals:
            return self.finals[value]
        role = plan.resolved(Inner(value))
        if isinstance(role, Outer):
            return writer.value(role.place)
        known = self.results.get((value, step))
        if known is None:
            whole = self.stack(role.stack) if isinstance(role, Slice) else self.ys[value]
            like = writer.listing.equations[place]
            known = self.results[value, step] = writer.emit(GetItem((step,)), (whole,), like)
        return known

    def stacked(self, value: int) -> Atom | None:
        """The values of all iterations, where they are stacked."""
        role = self.plan.resolved(Inner(value))
        return self.stack(role.stack) if isinstance(role, Slice) else self.ys.get(value)

    def filled(self, fill: Fill) -> Atom:
        """The array that the loop fills, after it."""
        array = self.writer.value(fill.start)
        for w in fill.writes:
            array = self.written(array, w)
        return array

    def written(self, array: Atom, w: Write) -> Atom:
        """An array after all iterations of one write."""
        writer, plan = self.writer, self.plan
        role = plan.resolved(Inner(w.value))
        count = plan.count
        rows = self.stack(role.stack) if isinstance(role, Slice) else self.ys[w.value]
        cut = span(w.first, w.step, count)
        if (
            w.pattern[:1] == (0,) and w.part == 0 and cut == slice(0, array.shape[0], 1)
            and rows.shape == array.shape and rows.dtype == array.dtype
        ):  # fmt: skip
            return rows
        index = (*w.pattern[: w.part], cut, *w.pattern[w.part + 1 :])
        axis = sum(p is None or isinstance(p, slice) for p in w.pattern[: w.part])
        if axis:
            ndim = len(rows.shape)
            order = [*range(1, axis + 1), 0, *range(axis + 1, ndim)]
            rows = writer.emit(Transpose(tuple(k - ndim for k in order)), (rows,), self.like)
        return writer.emit(SetItem(index), (array, rows), self.like)


class Wanted(NamedTuple):
    """What the results of a loop depend on: values computed, and chains with how long they are."""

    values: set[int]
    chains: dict[int, int]


class Body:
    """The body of a loop as it is written."""

    def __init__(self, loop: Loop, wanted: Wanted) -> None:
        self.loop = loop
        self.plan = loop.plan
        self.wanted = wanted
        self.equations: list[Equation] = []
        self.atoms: dict[int, Atom] = {}
        self.constants: dict[int, Leaf] = {}
        self.slices: dict[int, Leaf] = {}
        self.carries: dict[tuple[int, int], Leaf] = {}

    def carry(self, chain: int, lag: int) -> Leaf:
        """The input for a value carried."""
        if (chain, lag) not in self.carries:
            aval = self.plan.chains[chain].aval
            self.carries[chain, lag] = Leaf(aval.shape, aval.dtype)
        return self.carries[chain, lag]

    def atom(self, role: Role) -> Atom:
        """The atom of the body for an operand."""
        role = self.plan.resolved(role)
        if isinstance(role, Literal):
            return role.value
        if isinstance(role, Inner):
            return self.atoms[role.value]
        if isinstance(role, Carried):
            return self.carry(role.chain, role.lag)
        if isinstance(role, Slice):
            if role.stack not in self.slices:
                whole = aval_of(self.loop.stack(role.stack))
                self.slices[role.stack] = Leaf(whole.shape[1:], whole.dtype)
            return self.slices[role.stack]
        if role.place not in self.constants:
            value = aval_of(self.loop.writer.value(role.place))
            self.constants[role.place] = Leaf(value.shape, value.dtype)
        return self.constants[role.place]

    def compute(self, value: int) -> None:
        """Write the equation of one value."""
        formula = self.plan.formulas[value]
        operands = [self.atom(role) for role in formula.roles]
        aval: Aval | None = formula.aval
        like = self.plan.listing.equations[formula.like]
        made = apply(formula.primitive, operands, aval, like)
        self.equations.append(made)
        self.atoms[value] = made
