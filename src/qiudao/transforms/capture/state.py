"""The variables of a running call, read, replaced for the tracing of a piece, and put back.

A tracer is a handle that writes move on, and arrays and lists are changed in place; so a piece runs
on stand-ins: a symbol for each tracer, a read-only view for each array, a copy for each list.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CellType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value, aval_of
from ...core.dispatch import Tracer, snapshot
from ...core.modes import modes
from ...core.node import Equation, Leaf, Node
from ...core.program import operands_of
from ...core.trees import LONE, NAMESPACE, Tree, flatten, optree
from ...core.views import View
from ..trace import Recording, Symbol, is_symbolic
from .holders import is_held
from .outcomes import MISSING, CaptureError
from .places import (
    Contents,
    Layout,
    Place,
    containers,
    elements,
    is_container,
    taken_apart,
    unchanged,
)
from .sharing import Severed, severed
from .sites import Cells

KINDS: dict[str, type] = {"b": bool, "i": int, "f": float, "c": complex}
NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)


def is_numeric(x: Any) -> bool:
    """Whether a value can be an input or output of a traced piece."""
    if isinstance(x, Tracer):
        return True
    return isinstance(x, NUMBERS) and np.asarray(x).dtype.kind in "fciub"


OPAQUE = (ModuleType, FunctionType, type)  # what functions mention, and no containers


class Nest(NamedTuple):
    """A value taken apart."""

    leaves: tuple[Any, ...]
    tree: Tree | Layout

    @property
    def value(self) -> Any:
        return self.tree.build(self.leaves)


def nest(value: Any) -> Nest:
    """A value taken apart; None, strings and other objects are leaves too."""
    if value is None or isinstance(value, OPAQUE):
        return Nest((value,), LONE)
    leaves, tree = flatten(value, none_is_leaf=True)
    if len(leaves) == 1 and leaves[0] is value:
        tree = LONE
    elif tree.kind is not None:  # so that it compares with one that has None for a leaf
        spec = optree().tree_structure(value, none_is_leaf=True, namespace=NAMESPACE)
        tree = Tree(None, len(leaves), spec)
    return Nest(tuple(leaves), tree)


def parts(value: Any) -> Nest:
    """A value taken apart, but for the containers in it, which are leaves."""
    if is_container(value):
        return Nest((value,), LONE)
    return Nest(*taken_apart(value, parts)) if isinstance(value, tuple) else nest(value)


def nest_of(cell: Any, value: Any) -> Nest:
    """What a variable or a place holds, taken apart."""
    return Nest(*taken_apart(value, parts)) if isinstance(cell, Contents) else nest(value)


def is_same(cell: Any, now: Any, then: Any) -> bool:
    """Whether a variable or a place holds what it held."""
    return now is then or (isinstance(cell, Contents) and unchanged(now, then))


def read(cell: Any) -> Any:
    """What a variable holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def write(cell: Any, value: Any) -> None:
    """Let a variable hold a value, or nothing."""
    if value is not MISSING:
        cell.cell_contents = value
    elif read(cell) is not MISSING:
        del cell.cell_contents


class Region(NamedTuple):
    """A piece that is being traced.

    `lent` are the read-only stand-ins of plain arrays by their id, `shared` those of arrays that
    other names hold too, `cells` the variables of the function, `given` what stands for which of
    its values from outside, by id, `origin` is the way back, and `stand_in` tells what does for
    any.
    """

    recording: Recording
    lent: dict[int, Any]
    shared: set[int]
    cells: set[int]
    given: dict[int, Any]
    origin: dict[int, Any]
    stand_in: Callable[[Any], Any]

    @property
    def level(self) -> float:
        """The level of what the piece computes."""
        return self.recording.level

    def recorder(self, x: Any) -> Any:
        """An array as one that records what is written into it."""
        return self.recording.symbol(Leaf((), np.dtype(bool))).constant(x)


unknown = is_symbolic  # whether a value is a tracer not known while tracing


class Merged(NamedTuple):
    """A container that stands for one of several, and why it may not be changed."""

    made: Any
    held: list[Any]
    reason: str


class Regions(threading.local):
    """The pieces that this thread is tracing, innermost last, and the sites that they are of."""

    def __init__(self) -> None:
        self.stack: list[Region] = []
        self.open: list[Any] = []
        self.states: weakref.WeakSet[State] = weakref.WeakSet()
        self.trials = 0  # loops that are being tried as structured ones
        self.appended: dict[int, list[Any]] = {}  # what the innermost appends, by id of the list
        self.severed: weakref.WeakSet[Severed] = weakref.WeakSet()


regions = Regions()


def region() -> Region | None:
    """The innermost piece that is being traced."""
    return regions.stack[-1] if regions.stack else None


