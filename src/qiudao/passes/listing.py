"""A program as arrays of integers, in which repetition can be looked for quickly.

token      what an equation does: equal for the same primitive with a result of the same type
place      where a value is made: the position of an equation, or a negative number for a leaf
numbers    the integers of an index, which the token leaves out: `x[3]` and `x[4]` do the same
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np

from ..core.avals import Aval, aval_of
from ..core.node import Equation, Leaf
from ..core.parts import Part
from ..core.primitive import Primitive
from ..core.program import Atom, Program, inner_programs, operands_of
from ..ops.indexing import GetItem
from ..ops.writing import SetItem

Array = np.ndarray[Any, Any]
Numbers = tuple[int | None, ...]

NONE: Numbers = ()
CONSTANT = -(1 << 40)  # the place of a constant


class Listing:
    """The arrays of a program; equation i has the operands `offsets[i] : offsets[i + 1]`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.equations = equations = program.equations
        self.count = count = len(equations)
        parents = list(map(attrgetter("parents"), equations))
        arities = np.fromiter(map(len, parents), np.int64, count)
        self.offsets = np.concatenate([[0], np.cumsum(arities)])
        place_of = Numbering(program)
        flat = itertools.chain.from_iterable(parents)
        self.places = place_of(flat, int(self.offsets[-1]))
        self.outputs = place_of(program.outputs, len(program.outputs))
        self.last_use = np.full(count, -1, np.int64)  # the last operand that reads each value
        read = self.places >= 0
        self.last_use[self.places[read]] = np.flatnonzero(read)
        self.last_use[self.outputs[self.outputs >= 0]] = len(self.places)
        primitives = list(map(attrgetter("primitive"), equations))
        self.identities = list(map(id, primitives))
        kinds: dict[Hashable, int] = {}
        kind_of: dict[int, int] = {}
        self.numbers: dict[int, Numbers] = {}  # by the identity of the primitive
        distinct = dict(zip(self.identities, primitives))
        outlines = {k: structure(p, extent) for k, p in distinct.items() if has_programs(p)}
        alike = Counter(outlines.values())
        for identity, primitive in distinct.items():
            outline = outlines.get(identity)
            if alike[outline] == 1:  # what is inside need not be looked at
                key, numbers = outline, NONE
            else:
                key, numbers = template(primitive)
            kind_of[identity] = kinds.setdefault(key, len(kinds))
            self.numbers[identity] = numbers
        tokens = np.fromiter(map(kind_of.__getitem__, self.identities), np.int64, count)
        for field in "shape", "dtype":
            table: dict[Any, int] = defaultdict(itertools.count().__next__)
            found = map(table.__getitem__, map(attrgetter(field), equations))
            ranks = np.fromiter(found, np.int64, count)
            tokens = tokens * (len(table) + 1) + ranks
        self.tokens = tokens * (arities.max(initial=0) + 1) + arities

    def aval(self, place: int) -> Aval | None:
        """The type of the value made at a place; None where there are several values."""
        node: Any = self.equations[place] if place >= 0 else self.program.inputs[-1 - place]
        return None if node.shape is None else aval_of(node)

    def numbers_at(self, place: int) -> Numbers:
        """The integers of the index of an equation."""
        return self.numbers[self.identities[place]]


class Numbering:
    """From nodes to places, by the numbers that nodes have."""

    def __init__(self, program: Program) -> None:
        number = attrgetter("number")
        leaves, equations = program.inputs, program.equations
        made = np.fromiter(map(number, equations), np.int64, len(equations))
        given = np.fromiter(map(number, leaves), np.int64, len(leaves))
        numbers = np.concatenate([given, made])
        places = np.concatenate([-1 - np.arange(len(leaves)), np.arange(len(equations))])
        order = np.argsort(numbers, kind="stable")
        self.numbers, self.places = numbers[order], places[order]

    def __call__(self, atoms: Iterable[Atom], count: int) -> Array:
        """The places of nodes, and `CONSTANT` for whatever else there is."""
        found = np.fromiter(map(getattr, atoms, repeat("number"), repeat(-1)), np.int64, count)
        if not len(self.numbers):
            return np.full(count, CONSTANT)
        first = int(self.numbers[0])
        span = int(self.numbers[-1]) - first + 1
        if span > 4 * len(self.numbers) + count:
            at = np.searchsorted(self.numbers, np.maximum(found, first))
            return np.where(found < 0, CONSTANT, self.places[at])
        table = np.empty(span, np.int64)
        table[self.numbers - first] = self.places
        return np.where(found < 0, CONSTANT, table[np.maximum(found - first, 0)])


def template(primitive: Primitive) -> tuple[Hashable, Numbers]:
    """What a primitive does less the integers of its index, and these."""
    kind = type(primitive)
    if kind is GetItem or kind is SetItem:
        index: Any = primitive.index  # type: ignore[attr-defined]
        key: list[Hashable] = [kind]
        numbers: list[int | None] = []
        for part in index:
            if isinstance(part, slice):
                key.append(("slice", part.step, part.start is None, part.stop is None))
                numbers += (part.start, part.stop)
            elif part is None or part is Ellipsis:
                key.append(part)
            else:
                key.append("integer")
                numbers.append(part)
        return tuple(key), tuple(numbers)
    if kind is Part:
        return (kind, *vars(primitive).values()), ()
    if has_programs(primitive):
        return structure(primitive, program_key), ()
    return primitive, ()


def has_programs(primitive: Primitive) -> bool:
    """Whether there are programs inside a primitive."""
    return any(True for _ in inner_programs(primitive))


def structure(primitive: Primitive, key: Callable[[Program], Hashable]) -> Hashable:
    """A key that primitives have in common whose inner programs have equal keys."""
    fields: list[Any] = [type(primitive)]
    for name, value in vars(primitive).items():
        if isinstance(value, Program):
            fields.append((name, key(value)))
        elif isinstance(value, tuple):
            fields.append((name, tuple(key(e) if isinstance(e, Program) else e for e in value)))
        else:
            fields.append((name, value))
    return tuple(fields)


def extent(program: Program) -> Hashable:
    """How large a program is."""
    return len(program.inputs), len(program.equations), len(program.outputs)


def program_key(program: Program) -> Hashable:
    """A key that equal programs have in common."""
    listing = Listing(program)
    equations = tuple((template(e.primitive), e.shape, e.dtype) for e in program.equations)
    return (
        tuple(program.avals),
        equations,
        listing.places.tobytes(),
        listing.offsets.tobytes(),
        tuple(constant_key(x) for e in program.equations for x in operands_of(e)),
        listing.outputs.tobytes(),
        tuple(map(constant_key, program.outputs)),
    )


def constant_key(x: Atom) -> Hashable:
    """A constant by its type and its bits; None for a node."""
    if isinstance(x, Equation | Leaf):
        return None
    return (type(x), aval_of(x), np.asarray(x).tobytes())
