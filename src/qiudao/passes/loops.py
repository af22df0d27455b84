"""From a run of equations to a loop: what each operand is to an iteration.

The operands of a run make a matrix of places, a row an iteration.  Down a column, the places of a
value that the loop makes move on by a period each time; those of a value from before it stay, or
move by any other step, which makes a stack.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from operator import attrgetter
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of, promote
from ..core.families import Elementwise
from ..core.node import Equation
from ..core.program import has_several
from ..ops.indexing import Gather, GetItem
from ..ops.shaping import Reshape
from ..ops.writing import Put, SetItem
from .indices import LARGE, Index, Moving
from .listing import CONSTANT, Listing
from .periods import REPEATS, SAVED, Run
from .roles import (
    Array,
    Carried,
    Chain,
    Constants,
    Fill,
    Formula,
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
    Stack,
)

LAGS = 16  # the furthest iteration back that a loop reads
STARTS = 32  # the starts that are tried


class Plan:
    """A loop that stands for a run: `count` iterations of `period` equations from `start` on.

    values    for each value of an iteration what it is, where it is not computed there
    formulas  how the others are computed, in order
    """

    def __init__(self, listing: Listing, run: Run, floor: int) -> None:
        self.listing = listing
        self.period = run.period
        self.start = start = aligned(listing, run, floor)
        self.count = count = (run.end - start) // run.period
        self.end = start + count * run.period
        if count < REPEATS or (count - 1) * self.period < SAVED:
            raise Refusal(f"only {count} repetitions of {self.period} operations")
        offsets = listing.offsets
        self.base = int(offsets[start])
        self.stride = int(offsets[start + self.period]) - self.base
        self.matrix = listing.places[self.base : self.base + count * self.stride].reshape(
            count, self.stride
        )
        self.first_slots = (offsets[start : start + self.period] - self.base).tolist()
        self.stacks: list[Stack] = []
        self.stacked: dict[Hashable, int] = {}
        self.chains: list[Chain] = []
        self.listed = 0  # positions that slices which move read
        self.values: dict[int, Role] = {}
        self.formulas: dict[int, Formula] = {}
        self.fills: list[Fill] = []
        self.roles = self.operand_roles()
        used = np.flatnonzero(listing.last_use[start : self.end] >= offsets[self.end])
        self.used: dict[int, list[int]] = {}
        for place in used.tolist():
            self.used.setdefault(place % self.period, []).append(place // self.period)
        for j in self.used:
            if listing.aval(start + j) is None:
                raise Refusal("several results of one operation are read after the loop")

    # Operands

    def operand_roles(self) -> list[list[Role]]:
        """The roles of the operands of each equation of an iteration."""
        slots = [*self.first_slots, self.stride]
        last = self.matrix[-1].tolist()
        steps = (self.matrix[-1] - self.matrix[-2]).tolist()
        return [
            [self.role(j, a, last[a], steps[a]) for a in range(slots[j], slots[j + 1])]
            for j in range(self.period)
        ]

    def role(self, j: int, a: int, last: int, step: int) -> Role:
        """The role of the operand in column `a`, which belongs to equation `j`."""
        if last == CONSTANT:
            return self.constant_role(j, a)
        if step == self.period and last >= self.start:
            lag, value = divmod(last - self.start, self.period)
            lag = self.count - 1 - lag
            return Inner(value) if lag == 0 else self.carried(value, lag, a)
        if step == 0:
            return Outer(last)
        return self.stack(Places(self.matrix[:, a].copy()))

    def stack(self, stack: Stack) -> Slice:
        """The role of a row of a stack; equal ones are one."""
        key = stack_key(stack)
        if key not in self.stacked:
            self.stacked[key] = len(self.stacks)
            self.stacks.append(stack)
        return Slice(self.stacked[key])

    def carried(self, value: int, lag: int, a: int) -> Carried:
        """The role of a value made `lag` iterations ago."""
        aval = self.listing.aval(self.start + value)
        if aval is None or lag > LAGS:
            raise Refusal(f"a value is read {lag} iterations after it was made")
        first: list[int | Row | Literal] = []
        for k in range(lag - 1, -1, -1):
            place = int(self.matrix[k, a])
            if place == CONSTANT:
                number = self.constants(a)[k]
                first.append(Literal(np.asarray(number).astype(aval.dtype)[()]))
            else:
                first.append(place)
        return self.chain(value, aval, first)

    def chain(self, value: int, aval: Aval, first: list[int | Row | Literal]) -> Carried:
        """The role of the value of as many iterations ago as there are values to start from."""
        fitting = (k for k, c in enumerate(self.chains) if c.value == value and c.fits(first))
        k = next(fitting, len(self.chains))
        if k == len(self.chains):
            self.chains.append(Chain(value, aval))
        chain = self.chains[k]
        chain.first += first[len(chain.first) :]
        return Carried(k, len(first))

    def constant_role(self, j: int, a: int) -> Role:
        """The role of constants, a literal where all are the same."""
        values = self.constants(a)
        first = values[0]
        kinds = set(map(type, values))
        if isinstance(first, np.ndarray):
            if len({(getattr(v, "dtype", None), np.shape(v)) for v in values}) > 1:
                raise Refusal("constant arrays differ in shape or dtype between iterations")
            bits = first.tobytes()
            if all(v is first or v.tobytes() == bits for v in values):
                return Literal(first)
            return self.stack(Constants(np.stack(values)))
        if len(kinds) == 1 and values.count(first) == self.count:
            zeros = np.asarray(values)  # which may differ in sign
            if first != 0 or zeros.tobytes() == zeros[:1].tobytes() * self.count:
                return Literal(first)
        dtype = self.common_dtype(j, a, kinds, values)
        try:
            rows = np.array(values, dtype)
        except OverflowError:
            raise Refusal("a constant is too large for its dtype") from None
        return self.stack(Constants(rows))

    def constants(self, a: int) -> list[Any]:
        """The operands in a column."""
        j = bisect_right(self.first_slots, a) - 1
        slot = a - self.first_slots[j]
        equations = self.listing.equations[self.start + j : self.end : self.period]
        return [operands[slot] for operands in map(attrgetter("operands"), equations)]

    def common_dtype(self, j: int, a: int, kinds: set[type], values: list[Any]) -> Any:
        """The dtype in which constants that differ enter an operation."""
        equation = self.listing.equations[self.start + j]
        slot = a - self.first_slots[j]
        wanted = {kind: aval_of(next(v for v in values if type(v) is kind)) for kind in kinds}
        if all(aval.weak is None for aval in wanted.values()):
            (dtype, *others) = {aval.dtype for aval in wanted.values()}
        else:
            (dtype, *others) = {
                promote(*replaced(equation, slot, aval)) for aval in wanted.values()
            }
            strong = Aval((), dtype)
            if not isinstance(equation.primitive, Elementwise) or (
                equation.primitive.shape(*replaced(equation, slot, strong))
                != equation.primitive.shape(*replaced(equation, slot, next(iter(wanted.values()))))
            ):
                others = [dtype]
        if others:
            raise Refusal(
                f"the constants of {equation.primitive.name} differ, and an array of them would "
                "be of another dtype"
            )
        return dtype

    # Equations

    def formulas_in_order(self) -> list[int]:
        """The values computed, each after those that it reads.

        What a write stores has the number of its equation and one or two periods more.
        """
        return sorted(self.formulas, key=lambda v: (v % self.period, -v))

    def resolved(self, role: Role) -> Role:
        """A role, through values that are not computed in the loop."""
        while isinstance(role, Inner) and role.value in self.values:
            role = self.values[role.value]
        return role

    def numbers(self, j: int) -> Array | None:
        """The integers of the index of equation `j`, a row an iteration; None where they stay."""
        listing = self.listing
        kind = type(listing.equations[self.start + j].primitive)
        if kind is not GetItem and kind is not SetItem:
            return None
        rows = [listing.numbers_at(i) for i in range(self.start + j, self.end, self.period)]
        if rows.count(rows[0]) == len(rows):
            return None
        return np.array(rows, object if any(n is None for n in rows[0]) else None)

    def settle(self) -> None:
        """Say of each value whether it is computed in the loop, and how."""
        for j in range(self.period):
            if j not in self.formulas and j not in self.values:
                self.settle_one(j)

    def settle_one(self, j: int) -> None:
        """Say of one value whether it is computed in the loop, and how."""
        equation = self.listing.equations[self.start + j]
        primitive: Any = equation.primitive
        aval = self.listing.aval(self.start + j)
        roles = [self.resolved(role) for role in self.roles[j]]
        numbers = self.numbers(j)
        if numbers is None:
            if all(isinstance(role, Outer | Literal) for role in roles):
                self.values[j] = Outer(self.start + j)
                return
            if isinstance(roles[0], Slice) and type(primitive) in (Reshape, GetItem):
                if type(primitive) is Reshape:
                    rows: Any = Reshape((self.count, *primitive.sizes))
                else:
                    rows = GetItem((slice(None), *primitive.index))
                self.values[j] = self.stack(Mapped(roles[0].stack, rows))
                return
        elif isinstance(roles[0], Outer):
            self.values[j] = self.stack(Items(roles[0].place, primitive.index, numbers))
            self.moving(primitive.index, numbers, roles[0].place)  # or a refusal
            return
        else:
            place = int(self.matrix[-1, self.first_slots[j]])
            moving = self.moving(primitive.index, numbers, place)
            among: list[Role] = [self.stack(Constants(row)) for row in moving.rows]
            dynamic = Gather if type(primitive) is GetItem else Put
            primitive = dynamic(moving.pattern, moving.parts)
            roles += among
        self.formulas[j] = Formula(primitive, tuple(roles), self.start + j, aval)

    def moving(self, index: Index, numbers: Array, place: int) -> Moving:
        """An index that moves, into the value at a place."""
        moving = Moving(index, numbers, self.shape(place))
        self.listed += sum(row.size for row in moving.rows) if moving.is_window else 0
        if self.listed > LARGE:
            raise Refusal("slices that move are too large to be stacked")
        return moving

    def shape(self, place: int) -> tuple[int, ...]:
        """The shape of a value."""
        aval = self.listing.aval(place)
        if aval is None:
            raise Refusal("several results are read as one")
        return aval.shape


def replaced(equation: Equation, slot: int, aval: Aval) -> list[Aval]:
    """The types of the operands, that of one replaced."""
    operands: Any = equation.operands
    return [aval if k == slot else aval_of(x) for k, x in enumerate(operands)]


def stack_key(stack: Stack) -> Hashable:
    """A key that equal stacks have in common."""
    return tuple(
        (field.dtype.str, field.shape, field.tobytes()) if isinstance(field, np.ndarray)
        else repr(field) for field in (type(stack), *stack)
    )  # fmt: skip


# Where an iteration starts


def aligned(listing: Listing, run: Run, floor: int) -> int:
    """The start of the loop: where the fewest values are carried, and then as early as it may be.

    A run begins where all operands have begun to move evenly, which is up to two iterations after
    the loop does: the first read the values that it starts from.
    """
    period, start, _ = run
    low = max(floor, start - 2 * period, 0)
    tokens = listing.tokens
    unlike = np.flatnonzero(tokens[low:start] != tokens[low + period : start + period])
    if len(unlike):
        low += int(unlike[-1]) + 1
    costs = crossings(listing, run)
    starts = np.arange(low, start + period)
    order = np.lexsort((starts, costs[(starts - start) % period]))
    for k in order[:STARTS]:
        if begins(listing, run, int(starts[k])):
            return int(starts[k])
    raise Refusal("the first iterations read what the others do not, or of another type")


def crossings(listing: Listing, run: Run) -> Array:
    """For each cut of the period, how many values are carried across it."""
    offsets, (period, start, end) = listing.offsets, run
    slots = slice(offsets[end - period], offsets[end])
    last = listing.places[slots]
    before = listing.places[offsets[end - 2 * period] : offsets[end - period]]
    owners = np.repeat(np.arange(end - period, end), np.diff(offsets[end - period : end + 1]))
    linked = (last - before == period) & (last >= start)
    reach = np.zeros(period, np.int64)
    made = (last[linked] - start) % period
    np.maximum.at(reach, made, owners[linked] - last[linked])
    several = [has_several(e) for e in listing.equations[start : start + period]]
    weight = np.where(several, 1 << 20, 1)
    change = np.zeros(2 * period + 2, np.int64)
    phase = np.arange(period)
    np.add.at(change, phase + 1, weight)
    np.add.at(change, phase + 1 + reach % period, -weight)
    count = np.cumsum(change)
    costs: Array = count[:period] + count[period : 2 * period] + (reach // period).sum()
    return costs


def begins(listing: Listing, run: Run, start: int) -> bool:
    """Whether a loop can begin at `start`: what the first iterations read can start its chains."""
    period, regular, end = run
    count = (end - start) // period
    if count < REPEATS:
        return False
    offsets = listing.offsets
    base = int(offsets[start])
    stride = int(offsets[start + period]) - base
    lead = min(count - 1, max(0, -(-(regular - start) // period)) + LAGS)
    matrix = listing.places[base : base + count * stride].reshape(count, stride)
    last = matrix[-1]
    step = last - matrix[-2]
    rows = np.arange(lead)[:, None]
    expected = last - step * (count - 1 - rows)
    linked = (step == period) & (last >= start)
    early = linked & (expected < start)
    head = matrix[:lead]
    if ((head != expected) & ~early).any() or (head[early] >= start).any():
        return False
    if (head[0][~linked] >= start).any() or (last[~linked] >= start).any():
        return False
    owners = np.repeat(np.arange(period), np.diff(offsets[start : start + period + 1]))
    for k, a in np.argwhere(early).tolist():
        wanted = listing.aval(int(last[a]))
        place = int(head[k, a])
        if wanted is None:
            return False
        if place != CONSTANT:
            found = listing.aval(place)
            if found is None or found[:2] != wanted[:2]:
                return False
        else:
            j = int(owners[a])
            slot = base + a - int(offsets[start + j])
            if not converts(listing.equations[start + k * period + j], slot, wanted):
                return False
    return True


def converts(equation: Equation, slot: int, aval: Aval) -> bool:
    """Whether the constant in a slot may enter as a value of the type `aval` just as well."""
    operands: Any = equation.operands
    found = aval_of(operands[slot])
    if found.shape != aval.shape:
        return False
    if found.weak is None:
        return found.dtype == aval.dtype
    if not isinstance(equation.primitive, Elementwise) or promote(found, aval) != aval.dtype:
        return False
    return promote(*map(aval_of, operands)) == promote(*replaced(equation, slot, aval))
