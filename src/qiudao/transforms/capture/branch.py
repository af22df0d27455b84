"""Two ways of a decision traced, and what they leave joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Aval, Value, aval_of, describe
from ...core.dispatch import Tracer, overrides
from ...core.modes import modes
from ...core.trees import LONE
from ...core.views import View
from ..control import cond
from ..trace import Symbol
from .holders import Point, is_held
from .outcomes import (
    END,
    FELL,
    INNER,
    MISSING,
    ON,
    CaptureError,
    Outcome,
    OutsideWriteError,
    Spot,
    refusal,
    refuse,
)
from .places import Contents, is_container
from .replaying import replay
from .sharing import Severed, arrays_of, severed
from .sides import Handle, Leaf, Left, Out, Run, Side, Static
from .sites import Cells, Site
from .state import (
    KINDS,
    Merged,
    Nest,
    State,
    is_fresh,
    is_numeric,
    keep,
    one_of,
    region,
    regions,
    root,
    stands_for,
    type_of,
    write,
)
from .undefined import Undefined

DEEPEST = 60  # constructs of one site within each other: a recursion that tracing does not end


class Join:
    """The results of two sides: each leaf an output of the whole, or known."""

    def __init__(self, site: Spot, state: State, sides: tuple[Side, Side]) -> None:
        self.site = site
        self.state = state
        self.sides = sides
        self.sources: list[tuple[Leaf, Leaf, Aval]] = []
        self.arrays: dict[Any, Out] = {}  # by what they are on either side
        self.handles = list(state.handles.values())

    def leaf(self, a: Leaf, b: Leaf, what: str) -> Any:
        """One leaf of both sides: a value, or `Out` of the whole."""
        if isinstance(a, Handle) and a == b:
            return self.handles[a.index]  # it moves on with the writes
        if isinstance(a, Static) and isinstance(b, Static) and equal(a.value, b.value):
            return a.value
        for x in (a, b):
            if isinstance(x, Static) and isinstance(x.value, Undefined):
                return x.value
            if isinstance(x, Static) and not is_numeric(x.value):
                raise self.disagreement(what, kind(a), kind(b))
        aval = self.agree(what, aval_at(a), aval_at(b))
        same = identity(a), identity(b)
        if aval.shape and same in self.arrays:
            return self.arrays[same]  # what is one array on both sides stays one
        self.sources.append((a, b, aval))
        self.arrays[same] = Out(len(self.sources) - 1, aval)
        return self.arrays[same]

    def agree(self, what: str, a: Aval, b: Aval) -> Aval:
        """The type that both sides' values take; Python's numbers fit in."""
        if a.shape == b.shape:
            strict = a.weak is None or b.weak is None
            if a.dtype == b.dtype:
                return Aval(a.shape, a.dtype, None if strict else a.weak)
            if a.weak is not None or b.weak is not None:
                dtype = joined_dtype(a, b)
                return Aval(a.shape, dtype, None if strict else KINDS[dtype.kind])
        raise self.disagreement(what, describe(*a[:2]), describe(*b[:2]))

    def disagreement(self, what: str, a: str, b: str) -> CaptureError:
        """The refusal of two sides of different types."""
        return refusal(
            self.site,
            f"{what} is {a} on one path and {b} on the other, and which path is taken is not known "
            "while tracing",
            "give both the same shape and dtype, as in "
            "qd.cond(condition, lambda x: ..., lambda x: ..., x)",
        )

    def nest(self, a: Left, b: Left, what: str) -> Left:
        """A value of both sides."""
        if a.tree != b.tree:
            raise self.disagreement(what, shown(a), shown(b))
        leaves = (self.leaf(x, y, what) for x, y in zip(a.leaves, b.leaves, strict=True))
        return Left(tuple(leaves), a.tree)

    def variable(self, name: str, a: Left, b: Left) -> Left:
        """What a variable or a place holds after both sides."""
        cell = self.state.cells[name]
        if isinstance(cell, Contents) and a.tree != b.tree:
            refuse(
                self.site,
                f"the {type(cell.of).__name__} `{cell.text}` changes its length or structure under "
                "a condition that is not known while tracing",
                "make a new one in each branch, or write into an array",
            )
        return self.nest(a, b, self.state.spoken(name))

    def before(self, name: str, side: Side) -> Left | None:
        """What a variable holds after a side that does not bind it."""
        if name in side.held:
            return side.held[name]
        each = self.state.nests.get(name)
        if each is None:
            return None
        places = {id(h): k for k, h in enumerate(self.handles)}
        leaves = [
            Handle(places[id(x)], type_of(x))
            if id(x) in places
            else side.views.get(id(x), Static(x))
            for x in each.leaves
        ]
        return Left(tuple(leaves), each.tree)

    def common(self) -> set[int]:
        """The ids of the sides' own arrays that several results show."""
        found: set[int] = set()
        for k in range(2):
            met: set[int] = set()
            for source in self.sources:
                own = {id(x) for x in getattr(source[k], "own", ())}
                found |= own & met
                met |= own
        return found

    def shown(self, leaf: Leaf, common: set[int]) -> tuple[Any, ...]:
        """The arrays that a leaf of a side may show: from outside, or own that are `common`."""
        if isinstance(leaf, Static):
            x = leaf.value
            if isinstance(x, View):
                return (x, *arrays_of(x))
            return (x,) if isinstance(x, Tracer) or type(x) is np.ndarray else ()
        if isinstance(leaf, Handle):
            return (self.handles[leaf.index],)
        own = tuple(x for x in leaf.own if id(x) in common)
        return (*leaf.held, *own, *(() if leaf.root is None else (self.handles[leaf.root],)))

    def merged(self, name: str, made: Any) -> None:
        """Note a container that may be one of those that the sides leave in a variable."""
        held = [x for s in self.sides for x in s.containers.get(name, ())]
        held += one_of(self.state.values[name])
        if held:
            reason = shown_as_views(self.site.line, f"`{name}`")
            modes.recording.merged.append(Merged(made, held, reason))

    def values(self, k: int, outs: list[Value], operands: tuple[Value, ...]) -> list[Value]:
        """What side `k` gives for each output of the whole."""
        found = []
        for source in self.sources:
            leaf: Any = source[k]
            aval = source[2]
            if isinstance(leaf, Out):
                x = outs[leaf.index]
            elif isinstance(leaf, Handle):
                mine = self.sides[k].written.get(leaf.index)
                x = operands[leaf.index] if mine is None else outs[mine.index]
            else:
                x = leaf.value
            found.append(cast(x, aval))
        return found


