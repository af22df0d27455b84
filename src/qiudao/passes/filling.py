"""Arrays that a loop fills row by row: `z[i] = v` with i moving evenly.

Each write makes a new value of the whole array.  Where no iteration looks at more of it than rows
whose writer is known, the array need not travel: the rows written are stacked, and written into the
array at once after the loop; reading row i - r is reading what was written r iterations ago.
"""

from __future__ import annotations

import numpy as np

from ..core.avals import Aval, aval_of
from ..ops.indexing import GetItem, Index, dummy
from ..ops.shaping import Cast, Stretch
from ..ops.writing import SetItem
from .indices import Moving, spelled
from .loops import Plan
from .roles import (
    Carried,
    Constants,
    Fill,
    Formula,
    Inner,
    Literal,
    Outer,
    Refusal,
    Role,
    Row,
    Slice,
    Write,
)


def fills(plan: Plan) -> list[Fill]:
    """The arrays that a loop fills, which it then neither carries nor computes."""
    found: list[Fill] = []
    done: set[int] = set()
    for j in range(plan.period):
        if j not in done and is_setter(plan, j):
            setters = cycle(plan, j)
            done |= set(setters)
            if setters:
                made = fill(plan, setters)
                if made is not None:
                    found.append(made)
    return found


def is_setter(plan: Plan, j: int) -> bool:
    """Whether an equation is a write at an index that moves."""
    primitive = plan.listing.equations[plan.start + j].primitive
    return type(primitive) is SetItem and plan.numbers(j) is not None


def cycle(plan: Plan, j: int) -> list[int]:
    """The writes of one iteration into one array, in order; empty where other things intervene."""
    setters: list[int] = []
    lags = 0
    at = j
    while True:
        setters.append(at)
        role = plan.roles[at][0]
        if isinstance(role, Inner):
            at = role.value
        elif isinstance(role, Carried) and role.lag == 1:
            at = plan.chains[role.chain].value
            lags += 1
        else:
            return []
        if at == j:
            return sorted(setters) if lags == 1 else []
        if lags > 1 or not is_setter(plan, at):
            return []


def fill(plan: Plan, setters: list[int]) -> Fill | None:
    """The fill by these writes, or None where the whole array is looked at."""
    if any(j in plan.used and plan.used[j] != [plan.count - 1] for j in setters):
        return None
    if any(j in plan.used for j in setters[:-1]):
        return None
    role = plan.roles[setters[0]][0]
    if not isinstance(role, Carried):
        return None
    chain = plan.chains[role.chain]
    start = chain.first[0]
    if not isinstance(start, int):
        return None
    try:
        writes = [write(plan, j, chain.aval) for j in setters]
    except Refusal:
        return None
    if any(w is None for w in writes):
        return None
    known = [w for w in writes if w is not None]
    for k, a in enumerate(known):
        if not all(is_apart(a, b) for b in known[k + 1 :]):
            return None
    reads: dict[int, Role] = {}
    for j in range(plan.period):
        for slot, operand in enumerate(plan.roles[j]):
            stage = stage_of(plan, operand, setters)
            if stage is None or (slot == 0 and j in setters):
                continue
            if slot or type(plan.listing.equations[plan.start + j].primitive) is not GetItem:
                return None
            read = reading(plan, j, stage, known, start, chain.aval)
            if read is None:
                return None
            reads[j] = read
    for j, read in reads.items():
        if isinstance(read, Outer):
            plan.roles[j] = [read]
        else:
            plan.values[j] = read
    for w in known:
        plan.values[w.setter] = Outer(start)  # nobody reads it
    for w in known:
        store(plan, w, chain.aval)
    return Fill(start, tuple(known))


def write(plan: Plan, j: int, aval: Aval) -> Write | None:
    """The write by equation `j`, or None where its index does not move evenly."""
    numbers = plan.numbers(j)
    primitive = plan.listing.equations[plan.start + j].primitive
    if numbers is None or not isinstance(primitive, SetItem):
        return None
    moving = Moving(primitive.index, numbers, aval.shape)
    even = moving.progression()
    if even is None or not even[1]:
        return None
    return Write(j, plan.period + j, moving.pattern, moving.parts[0], moving.rows[0], *even)


def is_apart(a: Write, b: Write) -> bool:
    """Whether two writes surely never meet."""
    if a.pattern == b.pattern and a.part == b.part:
        return not len(np.intersect1d(a.rows, b.rows))
    return a.part == b.part and differ(a.pattern, b.pattern, a.part)