def stands_for(arrays: Iterable[Any]) -> list[Any]:
    """Some arrays, and those outside the pieces that are being traced which they stand for."""
    found: list[Any] = []
    for x in arrays:
        found.append(x)
        for each in reversed(regions.stack):
            if id(found[-1]) in each.origin:
                found.append(each.origin[id(found[-1])])
    return found


def type_of(x: Value) -> Aval:
    """The type of a value; what stands for a number of Python, as what a loop carries that starts
    as one does in its step, takes the dtype of what it meets.
    """
    weak = number_of(x.node, x.recording.numbers) if isinstance(x, Symbol) else None
    return aval_of(x) if weak is None else aval_of(x)._replace(weak=weak)


def number_of(x: Any, numbers: dict[Node, type], depth: int = 20) -> type | None:
    """Which number of Python a node stands for: one of the `numbers`, or computed of such alone."""
    if not isinstance(x, Node):
        return type(x) if type(x) in KINDS.values() else None
    if x in numbers or not numbers or not isinstance(x, Equation) or x.shape != ():
        return numbers.get(x)
    operands = operands_of(x) if depth else ()
    of_numbers = all(number_of(each, numbers, depth - 1) is not None for each in operands)
    if operands and of_numbers and x.dtype.kind in KINDS:
        numbers[x] = KINDS[x.dtype.kind]
    return numbers.get(x)


def let_go(x: Any) -> None:
    """Let a value be an array of its own where no other shows any more what it may show."""
    if isinstance(x, View) and isinstance(how := x.tied.how, Severed) and how.held:
        here = region()
        stands = here is not None and id(x) in here.origin
        if not stands and not is_held(stands_for(how.held), how):
            x.let_go()


def check_write(x: Any) -> None:
    """Refuse to write into what may show another array; what may show this one is outdated."""
    let_go(x)
    while isinstance(x, View):
        if isinstance(x.tied.how, Severed):
            x.tied.how.refuse()
        x = x.tied.base
    for each in tuple(regions.severed):
        if any(a is b for a in each.held for b in stands_for([x])):
            each.outdate()


def is_fresh(x: Tracer) -> bool:
    """Whether a piece has made an array of what does not change in it, and may write into it."""
    here = region()
    if here is None or isinstance(x, View) or x.level >= here.level:
        return False
    return id(x) not in here.given


