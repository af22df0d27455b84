"""Loops whose end hangs on a traced value.

    carried   the variables that a step changes and that are read later, the tracers that it writes
              into, and, where a step may jump, whether the loop goes on, how it ended and what it
              returned

A carried value keeps its type; Python's numbers become arrays of the type that the step makes of
them.  What a step only reads is taken from outside.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value
from ...core.dispatch import Tracer
from ...core.views import View
from ..results import owner
from ..trace import OutsideError
from .branch import (
    shown_as_views,
)
from .holders import Point, is_held
from .jumps import jumps
from .outcomes import (
    Outcome,
    refusal,
    refuse,
)
from .places import is_container
from .scopes import augmented, bound, rebound, written
from .sharing import Severed, arrays_of, severed
from .sites import Cells, Site
from .state import (
    Nest,
    State,
    is_numeric,
    region,
    regions,
    root,
    stands_for,
)
from .step import ConditionError, Returned, Step


class Shown(NamedTuple):
    """What a carried leaf may show: handles, by their place, and other arrays."""

    places: list[int]
    arrays: Sequence[Any]


class Loop:
    """One structured loop, its carried values found by tracing its step."""

    def __init__(
        self, site: Site, cells: Cells, step: Callable[..., Any], test: Callable[..., Any],
        first: Any, certain: bool = False,
    ) -> None:  # fmt: skip
        self.site = site
        self.state = State(cells)
        self.cells = self.state.cells
        self.all_cells = cells
        self.step = step
        self.test = test
        self.first = first
        self.certain = certain
        self.count = False
        self.bound: int | None = None  # of the number of steps
        node = site.node
        inner = {type(j).__name__ for j in jumps(node.body)}
        self.jumps = bool(inner - {"Continue"})
        self.within = self.jumps  # whether the step asks the condition of the next, and carries it
        asked = node.test if isinstance(node, ast.While) else None
        self.is_endless = isinstance(asked, ast.Constant) and bool(asked.value)  # but for jumps
        self.handles = list(self.state.handles.values())
        self.narrow = any(is_narrow(x) for x in self.state.leaves())
        self.changed: set[str] = set()
        self.starts: dict[str, Nest] = {}
        self.shows: dict[tuple[str, int], Shown] = {}
        self.groups: set[frozenset[tuple[str, int]]] = set()  # leaves that show one array
        self.outer: dict[int, Any] = {}  # what leaves showed of outer transforms, by id
        self.asked: set[tuple[str, int]] = set()  # the leaves that did

    # What is carried: [number of the step], [goes on, signal, returned...], variables, handles

    def prepare(self) -> None:
        """What each carried variable starts with."""
        for name in self.changed:
            if name not in self.starts and name in self.state.nests:
                self.starts[name] = self.state.nests[name]
                for k, x in enumerate(self.starts[name].leaves):
                    self.shown((name, k), x, self.handles)

    def shown(self, key: tuple[str, int], x: Any, handles: list[Any]) -> bool:
        """Note which arrays a carried leaf shows that others show too; whether that is new."""
        if not is_array(x):
            return False
        before = self.shows.get(key, Shown([], []))
        found = self.arrays_shown(key[0], x, handles)
        places = [k for k in found.places if k not in before.places]
        arrays = [a for a in found.arrays if not any(a is b for b in before.arrays)]
        if places or arrays:
            self.shows[key] = Shown([*before.places, *places], [*before.arrays, *arrays])
        return bool(places or arrays)

    def arrays_shown(self, name: str, x: Any, handles: list[Any]) -> Shown:
        """The arrays that a leaf shows and others show too, those among the handles by place."""
        if not isinstance(x, Tracer):
            outside = [x] if handles is self.handles else lent_as(x)
            held = is_held(stands_for(outside), None, *self.beside(name))
            return Shown([], outside if held else [])
        how = x.tied.how if isinstance(x, View) else None
        if isinstance(how, Severed):
            known = [k for k, h in enumerate(handles) if any(h is each for each in how.held)]
            others = how.held if handles is self.handles else ()
            return Shown(known, [] if known else list(others))
        whole = root(x)
        known = [k for k, h in enumerate(handles) if h is whole]
        shared = x is not whole or self.is_shared(name, known)
        outer = is_outer(whole) and not known
        if handles is not self.handles:
            outer = outer and id(whole) in self.outer  # else the step may have made it
        return Shown(known if shared else [], [whole] if outer else [])

    def share(self, left: dict[tuple[str, int], Any], handles: list[Any]) -> bool:
        """Note what arrays a step leaves in carried leaves; whether it is to be traced again.

        What the step has made is another array in every tracing of it. So a mark stands for what
        several leaves show, and what is of an outer transform counts where it comes again.
        """
        known = {id(h) for h in handles}
        shown = {key: arrays_of(x) for key, x in left.items() if is_array(x)}
        leaves: dict[int, set[tuple[str, int]]] = {}
        for key, arrays in shown.items():
            for each in arrays:
                if id(each) not in known:
                    leaves.setdefault(id(each), set()).add(key)
        groups = {frozenset(keys) for keys in leaves.values() if len(keys) > 1} - self.groups
        for group in groups:
            mark = object()
            for key in group:
                before = self.shows.get(key, Shown([], []))
                self.shows[key] = before._replace(arrays=[*before.arrays, mark])
        self.groups |= groups
        outer = {key: [x for x in xs if is_outer(x)] for key, xs in shown.items()}
        fresh = {key for key, xs in outer.items() if any(id(x) not in self.outer for x in xs)}
        new = fresh - self.asked
        self.asked |= new
        self.outer |= {id(x): x for xs in outer.values() for x in xs}
        return bool(groups or new)

    def is_shared(self, name: str, places: list[int]) -> bool:
        """Whether anything shows a handle beside the variable, or place, that it is held by."""
        at, but = self.beside(name)
        return any(
            (but is None and self.state.is_seen(k, at.live))
            or is_held(stands_for([self.handles[k]]), None, at, but)
            for k in places
        )

    def beside(self, name: str) -> tuple[Point, Any]:
        """Where holders beside a variable or a place count, and the object that does not."""
        at = Point(self.site.name, self.site.file, self.site.head - {name})
        return at, self.cells[name].of if self.state.is_place(name) else None

    def sever(self, given: dict[Any, Value], handles: list[Any]) -> None:
        """Let carried leaves that may show what others show be written into no more."""
        for key, shown in self.shows.items():
            if isinstance(given.get(key), Tracer):
                held = [*(handles[k] for k in shown.places), *shown.arrays]
                how = Severed(shown_as_views(self.site.line, f"`{key[0]}`"), held)
                regions.severed.add(how)
                severed(given[key], next((x for x in held if isinstance(x, Tracer)), None), how)

    def choose(self, binding: list[ast.AST], live: frozenset[str], avals: dict[Any, Aval]) -> None:
        """What is carried to begin with: variables that a step binds, tracers it writes into.

        A tracer that is only written into keeps its place, so that all its names see the writes.
        """
        rebinds, writes = rebound(binding), written(binding)
        for name in (bound(binding) | writes) & live & set(self.state.nests):
            value = self.state.values[name]
            if name not in rebinds and is_container(value):
                continue  # its elements are carried, where they change
            moves = name not in rebinds and isinstance(value, Tracer) and bool(value.shape)
            if moves:
                handle = root(value)
                place = next(k for k, h in enumerate(self.handles) if h is handle)
                avals["handle", place] = Aval(tuple(handle.shape), handle.dtype)
                continue
            self.changed.add(name)
            others = [n for n, v in self.state.values.items() if n != name and v is value]
            if name in writes | augmented(binding) and is_array(value) and others:
                refuse(
                    self.site,
                    f"`{name}` and `{others[0]}` are one array before the loop, and the loop both "
                    f"binds `{name}` and writes into it",
                    f"let them be two, {name} = {name}.copy()",
                )

    def carry_too(self, refused: OutsideError, avals: dict[Any, Aval]) -> None:
        """Carry a tracer that a function called by the step writes into, or refuse."""
        for k, handle in enumerate(self.handles):
            if handle is refused.target and ("handle", k) not in avals:
                avals["handle", k] = Aval(tuple(handle.shape), handle.dtype)
                return
        raise refused

    def traced_step(self, avals: dict[Any, Aval], value: Returned | None) -> Step:
        """The step traced on carried values of given types."""
        return Step(self, avals, value)

    def run(self) -> Outcome:
        """Find what is carried and its types, and make the equation."""
        node = self.site.node
        binding = (
            [node.target, *node.body] if isinstance(node, ast.For) else [node.test, *node.body]
        )
        live = self.site.head
        avals: dict[Any, Aval] = {}
        self.choose(binding, live, avals)
        self.prepare()
        value: Returned | None = None
        for _ in range(9 + len(self.handles)):
            try:
                stepped = self.traced_step(avals, value)
            except OutsideError as refused:
                self.carry_too(refused, avals)
                continue
            again = stepped.settle(avals)
            if stepped.value is not None and value is None:
                value, again = stepped.value, True
            if again:
                continue
            if not stepped.keys:
                self.within = True
                continue
            if stepped.keys == ["goes on"]:
                refuse(
                    self.site,
                    "the loop changes nothing that is read later, so it would not end",
                    "let the step change what the condition reads",
                )
            try:
                return stepped.finish()
            except (ConditionError, OutsideError):
                if self.within:
                    raise
                self.within = True
        raise refusal(
            self.site,
            "the types of what the loop carries change with every step",
            "start it with values of the type that they keep",
        )


def is_narrow(x: Any) -> bool:
    """Whether a leaf has less than Python's precision."""
    dtype = getattr(x, "dtype", None)
    return is_numeric(x) and dtype is not None and (
        dtype.itemsize < (16 if dtype.kind == "c" else 8) and dtype.kind != "b"
    )  # fmt: skip


def is_outer(x: Any) -> bool:
    """Whether a value is a tracer of a transform around the piece that is being traced."""
    here = region()
    return here is not None and isinstance(x, Tracer) and x.level < here.level


def lent_as(x: Any) -> list[Any]:
    """The plain arrays from outside a piece whose memory a value shows."""
    here = region()
    lent = () if here is None else here.lent.values()
    return [each for each in lent if owner(each) is owner(x)]


def is_array(x: Value) -> bool:
    """Whether a value is an array with axes, plain or traced."""
    return isinstance(x, np.ndarray | Tracer) and bool(x.shape)