def differ(a: Index, b: Index, part: int) -> bool:
    """Whether two indices have different plain positions along one axis."""
    return (
        len(a) == len(b)
        and [p is None for p in a] == [p is None for p in b]
        and any(k != part and type(p) is int and type(q) is int and p != q and min(p, q) >= 0
                for k, (p, q) in enumerate(zip(a, b)))
    )  # fmt: skip


def stage_of(plan: Plan, role: Role, setters: list[int]) -> int | None:
    """After which of the writes of its iteration an operand shows the array: -1 is before all."""
    if isinstance(role, Inner) and role.value in setters:
        return setters.index(role.value)
    if isinstance(role, Carried) and plan.chains[role.chain].value in setters:
        return -1 if role.lag == 1 and plan.chains[role.chain].value == setters[-1] else -2
    return None


def reading(
    plan: Plan, j: int, stage: int, writes: list[Write], start: int, aval: Aval
) -> Role | None:
    """What equation `j` reads from the array: a value written, or what stood there before."""
    if stage == -2:
        return None
    primitive = plan.listing.equations[plan.start + j].primitive
    if not isinstance(primitive, GetItem):
        return None
    index = spelled(primitive.index, len(aval.shape))
    part = writes[0].part
    if part >= len(index) or type(index[part]) is not int:
        return None
    rows = np.full(plan.count, index[part] % aval.shape[0 if part == 0 else axis(index, part)])
    numbers = plan.numbers(j)
    if numbers is not None:
        moving = Moving(primitive.index, numbers, aval.shape)
        if moving.parts != (part,) or moving.is_window:
            return None
        rows = moving.rows[0]
    pattern = (*index[:part], 0, *index[part + 1 :])
    met = []
    for w in writes:
        if w.part == part and w.pattern == pattern:
            if len(np.intersect1d(rows, w.rows)):
                met.append(w)
        elif w.part != part or not differ(w.pattern, pattern, part):
            return None
    if not met:
        return Outer(start)
    (w, *others) = met
    late, rest = divmod(w.first - int(rows[0]), w.step)
    if others or rest or (rows != w.first + w.step * (np.arange(plan.count) - late)).any():
        return None
    if late < 0 or (late == 0 and stage < writes.index(w)):
        return Outer(start)
    if late == 0:
        return Inner(w.value)
    first: list[int | Row | Literal] = [
        Row(start, (*index[:part], int(rows[late - m]), *index[part + 1 :]))
        for m in range(1, late + 1)
    ]
    return plan.chain(w.value, row_aval(aval, w), first)


def axis(index: Index, part: int) -> int:
    """The axis that a part of an index reads."""
    return sum(p is not None for p in index[:part])


def row_aval(aval: Aval, w: Write) -> Aval:
    """The type of the place that one write goes to."""
    return Aval(dummy(aval)[w.pattern].shape, aval.dtype)


def store(plan: Plan, w: Write, aval: Aval) -> None:
    """Say how the value of a write is made of what is written: cast and broadcast to its place."""
    place = row_aval(aval, w)
    role = plan.roles[w.setter][1]
    if isinstance(role, Literal):
        value = np.broadcast_to(np.asarray(role.value), place.shape).astype(place.dtype)
        plan.values[w.value] = Literal(value[()])
        return
    found = operand_aval(plan, w.setter, role)
    like = plan.start + w.setter
    if found.dtype != place.dtype and found.shape != place.shape:
        cast = 2 * plan.period + w.setter
        plan.formulas[cast] = Formula(
            Cast(place.dtype.str), (role,), like, Aval(found.shape, place.dtype)
        )
        role = Inner(cast)
    if found.shape != place.shape:
        plan.formulas[w.value] = Formula(Stretch(place.shape), (role,), like, place)
    elif found.dtype != place.dtype:
        plan.formulas[w.value] = Formula(Cast(place.dtype.str), (role,), like, place)
    else:
        plan.values[w.value] = role


def operand_aval(plan: Plan, j: int, role: Role) -> Aval:
    """The type of what equation `j` writes."""
    place = int(plan.matrix[-1, plan.first_slots[j] + 1])
    aval = plan.listing.aval(place) if place >= -len(plan.listing.program.inputs) else None
    if aval is not None:
        return aval
    stack = plan.stacks[role.stack] if isinstance(role, Slice) else None
    if isinstance(stack, Constants):
        return aval_of(stack.values[0])
    raise Refusal("what is written is neither a value nor a constant")