class State:
    """The variables of a call as they are before a construct."""

    def __init__(self, cells: Cells) -> None:
        self.cells: dict[str, Any] = {n: c for n, c in cells.items() if not n.startswith(".")}
        here = region()
        self.shared = set()
        for cell in self.cells.values():
            key = id(read(cell))
            lent = here is not None and key in here.lent
            if lent and here is not None:
                shared = key in here.shared
            else:
                shared = type(read(cell)) is np.ndarray and (
                    references(cell) > 0 or is_part(cell.cell_contents)
                )
            if shared:
                self.shared.add(key)
        self.values = {n: read(c) for n, c in self.cells.items()}
        self.nests = {n: nest(v) for n, v in self.values.items() if v is not MISSING}
        self.touched: dict[Any, tuple[Place, Any]] = {}  # what has changed beside, and what it was
        self.around = tuple(regions.stack)
        self.known: set[Any] = {id(c) for c in self.cells.values()}
        held: dict[int, Contents] = {}
        for name, value in self.values.items():
            containers(value, name, held)
        for each in held.values():
            self.add(each, each.cell_contents)
        self.handles: dict[int, Tracer] = {}
        for x in self.leaves():
            let_go(x)
            handle = root(x)
            if isinstance(handle, Tracer):
                self.handles[id(handle)] = handle
        self.marks = [(x, snapshot(x)) for x in self.handles.values()]
        self.arrays: list[tuple[Any, Any]] = []
        regions.states.add(self)

    def add(self, place: Place, value: Any) -> str:
        """Let a place with this value be one of the variables; its name."""
        name = place.text + "[]" * isinstance(place, Contents)
        while name in self.cells:
            name += "'"
        self.cells[name] = place
        self.known.add(place.key)
        self.values[name] = value
        if value is not MISSING:
            self.nests[name] = nest_of(place, value)
        return name

    def is_place(self, name: str) -> bool:
        """Whether a name is that of a place, which may be read at any time."""
        return not isinstance(self.cells[name], CellType)

    def spoken(self, name: str) -> str:
        """What messages call a variable or a place."""
        cell = self.cells[name]
        if isinstance(cell, Contents):
            return f"what the {type(cell.of).__name__} `{cell.text}` holds"
        return f"`{cell.text if self.is_place(name) else name}`"

    def now(self, place: Place) -> Any:
        """What a place holds, its arrays as the variables hold them in the pieces around."""
        value = read(place)
        if not self.around or not isinstance(place, Contents):
            return self.inside(value)
        keys = value if isinstance(value, dict) else range(len(value))  # of a copy of ours
        for key in () if isinstance(value, set) else keys:
            value[key] = self.inside(value[key])
        return value

    def inside(self, x: Any) -> Any:
        """What stands for a value in the pieces around."""
        for each in self.around:
            x = each.given.get(id(x), x)
        return x

    def adopt(
        self, changed: Sequence[tuple[Place, Any]], noted: Iterable[Sequence[Any]]
    ) -> list[str | None]:
        """Let places that a piece has changed be variables, with what they held before.

        Gives their names; None of those that the piece itself has made, which nothing knows but
        the containers `noted` of it.
        """
        places = [place for place, _ in changed]
        noted = list(noted)
        return [None if is_new(p, places, noted) else self.add(p, old) for p, old in changed]

    def renew(self) -> None:
        """Let views show what their arrays are now, so that nothing has to be recorded later."""
        for x in self.leaves():
            if isinstance(x, View) and not isinstance(x.tied.how, Severed):
                snapshot(x)

    def remember(self) -> None:
        """Keep what plain arrays hold too, so that it can be put back."""
        plain = [x for x in self.leaves() if type(x) is np.ndarray and x.flags.writeable]
        self.arrays = [(x, x.copy()) for x in plain]

    def holds(self, x: Any) -> int:
        """How many references to a value are ours."""
        held = [*self.values.values(), *self.leaves(), *self.handles.values()]
        held += [h for h, _ in (*self.marks, *self.arrays)]
        copies = [v for n, v in self.values.items() if isinstance(self.cells[n], Contents)]
        copies += [old for place, old in self.touched.values() if isinstance(place, Contents)]
        held += [old for place, old in self.touched.values() if not isinstance(place, Contents)]
        for copy in copies:
            held += elements(copy)
        return sum(each is x for each in held)

    def is_seen(self, place: int, names: frozenset[str]) -> bool:
        """Whether one of these variables holds a tracer, or a view of it."""
        handle = list(self.handles.values())[place]
        nests = (self.nests[n] for n in names if n in self.nests)
        return any(root(x) is handle for each in nests for x in each.leaves)

    def leaves(self) -> Iterator[Any]:
        """All leaves of all variables."""
        for each in self.nests.values():
            yield from each.leaves

    def put_back(self) -> None:
        """Put what has changed beside the variables back to what it was."""
        for place, old in self.touched.values():
            write(place, old)
        self.touched.clear()

    def restore(self) -> None:
        """Put every variable, tracer, list and remembered array back to what it was."""
        for array, copy in self.arrays:
            array[...] = copy
        self.put_back()
        for name, cell in self.cells.items():
            write(cell, self.values[name])
        for handle, mark in self.marks:
            if moved(handle, mark):
                handle.overwrite(mark)  # type: ignore[attr-defined]


def touch(place: Place) -> None:
    """A place is about to change: note what it held, and refuse where that is not known."""
    for each in merged():
        made, held = each.made, each.held
        if (place.of is made and is_held(held)) or (
            any(place.of is x for x in held) and is_held([made])
        ):
            raise CaptureError(f"capture: {each.reason}")
    keep(place)


def keep(place: Place) -> None:
    """Note what a place holds for all running constructs."""
    for state in list(regions.states):
        if place.key not in state.known and place.key not in state.touched:
            state.touched[place.key] = place, state.now(place)


def merged() -> list[Merged]:
    """The containers that stand for one of several in the programs that are being traced."""
    found: list[Merged] = []
    recording = modes.recording
    while recording is not None:
        found += recording.merged
        recording = recording.outer
    return found


def one_of(x: Any) -> list[Any]:
    """A container, and those that it may be; nothing for what is none."""
    if not is_container(x):
        return []
    return [x, *(y for each in merged() if each.made is x for y in each.held)]


def is_new(place: Place, others: Sequence[Place], noted: Sequence[Sequence[Any]]) -> bool:
    """Whether nothing but places, and what is noted, knows the object that a place is of."""
    touched = [p for state in list(regions.states) for p, _ in state.touched.values()]
    places = {id(p) for p in (*others, *touched) if p.of is place.of}
    del touched
    known = len(places) + sum(x is place.of for each in noted for x in each)
    return sys.getrefcount(place.of) - known <= _owned


def moved(handle: Any, mark: Any) -> bool:
    """Whether a tracer has been written into since."""
    names = ("node", "value", "primal", "tangent")
    return any(getattr(handle, n, None) is not getattr(mark, n, None) for n in names)


def references(cell: Any) -> int:
    """How many others hold the array of a variable."""
    found = sys.getrefcount(cell.cell_contents)
    return found - _alone - ours(cell.cell_contents)