def equal(a: Any, b: Any) -> bool:
    """Whether two known values are one and the same."""
    if a is b:
        return True
    if type(a) is not type(b) or not isinstance(a, bool | int | float | str | np.generic):
        return False
    return bool(a == b) and str(a) == str(b)


def identity(leaf: Leaf) -> Any:
    """What is equal for leaves of a side that are one array."""
    if isinstance(leaf, Static):
        return id(leaf.value)
    return type(leaf), leaf.index


def aval_at(leaf: Leaf) -> Aval:
    """The type of a numeric leaf."""
    if isinstance(leaf, Static):
        x = leaf.value
        known = isinstance(x, Tracer) or type(x) in (bool, int, float, complex)
        return type_of(x if known else np.asarray(x))
    return leaf.aval


def kind(leaf: Leaf) -> str:
    """What messages call a leaf."""
    if isinstance(leaf, Static) and not is_numeric(leaf.value):
        value = leaf.value
        return "None" if value is None else f"{type(value).__name__} {value!r}"[:60]
    return str(aval_at(leaf))


def shown(left: Left) -> str:
    """What messages call a nest."""
    if left.tree is LONE:
        return kind(left.leaves[0])
    return f"the nest {left.tree}"


def shown_nest(parts: Nest) -> str:
    """What messages call a value."""
    leaves = tuple(Out(0, aval_of(x)) if isinstance(x, Tracer) else Static(x) for x in parts.leaves)
    return shown(Left(leaves, parts.tree))


def joined_dtype(a: Aval, b: Aval) -> np.dtype[Any]:
    """The dtype of two values of which at least one is a Python number."""
    plain = {bool: False, int: 0, float: 0.0, complex: 0j}
    return np.result_type(*(x.dtype if x.weak is None else plain[x.weak] for x in (a, b)))


def cast(x: Value, aval: Aval) -> Value:
    """A value of the wanted type."""
    if isinstance(x, Tracer):
        return x if x.dtype == aval.dtype else overrides[np.ndarray.astype](x, aval.dtype)
    return np.asarray(x, aval.dtype)[()] if not aval.shape else np.asarray(x, aval.dtype)


