"""A compiled program as a primitive: what tracers see of a call of a jitted function.

Its derivatives and batches are programs too, traced from this one when first wanted, and compiled.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of, is_inexact
from ..core.living import Guarded, MayLoop
from ..core.modes import modes
from ..core.node import Node
from ..core.primitive import Parents, Product, Terms, Values
from ..core.program import Program, inner_programs
from ..core.slot import Slot
from ..core.sweep import Masked
from ..ops.control import CapacityError, While, room
from ..passes.opened import Writer
from ..transforms.batch import vmap
from ..transforms.control.guarding import guarded, with_flag
from ..transforms.control.running import (
    backwards,
    chosen,
    lanes_back,
    no_lanes,
    split,
    spread,
    zeros,
)
from ..transforms.forward import jvp
from ..transforms.trace import Uncollected, traced
from .executable import Executable
from .kept import executable

GROWTH = 8  # how many times more steps there is room for after too many

Make = Callable[[], Program]


def with_masks(make: Make) -> Compiled:
    """What `make` traces, compiled.

    A traced sweep runs plainly.  Where lanes were dropped on the way, and a NaN arrives, the
    function is traced once more, and then its sweeps carry masks (see `core/sweep.py`).
    """
    program, selects = plain(make)
    return Compiled(program, make, selects and not modes.masking)


def plain(make: Make) -> tuple[Program, bool]:
    """What `make` traces, and whether its sweeps came by lanes that masks may save from a NaN."""
    before, modes.selects = modes.selects, False
    try:
        return make(), modes.selects
    finally:
        modes.selects = before or modes.selects


def masked(make: Make) -> Program:
    """What `make` traces, with sweeps that carry masks."""
    modes.masking = True
    try:
        return make()
    finally:
        modes.masking = False


class Compiled(MayLoop):
    """A program that runs as machine code; the result is the tuple of its outputs.

    `make` traces it again: with more room, where a loop took more steps than the program can
    remember, and with masks, where it `selects` and a result has a NaN.
    """

    name = "jit"
    is_compiled = True
    keeps_out = False

    def __init__(self, program: Program, make: Make, selects: bool = False) -> None:
        self.program = program
        self.make = make
        self.selects = selects
        self.capacity = room.capacity
        self.lock = threading.Lock()
        self.derived: dict[Any, Compiled] = {}

    def __repr__(self) -> str:
        return "jit"

    @functools.cached_property
    def executable(self) -> Executable:
        """The machine code, made when it is first run."""
        program = with_nan_flag(self.program) if self.selects else self.program
        with Uncollected():
            return executable(program)

    @functools.cached_property
    def masked(self) -> Compiled:
        """The program whose sweeps carry masks, made when it is first needed."""
        make = functools.partial(masked, self.make)
        with roomy(self.capacity):
            return Compiled(make(), make)

    def __call__(self, *xs: Value) -> Any:
        """Tangents that are not known yet are recorded operation by operation."""
        if any(isinstance(x, Slot) for x in xs):
            return tuple(self.program(*xs))
        return super().__call__(*xs)

    def shape(self, *avals: Aval) -> Any:
        return tuple(Aval(y.shape, y.dtype) for y in self.program.results)

    def evaluate(self, *xs: Value) -> Value:
        found = self.run(xs)
        if not self.selects:
            return found
        return self.masked.evaluate(*xs) if found[-1] else found[:-1]

    def run(self, xs: Values) -> tuple[Value, ...]:
        """The outputs, with as much room for the steps of loops as they turn out to need."""
        while True:
            code = self.executable
            try:
                return code(*xs)
            except CapacityError as error:
                self.make_room(error, code)

    def make_room(self, error: CapacityError, code: Executable) -> None:
        """Trace again with room for more steps than this code had, unless it was a loop's
        `max_steps` that was met.
        """
        with self.lock:
            if self.is_short_of(error.capacity + 1):
                self.enlarge(GROWTH * error.capacity)
                if self.is_short_of(error.capacity + 1):
                    raise error
            elif any(w.bound == error.capacity for w in loops_of(self.program)):
                raise error
            elif self.__dict__.get("executable") is code:
                # another thread made room while this code was being made of the program before
                del self.executable

    def is_short_of(self, capacity: int) -> bool:
        """Whether a loop without `max_steps` remembers fewer steps than that."""
        return any(0 < w.capacity < capacity and not w.bound for w in loops_of(self.program))

    def enlarge(self, capacity: int) -> None:
        """Trace again with room for so many steps."""
        self.capacity = capacity
        with roomy(capacity):
            self.program, _ = plain(self.make)
        self.__dict__.pop("executable", None)
        self.__dict__.pop("masked", None)

    def traced(self, f: Callable[..., Any], avals: Sequence[Aval]) -> Program:
        """A program derived from this one, which has as much room for steps as is wanted now, and
        where this one wants masks, may want them too.
        """
        if self.is_short_of(room.capacity):
            with self.lock:
                self.enlarge(room.capacity)
        modes.selects = modes.selects or self.selects
        return traced(f, avals, lambda symbols: (symbols, {})).program

    def derive(self, key: Any, f: Callable[..., Any], xs: Sequence[Value]) -> Compiled:
        """The program of a function of these operands, compiled once for each key."""
        made = self.derived.get(key)
        if made is None:
            avals = [Aval(tuple(np.shape(x)), aval_of(x).dtype) for x in xs]
            with roomy(self.capacity):
                made = with_masks(functools.partial(self.traced, f, avals))
            self.derived[key] = made
        return made

    @property
    def source(self) -> Program:
        """The program that others are traced from: with masks, where these are traced with them."""
        return self.masked.program if self.selects and modes.masking else self.program

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
            return tuple(self.source(*full))

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
        """A sweep with masks hands over which lanes of the results are alive; one without them has
        no say in it, and comes again if a NaN is left.
        """
        wanted = [p is not None and k in self.moving for k, p in enumerate(parents)]
        arrived = [c is not None for c in ct]
        alive = product.mask if isinstance(product, Masked) else None
        counts = len(xs), sum(arrived)

        def back(*values: Value) -> Any:
            xs, cts, lanes = split(values, *counts)
            given = spread(lanes, arrived) if lanes else [None] * len(arrived)
            found = backwards(self.source, xs, wanted, spread(cts, arrived), given)
            return chosen([zeros(x) if g is None else g for g, x in zip(found, xs)], wanted)

        operands = [*xs, *chosen(ct, arrived), *chosen(alive or (), arrived)]
        key = ("pull", tuple(wanted), tuple(arrived), alive is None)
        made = self.derive(key, back, operands)
        return spread(made(*operands) if alive is None else made.masked(*operands), wanted)

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        wanted = [p is not None and k in self.moving for k, p in enumerate(parents)]
        arrived = [lanes is not None for lanes in alive]

        def back(*values: Value) -> Any:
            xs, lanes = split(values, len(wanted))
            found = lanes_back(self.source, xs, wanted, spread(lanes, arrived))
            return chosen([no_lanes(x) if g is None else g for g, x in zip(found, xs)], wanted)

        operands = [*xs, *chosen(alive, arrived)]
        made = self.derive(("reach", tuple(wanted), tuple(arrived)), back, operands)
        return spread(made.masked(*operands), wanted)

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        axes = tuple(0 if m else None for m in mapped)

        def many(*values: Value) -> Any:
            return vmap(lambda *one: tuple(self.source(*one)), axes)(*values)

        return self.derive(("batch", size, tuple(mapped)), many, xs)(*xs)

    def guarded(self, live: Any, xs: Sequence[Any]) -> Guarded | None:
        if guarded(self.program) is None:
            return None

        def for_the_live(*values: Value) -> Any:
            return tuple(with_flag(self.source)(*values))

        return self.derive("live", for_the_live, (live, *xs)), (live, *xs)


@contextmanager
def roomy(capacity: int) -> Iterator[None]:
    """While tracing: loops without `max_steps` remember so many steps."""
    before, room.capacity = room.capacity, max(capacity, room.capacity)
    try:
        yield
    finally:
        room.capacity = before


def loops_of(program: Program) -> Iterator[While]:
    """All loops of unknown length in a program, those within others too."""
    for equation in program.equations:
        if isinstance(equation.primitive, While):
            yield equation.primitive
        for inner in inner_programs(equation.primitive):
            yield from loops_of(inner)


def with_nan_flag(program: Program) -> Program:
    """The program with one more output: whether any of the others has a NaN."""
    watched = [y for y in program.outputs if isinstance(y, Node) and is_inexact(y.dtype)]
    flag = Writer(traced(any_nan, [aval_of(y) for y in watched], lambda xs: (xs, {})).program)
    flag.defined.update(zip(flag.program.inputs, watched, strict=True))
    for equation in flag.program.equations:
        flag.copy(equation)
    outputs = [*program.outputs, *map(flag.atom, flag.program.outputs)]
    return Program(program.inputs, [*program.equations, *flag.equations], outputs)


def any_nan(*values: Value) -> Value:
    """Whether there is a NaN in any of these arrays."""
    found: Value = False
    for value in values:
        found = np.any(np.isnan(value)) | found
    return found