def ours(x: Any) -> int:
    """How many references to a value the states of running constructs hold."""
    return sum(state.holds(x) for state in list(regions.states))


_probe = CellType(np.zeros(1))
_alone = sys.getrefcount(_probe.cell_contents)  # where a variable alone holds an array


def is_part(x: Any) -> bool:
    """Whether a plain array shows memory of another, which something else holds too."""
    if not isinstance(x.base, np.ndarray):
        return False
    lent = (old for each in regions.stack for old in each.lent.values())
    stands = sum(old is x.base or old.base is x.base for old in lent)
    return count_owners(x) - stands > _viewed


def count_owners(view: Any) -> int:
    """How many references there are to the array whose memory a view shows."""
    return sys.getrefcount(view.base)


_viewed = count_owners(np.zeros(2)[:1])
_place = Contents([], "")
_owned = sys.getrefcount(_place.of) - 1  # but for the place


class StandIns:
    """What the variables hold while a piece is traced."""

    def __init__(self, state: State, symbols: list[Any]) -> None:
        self.state = state
        self.around = region()
        self.given: dict[int, Any] = {}  # what stands for what, by id
        self.origin: dict[int, Any] = {}  # and back
        self.lent: dict[int, Any] = {}
        self.shared: set[int] = set()
        self.kept: list[Any] = []
        self.symbols = symbols
        self.marks = [snapshot(s) for s in symbols]
        for handle, symbol in zip(state.handles.values(), symbols, strict=True):
            self.pair(handle, symbol)

    def pair(self, old: Any, new: Any) -> None:
        """Let `new` stand for `old`."""
        if isinstance(old, Symbol) and old.node in old.recording.numbers:
            new.recording.numbers[new.node] = old.recording.numbers[old.node]
        self.given[id(old)] = new
        self.origin[id(new)] = old
        self.kept += [old, new]

    def stand_in(self, x: Any) -> Any:
        """What stands for a leaf."""
        found = self.given.get(id(x))
        if found is not None:
            return found
        if isinstance(x, View):
            tied = x.tied
            if isinstance(tied.how, Severed):
                new = severed(snapshot(x), self.stand_in(tied.root), tied.how)
            else:
                new = tied.how(self.stand_in(tied.base))
            self.pair(x, new)
            return new
        if type(x) is np.ndarray and (x.flags.writeable or self.is_lent(x)):
            new = x.view()
            new.flags.writeable = False
            self.pair(x, new)
            self.lent[id(new)] = x
            if id(x) in self.state.shared:
                self.shared.add(id(new))
            return new
        return x

    def is_lent(self, x: Any) -> bool:
        """Whether an array is itself a stand-in of the piece around."""
        return self.around is not None and id(x) in self.around.lent

    def enter(self, recording: Recording) -> dict[str, Any]:
        """Put the stand-ins into the variables."""
        state = self.state
        values: dict[str, Any] = {}
        whole: dict[int, Any] = {}  # what several names hold stays one
        for name, old in state.values.items():
            if old is MISSING:
                continue
            cell = state.cells[name]
            if id(old) not in whole:
                each = nest_of(cell, old) if isinstance(cell, Contents) else parts(old)
                new = [self.stand_in(x) for x in each.leaves]
                same = all(a is b for a, b in zip(each.leaves, new, strict=True))
                whole[id(old)] = old if same else each.tree.build(new)
            values[name] = whole[id(old)]
        for name, cell in state.cells.items():
            write(cell, values.get(name, MISSING))
        cells = {id(c) for c in state.cells.values() if isinstance(c, CellType)}
        regions.stack.append(
            Region(recording, self.lent, self.shared, cells, self.given, self.origin, self.stand_in)
        )
        return values

    def leave(self) -> None:
        """Put the variables back, and tracers that the piece wrote into under their own name."""
        regions.stack.pop()
        own = zip(self.state.handles.values(), self.symbols, self.marks, strict=True)
        for handle, symbol, mark in own:
            if symbol is handle and moved(handle, mark):
                handle.overwrite(mark)
        self.state.put_back()
        for name, cell in self.state.cells.items():
            write(cell, self.state.values[name])

    def written(self) -> list[int]:
        """Which handles the piece wrote into, by their place."""
        pairs = zip(self.symbols, self.marks, strict=True)
        return [k for k, (s, mark) in enumerate(pairs) if moved(s, mark)]


def current(values: list[Any]) -> Recording:
    """The recording that given symbols belong to."""
    found: Recording = next(x.recording for x in values if isinstance(x, Symbol))
    return found


def root(x: Any) -> Any:
    """The tracer that a view is a view of, at the end of the chain."""
    while isinstance(x, View):
        x = x.tied.base
    return x