def split(
    site: Spot, pred: Value, cells: Cells, if_true: Run, if_false: Run, live: frozenset[str],
    after: frozenset[str] = frozenset(),
) -> Outcome:  # fmt: skip
    """Both ways of a decision that is not known, as one equation.

    `live` are the names that are read later, `after` those beside a value that the ways leave.
    """
    if regions.open.count(site) >= DEEPEST:
        refuse(
            site,
            "a function calls itself until a value says so that is not known while tracing",
            "write the recursion as a loop",
        )
    regions.open.append(site)
    try:
        state = State(cells)
        sides = (Side(state, if_true, live), Side(state, if_false, live))
        return joined(site, truth(pred), state, sides, live, after)
    finally:
        regions.open.pop()


def truth(x: Value) -> Value:
    """A condition as a truth value of no axes."""
    if x.size != 1:
        raise ValueError(
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()"
        )
    flag = x if x.dtype == np.bool_ else x != 0
    return np.reshape(flag, ()) if flag.shape else flag


def joined(
    site: Spot, pred: Value, state: State, sides: tuple[Side, Side], live: frozenset[str],
    after: frozenset[str],
) -> Outcome:  # fmt: skip
    """The equation for two traced sides, its results given to the variables."""
    join = Join(site, state, sides)
    names: dict[str, Left | Undefined | None] = {}
    for name in sorted({*sides[0].left, *sides[1].left}):
        a, b = (s.left.get(name, MISSING) for s in sides)
        first = join.before(name, sides[0]) if a is MISSING else a
        second = join.before(name, sides[1]) if b is MISSING else b
        if first is None and second is None:
            names[name] = None
        elif first is None or second is None:
            names[name] = Undefined(
                f"capture: {state.spoken(name)} is defined on one path of {site.line} and not on "
                "the other; give it a value before, or in both"
            )
        else:
            names[name] = join.variable(name, first, second)  # type: ignore[arg-type]
    written = sorted({*sides[0].written, *sides[1].written})
    targets = {
        k: join_handle(join, k) for k in written
    }  # fmt: skip
    signal = sides[0].signal
    if not (isinstance(signal, int) and signal == sides[1].signal):
        parts = [Static(s.signal) if isinstance(s.signal, int) else s.signal for s in sides]
        signal = join.leaf(parts[0], parts[1], "how control leaves")
    value = join_value(join, sides)
    results = apply(join, pred, sides)
    for result, (_, _, aval) in zip(results, join.sources, strict=True):
        if aval.weak is not None and isinstance(result, Symbol):
            result.recording.numbers[result.node] = aval.weak
    fill = filler(results)
    for name, left in names.items():
        cell = state.cells[name]
        if state.is_place(name):
            keep(cell)
        if left is None:
            write(cell, MISSING)
        else:
            made = left.tree.build(map(fill, left.leaves)) if isinstance(left, Left) else left
            write(cell, made)
            if not state.is_place(name) and is_container(made):
                join.merged(name, made)
    for k, out in targets.items():
        if not renamed(site, state, join.handles[k], fill(out), names):
            move(site, join.handles[k], fill(out))
    shared: dict[int, Chosen] = {}
    common = join.common()
    for name, left in names.items():
        if isinstance(left, Left):
            chosen(join, f"`{name}`", left, results, live - {name}, common, shared)
    if value is not None:
        chosen(join, "what is chosen", value, results, after, common, shared)
    sever(site, list(shared.values()))
    possible = sides[0].way.possible | sides[1].way.possible
    found = MISSING if value is None else value.tree.build(map(fill, value.leaves))
    if isinstance(signal, int):
        return Outcome(signal, found, possible)
    return Outcome(fill(signal), found, possible)


class Chosen(NamedTuple):
    """A result that is an array from outside on some side, and what it then follows."""

    result: Value
    how: Severed
    live: frozenset[str]


def chosen(
    join: Join, name: str, left: Left, results: list[Value], live: frozenset[str],
    common: set[int], found: dict[int, Chosen],
) -> None:  # fmt: skip
    """Add the results, by place, that a name, or what is chosen, may share with others."""
    for leaf in left.leaves:
        if isinstance(leaf, Out) and leaf.aval.shape and leaf.index not in found:
            sides = [join.shown(s, common) for s in join.sources[leaf.index][:2]]
            held = [*sides[0], *sides[1]]
            if held:
                how = Severed(shown_as_views(join.site.line, name), held, sides, join)
                found[leaf.index] = Chosen(results[leaf.index], how, live)


