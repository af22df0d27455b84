"""A compiled program as a primitive: what tracers see of a call of a jitted function.

Its derivatives and batches are programs too, traced from this one when first wanted, and compiled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, is_inexact
from ..core.dispatch import Tracer
from ..core.modes import modes
from ..core.primitive import Parents, Primitive, Product, Terms, Values
from ..core.program import Program, inner_programs
from ..ops.control import CapacityError, While, room
from ..transforms.batch import vmap
from ..transforms.forward import jvp
from ..transforms.reverse import vjp
from ..transforms.trace import traced
from .executable import Executable, prepared

GROWTH = 8  # how much more room there is each time that it is too little


def bounds_of(program: Program) -> set[int]:
    """How many steps the loops of a program may take, as their authors said."""
    found: set[int] = set()
    for e in program.equations:
        if isinstance(e.primitive, While) and e.primitive.bound:
            found.add(e.primitive.bound)
        for inner in inner_programs(e.primitive):
            found |= bounds_of(inner)
    return found


def with_masks(make: Callable[[], Program]) -> Compiled:
    """What `make` traces, compiled.

    A traced sweep runs plainly.  Where lanes were dropped on the way, and a NaN arrives, the
    function is traced once more, and then its sweeps carry masks (see `core/sweep.py`).
    """
    before, modes.selects = modes.selects, False
    try:
        program = make()
        again = functools.partial(masked, make) if modes.selects and not modes.masking else None
    finally:
        modes.selects = before or modes.selects
    return Compiled(program, again, make)


def masked(make: Callable[[], Program]) -> Compiled:
    """What `make` traces, with sweeps that carry masks."""
    modes.masking = True
    try:
        return Compiled(make(), None, make)
    finally:
        modes.masking = False


class Compiled(Primitive):
    """A program that runs as machine code; the result is the tuple of its outputs.

    `again` makes the program that runs instead where a result has a NaN; None: there is no other.
    `make` traces the program anew, with more room for loops that take more steps than expected.
    """

    name = "jit"
    keeps_out = False

    def __init__(
        self,
        program: Program,
        again: Callable[[], Compiled] | None = None,
        make: Callable[[], Program] | None = None,
    ) -> None:
        self.program = program
        self.again = again
        self.make = make
        self.derived: dict[Any, Compiled] = {}

    def __repr__(self) -> str:
        return "jit"

    @functools.cached_property
    def executable(self) -> Executable:
        """The machine code, made when it is first run."""
        program = self.program if self.again is None else with_flag(self.program)
        return Executable(prepared(program))

    @functools.cached_property
    def masked(self) -> Compiled:
        """The program whose sweeps carry masks, made when it is first needed."""
        made: Compiled = self.again()  # type: ignore[misc]
        return made

    def shape(self, *avals: Aval) -> Any:
        return tuple(Aval(y.shape, y.dtype) for y in self.program.results)

    def evaluate(self, *xs: Value) -> Value:
        try:
            found = self.executable(*xs)
        except CapacityError as error:
            if self.make is None:
                raise
            self.grow(error)
            return self.evaluate(*xs)
        if self.again is None:
            return found
        return self.masked.evaluate(*xs) if found[-1] else found[:-1]

    def grow(self, error: CapacityError) -> None:
        """Trace again, with room for more steps than the last run found; `max_steps` stays."""
        before, room.capacity = room.capacity, max(room.capacity, error.capacity) * GROWTH
        try:
            program = self.make()  # type: ignore[misc]
        finally:
            room.capacity = before
        if error.capacity in bounds_of(program):
            raise error
        self.program = program
        for made in ("executable", "masked"):
            self.__dict__.pop(made, None)

    def derive(self, key: Any, f: Callable[..., Any], xs: Sequence[Value]) -> Compiled:
        """The program of a function of these operands, compiled once for each key."""
        made = self.derived.get(key)
        if made is None:
            avals = [Aval(tuple(np.shape(x)), aval_of(x).dtype) for x in xs]
            made = with_masks(lambda: traced(f, avals, lambda symbols: (symbols, {})).program)
            self.derived[key] = made
        return made

    @property
    def moving(self) -> list[int]:
        """The inputs that a derivative can be taken in."""
        return [k for k, a in enumerate(self.program.avals) if is_inexact(a.dtype)]

    def along(self, xs: Sequence[Value], places: Sequence[int]) -> Callable[..., Any]:
        """The outputs as a function of the inputs at some places."""

        def f(*moved: Value) -> tuple[Value, ...]:
            full = list(xs)
            for k, x in zip(places, moved, strict=True):
                full[k] = x
            return tuple(self.program(*full))

        return f

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        places = tuple(k for k, dx in enumerate(dxs) if dx is not None and k in self.moving)
        n = len(xs)

        def ahead(*values: Value) -> Any:
            xs, changes = values[:n], values[n:]
            primals = tuple(xs[k] for k in places)
            return jvp(self.along(xs, places), primals, changes)[1]

        operands = (*xs, *(dxs[k] for k in places))
        return self.derive(("push", places), ahead, operands)(*operands)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        places = tuple(k for k, p in enumerate(parents) if p is not None and k in self.moving)
        arrived = tuple(k for k, c in enumerate(ct) if c is not None)
        n = len(xs)
        results = self.program.results

        def back(*values: Value) -> Any:
            xs, given = values[:n], dict(zip(arrived, values[n:], strict=True))
            cts = tuple(given.get(k, np.zeros(a.shape, a.dtype)) for k, a in enumerate(results))
            _, pullback = vjp(self.along(xs, places), *(xs[k] for k in places))
            return pullback(tuple(map(np.conj, cts)))

        operands = (*xs, *(ct[k] for k in arrived))
        found = self.derive(("pull", places, arrived), back, operands)(*operands)
        by_place = dict(zip(places, found, strict=True))
        return [np.conj(by_place[k]) if k in by_place else None for k in range(len(parents))]

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        axes = tuple(0 if m else None for m in mapped)

        def many(*values: Value) -> Any:
            return vmap(lambda *one: tuple(self.program(*one)), axes)(*values)

        return self.derive(("batch", size, tuple(mapped)), many, xs)(*xs)


def with_flag(program: Program) -> Program:
    """The program with one more output: whether any of the others has a NaN."""

    def flagged(*xs: Value) -> list[Value]:
        outputs = program(*xs)
        flag: Value = False
        for y in outputs:
            if isinstance(y, Tracer) and is_inexact(y.dtype):
                flag = np.any(np.isnan(y)) | flag
        return [*outputs, flag]

    return traced(flagged, program.avals, lambda symbols: (symbols, {})).program
