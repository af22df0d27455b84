"""A way of a decision traced: what it leaves in the variables, and how control leaves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import Tracer
from ...core.trees import Tree
from ...core.views import View
from ..trace import Symbol, Traced, traced
from .outcomes import END, FELL, MISSING, Outcome, Spot, refuse
from .state import StandIns, State, nest, read, root

FLAG = Aval((), np.dtype(bool))  # an input that only tells a piece's recording
Run = Callable[[], Any]


@dataclass(frozen=True)
class Out:
    """A leaf that a piece computes: output `index`; a view of the tracer `root` from outside."""

    index: int
    aval: Aval
    root: int | None = None


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
    tree: Tree


class Side:
    """A piece traced: what it leaves in the variables, the tracers it writes into, its way out."""

    def __init__(self, site: Spot, state: State, run: Run, live: frozenset[str]) -> None:
        self.outs: list[Value] = []
        self.left: dict[str, Left | None] = {}  # None: no value any more
        self.written: dict[int, Out] = {}
        self.in_place: set[str] = set()  # lists and dictionaries with new elements
        self.views: dict[int, Out] = {}  # of tracers that were written into, by id
        self.way: Outcome = END
        self.signal: Out | int = FELL
        self.value: Left | None = None
        self.program: Traced
        operands = list(state.handles.values())

        def traced_piece(first: Symbol, *symbols: Value) -> list[Value]:
            stand = StandIns(state, list(symbols))
            before = stand.enter(first.recording)
            try:
                self.way = run() or END
                self.collect(site, state, stand, before, live)
            finally:
                stand.leave()
            return self.outs

        self.program = traced(
            traced_piece, [FLAG, *map(aval_of, operands)], lambda xs: (xs, {})
        )  # fmt: skip

    def collect(
        self, site: Spot, state: State, stand: StandIns, before: dict[str, Any],
        live: frozenset[str],
    ) -> None:  # fmt: skip
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
            here = nest(now)
            if now is then and (type(now) not in (list, dict) or same(here, nest(then), state,
                                                                      stand, name)):  # fmt: skip
                continue
            if now is then:
                if here.tree != state.nests[name].tree:
                    refuse(
                        site,
                        f"the {type(now).__name__} `{name}` changes its length or structure under "
                        "a condition that is not known while tracing",
                        "make a new one in each branch, or write into an array",
                    )
                self.in_place.add(name)
                self.left[name] = self.take(here, stand, places)
                continue
            if name in live:
                self.left[name] = self.take(here, stand, places)
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
        """A new output."""
        self.outs.append(x)
        return Out(len(self.outs) - 1, aval_of(x))

    def take(self, here: Any, stand: StandIns, places: dict[int, int]) -> Left:
        """A value by its leaves."""
        leaves: list[Leaf] = []
        for x in here.leaves:
            if id(x) in places:
                leaves.append(Handle(places[id(x)], aval_of(x)))
            elif isinstance(x, Tracer):
                leaves.append(replace(self.out(x), root=places.get(id(root(x)))))
            else:
                leaves.append(Static(stand.lent.get(id(x), x)))
        return Left(tuple(leaves), here.tree)


def same(now: Any, then: Any, state: State, stand: StandIns, name: str) -> bool:
    """Whether a list holds what it held when the piece began."""
    was = state.nests[name]
    if now.tree != was.tree:
        return False
    pairs = zip(now.leaves, was.leaves, strict=True)
    return all(a is b or stand.given.get(id(b)) is a for a, b in pairs)
