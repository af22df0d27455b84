"""A way of a decision traced: what it leaves in the variables, and how control leaves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import Tracer
from ...core.trees import Tree
from ...core.views import View
from ..control.guarding import FLAG  # here an input that only tells a piece's recording
from ..trace import Symbol, Traced, traced
from .outcomes import END, FELL, MISSING, Outcome
from .places import Layout, Place, has_containers
from .sharing import arrays_of
from .state import StandIns, State, is_same, nest, nest_of, one_of, read, region, root, type_of

Run = Callable[[], Any]


@dataclass(frozen=True)
class Out:
    """A leaf that a piece computes: output `index`; a view of the tracer `root` from outside.

    Where the piece has chosen it itself, it may be one of the arrays `held`; `own` are the arrays
    that it shows and that the piece has made.
    """

    index: int
    aval: Aval
    root: int | None = None
    held: tuple[Any, ...] = ()
    own: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Handle:
    """A leaf that is one of the tracers from outside, as it then is."""

    index: int
    aval: Aval


@dataclass(frozen=True)
class Static:
    """A leaf that is known while tracing."""

    value: Any


Leaf = Out | Handle | Static


class Left(NamedTuple):
    """A value that a piece leaves: its leaves, and their nest."""

    leaves: tuple[Leaf, ...]
    tree: Tree | Layout


class Side:
    """A piece traced: what it leaves in the variables, the tracers it writes into, its way out."""

    def __init__(self, state: State, run: Run, live: frozenset[str]) -> None:
        self.outs: list[Value] = []
        self.left: dict[str, Left | None] = {}  # None: no value any more
        self.written: dict[int, Out] = {}
        self.views: dict[int, Out] = {}  # of tracers that were written into, by id
        self.way: Outcome = END
        self.signal: Out | int = FELL
        self.value: Left | None = None
        self.program: Traced
        self.held: dict[str, Left] = {}  # variables whose containers it may have changed
        self.containers: dict[str, list[Any]] = {}  # that variables may be bound to
        self.beside: list[tuple[Place, Any, Left | None]] = []  # places, as they were and are
        operands = list(state.handles.values())

        def traced_piece(first: Symbol, *symbols: Value) -> list[Value]:
            stand = StandIns(state, list(symbols))
            before = stand.enter(first.recording)
            try:
                self.way = run() or END
                self.collect(state, stand, before, live)
            finally:
                stand.leave()
            return self.outs

        self.program = traced(
            traced_piece, [FLAG, *map(aval_of, operands)], lambda xs: (xs, {})
        )  # fmt: skip
        changed = [(place, old) for place, old, _ in self.beside]
        names = state.adopt(changed, self.containers.values())
        for name, (_, _, left) in zip(names, self.beside, strict=True):
            if name is not None:
                self.left[name] = left

    def collect(
        self, state: State, stand: StandIns, before: dict[str, Any], live: frozenset[str]
    ) -> None:
        """Note what the piece has left."""
        for k in stand.written():
            self.written[k] = self.out(stand.symbols[k])
        for x in state.leaves():
            if isinstance(x, View) and id(root(x)) in self.moved(state):
                self.views[id(x)] = self.out(stand.stand_in(x))
        places = {id(s): k for k, s in enumerate(stand.symbols)}
        for name, cell in state.cells.items():
            now, then = read(cell), before.get(name, MISSING)
            if now is MISSING:
                if then is not MISSING:
                    self.left[name] = None
                continue
            if not is_same(cell, now, then) and (name in live or state.is_place(name)):
                self.left[name] = self.take(nest_of(cell, now), stand, places)
                if not state.is_place(name):
                    self.containers[name] = one_of(now)
        for name, cell in state.cells.items():
            if not state.is_place(name) and has_containers(read(cell)) and name not in self.left:
                self.held[name] = self.take(nest(read(cell)), stand, places)
        for place, old in state.touched.values():
            now = state.now(place)
            if not is_same(place, now, old):
                left = None if now is MISSING else self.take(nest_of(place, now), stand, places)
                self.beside.append((place, old, left))
        self.signal = (
            self.way.signal if isinstance(self.way.signal, int) else self.out(self.way.signal)
        )
        if self.way.value is not MISSING:
            self.value = self.take(nest(self.way.value), stand, places)

    def moved(self, state: State) -> set[int]:
        """The ids of the tracers that were written into."""
        handles = list(state.handles.values())
        return {id(handles[k]) for k in self.written}

    def out(self, x: Value) -> Out:
        """An output, one for what several names hold."""
        index = next((k for k, each in enumerate(self.outs) if each is x), len(self.outs))
        if index == len(self.outs):
            self.outs.append(x)
        return Out(index, type_of(x))

    def take(self, here: Any, stand: StandIns, places: dict[int, int]) -> Left:
        """A value by its leaves."""
        leaves: list[Leaf] = []
        for x in here.leaves:
            if id(x) in places:
                leaves.append(Handle(places[id(x)], type_of(x)))
            elif isinstance(x, Tracer) and not is_outer(x, places):
                place = places.get(id(root(x)))
                held, own = may_be(x, stand, places)
                leaves.append(replace(self.out(x), root=place, held=held, own=own))
            else:
                leaves.append(Static(stand.lent.get(id(x), x)))
        return Left(tuple(leaves), here.tree)


def is_outer(x: Tracer, places: dict[int, int]) -> bool:
    """Whether a tracer is from outside a piece, though no variable of its function holds it."""
    here = region()
    return here is not None and x.level < here.level and id(root(x)) not in places


def may_be(
    x: Tracer, stand: StandIns, places: dict[int, int]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The arrays that a value may be: those from outside that a piece has chosen, and its own."""
    here = region()
    held: list[Any] = []
    own: list[Any] = []
    for each in arrays_of(x):
        if id(each) in places:
            if each is not root(x):
                held.append(stand.origin[id(each)])
        elif here is None or not isinstance(each, Tracer) or each.level < here.level:
            held.append(each)
        else:
            own.append(each)
    return tuple(held), tuple(own)