def sever(site: Spot, found: Sequence[Chosen]) -> None:
    """Let what may be one of several arrays be read, and written into no more."""
    for result, how, _ in found:
        severed(result, next((x for x in how.held if isinstance(x, Tracer)), None), how)
    for result, how, live in found:
        others = any(how.meets(each.how) for each in found if each.how is not how)
        if others or is_held(stands_for(how.held), how, Point(site.name, site.file, live)):
            regions.severed.add(how)
        elif isinstance(result, View):
            result.let_go()


def shown_as_views(line: str, name: str) -> str:
    """Why a value may not be written into, nor read after what it shows was."""
    return (
        f"{line}: {name} shares memory with another array, and with which is not known while "
        "tracing, so neither may be written into while the other is used; make copies, u[1:].copy()"
    )


def renamed(site: Spot, state: State, handle: Any, new: Value, bound: Iterable[str]) -> bool:
    """Give what was written into an array that cannot hold the result itself to its names.

    That is an array that the piece around has made, which does not change with what the piece is
    given, and one of an outer transform.
    """
    outer = is_deeper(new, handle)
    if not outer and not is_fresh(handle):
        return False
    names = [n for n, v in state.values.items() if v is handle]
    if sum(root(x) is handle for x in state.leaves()) > len(names):
        return False
    if outer and is_held(stands_for([handle]), None, Point(site.name, site.file, frozenset())):
        return False
    for name in set(names) - set(bound):
        write(state.cells[name], new)
    return True


def is_deeper(new: Value, handle: Any) -> bool:
    """Whether a value is of an inner transform, to an array of an outer one."""
    return isinstance(new, Tracer) and new.level > handle.level


def move(site: Spot, handle: Any, new: Value) -> None:
    """Let a tracer be what was written into it; refuse where that is of the piece around."""
    here = region()
    if here is not None and handle.level < here.level:
        raise OutsideWriteError(site.line, handle)
    if is_deeper(new, handle):
        refuse(site, *INNER)
    handle.overwrite(new)


def filler(results: list[Value]) -> Callable[[Any], Any]:
    """What puts the results of the equation into leaves."""
    return lambda leaf: results[leaf.index] if isinstance(leaf, Out) else leaf


def join_handle(join: Join, k: int) -> Out:
    """A tracer that a side writes into, as an output."""
    aval = aval_of(join.handles[k])
    join.sources.append((Handle(k, aval), Handle(k, aval), Aval(aval.shape, aval.dtype)))
    return Out(len(join.sources) - 1, aval)


def join_value(join: Join, sides: tuple[Side, Side]) -> Left | None:
    """What is returned; a side that returns nothing gives zeros in its place."""
    a, b = sides[0].value, sides[1].value
    if a is None and b is None:
        return None
    if a is not None and b is not None:
        return join.nest(a, b, "the returned value")
    there: Any = a or b
    leaves = []
    for x in there.leaves:
        if isinstance(x, Static):
            leaves.append(x.value)
        else:
            zero = Static(np.zeros(x.aval.shape, x.aval.dtype))
            first, second = (x, zero) if a is not None else (zero, x)
            leaves.append(join.leaf(first, second, "the returned value"))
    return Left(tuple(leaves), there.tree)


def apply(join: Join, pred: Value, sides: tuple[Side, Side]) -> list[Value]:
    """The equation itself."""
    if not join.sources:
        return []

    def way(k: int) -> Callable[..., list[Value]]:
        side = sides[k]

        def run(*operands: Value) -> list[Value]:
            outs = replay(side.program.program, [np.False_, *operands, *side.program.captured])
            return join.values(k, outs, operands)

        return run

    found: list[Value] = cond(pred, way(0), way(1), *join.handles)
    return found


def branch(site: Site, pred: Value, here: Any) -> None:
    """`if pred: ... else: ...` where neither side jumps."""
    cells = Cells(here)
    true, false = site.piece("true", cells), site.piece("false", cells)
    split(site, pred, cells, true, false, site.live)


def proceed(site: Site, left: Outcome, cells: Cells, run: Run, live: frozenset[str]) -> Outcome:
    """Go on with `run` where control has come to the end; else leave as before."""
    if left.possible == {FELL}:
        return run() or END
    if FELL not in left.possible:
        return left
    held = Outcome(left.signal, left.value, left.possible - {FELL})
    return split(site, left.signal == FELL, cells, run, lambda: held, live)


def continued(left: Outcome) -> Outcome:
    """After a step: `continue` leads to the next."""
    going = left.possible - {ON}
    if going == left.possible:
        return left
    if not going:
        return END
    return Outcome(np.where(left.signal == ON, FELL, left.signal), left.value, going | {FELL})
