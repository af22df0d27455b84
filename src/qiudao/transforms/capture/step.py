"""The step of a structured loop, traced on carried values of given types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import is_not
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.avals import Aval, Value, aval_of, describe
from ...core.dispatch import Tracer, snapshot
from ...core.modes import modes
from ..control import fori_loop, while_loop
from ..control.guarding import FLAG
from ..trace import Recording, Symbol, Traced, traced
from .branch import (
    cast,
    continued,
    joined_dtype,
    move,
    renamed,
    shown_as_views,
    shown_nest,
    split,
    truth,
)
from .outcomes import (
    BACK,
    END,
    FELL,
    MISSING,
    Outcome,
    outcome,
    refuse,
)
from .places import Contents, Place, is_container
from .replaying import replay
from .state import (
    Merged,
    Nest,
    StandIns,
    current,
    is_numeric,
    is_same,
    keep,
    moved,
    nest,
    nest_of,
    one_of,
    read,
    type_of,
    write,
)
from .undefined import Undefined

if TYPE_CHECKING:
    from .carrying import Loop

# A number of Python widens no dtype.  Where narrow dtypes are about, it first stands in the
# narrowest of its kind, to see what a step makes of it.
NARROWEST: dict[type, Any] = {int: np.int8, float: np.float16, complex: np.complex64}


def widest(kind: type, found: Aval, start: Aval) -> Aval:
    """The type of a carried value that starts as a number of Python, after a step on `start`."""
    if found.dtype in (start.dtype, np.dtype(np.float16)):
        return Aval((), np.result_type(kind, found.dtype))
    return Aval((), np.result_type(kind(0), found.dtype))


class Step:
    """One tracing of a loop's step with carried values of given types."""

    def __init__(self, of: Loop, avals: dict[Any, Aval], value: Returned | None) -> None:
        self.loop = of
        self.keys: list[Any] = []
        self.init: list[Value] = []
        self.value: Returned | None = None
        self.more: set[Any] = set()
        self.new: dict[str, Nest] = {}
        self.way: Outcome = END
        self.possible: frozenset[int] = frozenset()
        self.undefined: set[str] = set()
        self.bound: dict[str, list[Any]] = {}  # containers that variables are bound to
        self.beside: list[tuple[Place, Any]] = []  # places, as they were
        self.names = of.changed
        self.again = False  # whether a carried value turned out to be a view
        self.numbers: dict[Any, type] = {}  # what starts as a number of Python
        self.probed: dict[Any, type] = {}  # numbers of Python whose dtype is to be found
        if of.count:
            self.carry("count", 0, avals)
        if of.within:
            self.carry("goes on", of.first, avals)
        if of.jumps:
            self.carry("signal", FELL, avals)
            for k, x in value.numbers if value else ():
                self.carry(("value", k), zeros(x), avals)
        for name in sorted(of.changed):
            if name in of.starts:
                for k, x in enumerate(of.starts[name].leaves):
                    if is_numeric(x):
                        self.carry((name, k), x, avals)
        for k, handle in enumerate(of.handles):
            if ("handle", k) in avals:
                self.carry(("handle", k), handle, avals)
        self.piece = self.trace()
        found = of.state.adopt(self.beside, self.bound.values())
        self.again |= any(name is not None for name in found)

    def carry(self, key: Any, x: Value, avals: dict[Any, Aval]) -> None:
        """One more carried value."""
        self.keys.append(key)
        if key == "goes on":
            x = truth(x) if isinstance(x, Tracer) else np.bool_(x)
        if key not in avals and self.loop.narrow and type(x) in NARROWEST and key[0] in self.names:
            self.probed[key] = self.numbers[key] = type(x)
            self.init.append(np.zeros((), NARROWEST[type(x)]))
            return
        aval = avals.setdefault(key, type_of(x))
        if aval.weak is not None and isinstance(key, tuple) and key[0] in self.names:
            self.numbers[key] = aval.weak
        self.init.append(cast(snapshot(x), aval))

    def trace(self) -> Traced:
        """Trace the step."""
        return traced(self.once, [FLAG, *map(aval_of, self.init)], lambda xs: (xs, {}))

    def once(self, first: Symbol, *xs: Value) -> list[Value]:
        """A step on symbols: the carried values after it, in order; then those that are new."""
        with self.entered(xs, first.recording) as (given, stand, before):
            self.loop.sever(given, stand.symbols)
            return self.advance(given, stand, before)

    @contextmanager
    def entered(
        self, xs: Sequence[Value], recording: Recording
    ) -> Iterator[tuple[dict[Any, Value], StandIns, dict[str, Any]]]:
        """The variables as a step on the carried values `xs` meets them.

        Gives those values by key, what stands for tracers from outside, and the variables.
        """
        of = self.loop
        given = dict(zip(self.keys, xs, strict=True))
        stand = StandIns(
            of.state, [given.get(("handle", k), h) for k, h in enumerate(of.handles)]
        )  # fmt: skip
        before = stand.enter(recording)
        recording.numbers |= {given[k].node: kind for k, kind in self.numbers.items()}
        try:
            for name, value in self.variables(given):
                before[name] = value
                write(of.cells[name], value)
            yield given, stand, before
        finally:
            stand.leave()

    def variables(self, given: dict[Any, Value]) -> Iterator[tuple[str, Any]]:
        """The carried variables, put together of carried values."""
        of = self.loop
        for name in of.changed:
            if name in of.starts:
                start = of.starts[name]
                leaves = [given.get((name, k), x) for k, x in enumerate(start.leaves)]
                made = start.tree.build(leaves)
                if is_container(made) and not of.state.is_place(name):
                    held = [of.state.values[name], *self.bound.get(name, ())]
                    reason = shown_as_views(of.site.line, f"`{name}`")
                    modes.recording.merged.append(Merged(made, held, reason))
                yield name, made

    def advance(self, given: Any, stand: StandIns, before: dict[str, Any]) -> list[Value]:
        """Take the step, and note what it leaves."""
        of = self.loop
        count = (given["count"],) if of.count else ()
        left = continued(of.step(*count) or END)
        results: dict[Any, Value] = {}
        if of.count:
            results["count"] = given["count"] + 1
        if of.within:
            self.possible = left.possible
            goes = self.goes_on(left, tuple(c + 1 for c in count))
            results["goes on"] = cast(goes, Aval((), np.dtype(bool)))
        if of.jumps:
            results["signal"] = left.signal
            if left.value is not MISSING:
                self.value = Returned(nest(left.value))
                results.update((("value", k), x) for k, x in self.value.numbers)
        self.note(results, stand, before)
        return [results.get(key, given[key]) for key in self.keys]

    def goes_on(self, left: Outcome, following: tuple[Value, ...]) -> Value:
        """Whether another step follows."""
        of = self.loop
        if left.possible == {FELL}:
            return self.asked(following)
        if FELL not in left.possible:
            return False
        if of.count:
            return np.logical_and(left.signal == FELL, of.test(*following))
        result = split(
            of.site, left.signal == FELL, of.all_cells, of.test,
            lambda: outcome(BACK, False), of.site.head,
        )  # fmt: skip
        return result.value

    def asked(self, following: tuple[Value, ...]) -> Value:
        """The condition of the loop."""
        found = self.loop.test(*following)
        found = found.value if isinstance(found, Outcome) else found
        return truth(found) if isinstance(found, Tracer) else bool(found)

    def note(self, results: dict[Any, Value], stand: StandIns, before: dict[str, Any]) -> None:
        """What the variables and the tracers from outside are after the step."""
        of = self.loop
        left: dict[tuple[str, int], Any] = {}
        for name, cell in of.cells.items():
            now, then = read(cell), before.get(name, MISSING)
            if name in of.changed and name in of.starts:
                self.carried(name, now, results)
                for k, x in enumerate(nest_of(cell, now).leaves):
                    self.again |= of.shown((name, k), x, stand.symbols)
                    left[name, k] = x
            elif not is_same(cell, now, then):
                self.found(name, now, then)
        self.again |= of.share(left, stand.symbols)
        for place, old in of.state.touched.values():
            if not is_same(place, of.state.now(place), old):
                self.beside.append((place, old))
        for k in stand.written():
            results["handle", k] = stand.symbols[k]
            self.more.add(("handle", k))

    def found(self, name: str, now: Any, then: Any) -> None:
        """A variable that a step changes and that is not carried yet."""
        of = self.loop
        if now is MISSING or not (name in of.site.head or of.state.is_place(name)):
            return
        if then is MISSING:
            if of.certain and any(map(is_numeric, nest(now).leaves)):
                self.new[name] = nest(now)
                self.more.add(name)
            else:
                self.undefined.add(name)
        else:
            self.more.add(name)

    def carried(self, name: str, now: Any, results: dict[Any, Value]) -> None:
        """A carried variable after the step."""
        of = self.loop
        start = of.starts[name]
        if now is MISSING:
            refuse(of.site, f"{of.state.spoken(name)} is deleted in the loop", "keep it")
        cell = of.cells[name]
        here = nest_of(cell, now)
        if is_container(now) and not of.state.is_place(name):
            self.bound[name] = one_of(now)
        if here.tree != start.tree and isinstance(cell, Contents):
            refuse(
                of.site,
                f"the {type(cell.of).__name__} `{cell.text}` changes in a loop whose number of "
                "steps is not known while tracing",
                "write into an array made before the loop, or use qd.scan, which stacks values",
            )
        if here.tree != start.tree:
            refuse(
                of.site,
                f"{of.state.spoken(name)} is {shown_nest(start)} before the loop and "
                f"{shown_nest(here)} after a step, and the number of steps is not known while "
                "tracing",
                "let it keep its structure, as in qd.while_loop(cond, body, init)",
            )
        for k, (x, y) in enumerate(zip(here.leaves, start.leaves, strict=True)):
            if is_numeric(y) and is_numeric(x):
                results[name, k] = x
            elif x is not y and not (type(x) is type(y) and x == y):
                refuse(
                    of.site,
                    f"{of.state.spoken(name)} is {shown_nest(start)} before the loop and "
                    f"{shown_nest(here)} after a step, and the number of steps is not known "
                    "while tracing",
                    "start it with a value of the same shape and dtype",
                )

    def settle(self, avals: dict[Any, Aval]) -> bool:
        """Whether the types change, or more is carried: then the step is traced once more."""
        of = self.loop
        again = bool(self.probed) or self.again
        for key, start, out in zip(self.keys, self.init, self.piece.program.outputs, strict=True):
            if key in self.probed:
                avals[key] = widest(self.probed[key], aval_of(out), aval_of(start))
        if again:
            return True
        for key, start, out in zip(self.keys, self.init, self.piece.program.outputs, strict=True):
            now, then = aval_of(out), avals[key]
            if now[:2] == aval_of(start)[:2]:
                continue
            if now.shape == then.shape and (then.weak or now.weak):
                dtype = joined_dtype(now, then)
                wanted = Aval(then.shape, dtype, None)
                if wanted[:2] != then[:2]:
                    avals[key] = wanted
                    again = True
                continue
            self.differ(key, then, now)
        for name in self.more:
            if isinstance(name, tuple):
                again = again or name not in avals
                avals.setdefault(name, aval_of(of.handles[name[1]]))
            elif name not in of.changed:
                of.changed.add(name)
                again = True
        for name, each in self.new.items():
            leaves = [zeros(x) if is_numeric(x) else x for x in each.leaves]
            of.starts[name] = Nest(tuple(leaves), each.tree)
        of.prepare()
        return again

    def differ(self, key: Any, then: Aval, now: Aval) -> None:
        """Refuse a carried value that changes its type."""
        name = key[0] if isinstance(key, tuple) else key
        state = self.loop.state
        what = state.spoken(name) if name in state.cells else f"`{name}`"
        what = "the returned value" if name == "value" else what
        refuse(
            self.loop.site,
            f"{what} is {describe(*then[:2])} before the loop and {describe(*now[:2])} after a "
            "step, and the number of steps is not known while tracing",
            "start it with the shape and dtype that it has later, as in "
            "qd.while_loop(cond, body, init)",
        )

    def finish(self) -> Outcome:
        """The equation, and its results in the variables."""
        of = self.loop
        results = self.equation()
        given = dict(zip(self.keys, results, strict=True))
        for name, made in self.variables(given):
            cell = of.cells[name]
            if of.state.is_place(name):
                keep(cell)
            write(cell, made)
        for name in self.undefined:
            write(
                of.cells[name],
                Undefined(
                    f"capture: {of.state.spoken(name)} is defined only if the loop of "
                    f"{of.site.line} takes a step; give it a value before the loop"
                ),
            )
        for k, handle in enumerate(of.handles):
            if ("handle", k) in given:
                new = given["handle", k]
                if not renamed(of.site, of.state, handle, new, of.changed):
                    move(of.site, handle, new)
        of.sever(given, of.handles)
        if not of.jumps:
            return END
        possible = self.possible - {FELL} if of.is_endless else self.possible | {FELL}
        value: Any = MISSING
        if self.value is not None:
            leaves = [given.get(("value", k), x) for k, x in enumerate(self.value.nest.leaves)]
            value = self.value.nest.tree.build(leaves)
        return Outcome(given["signal"], value, possible)

    def equation(self) -> list[Value]:
        """The loop itself."""
        of = self.loop

        def body(xs: list[Value]) -> list[Value]:
            outs = replay(self.piece.program, [np.False_, *xs, *self.piece.captured])
            return [cast(y, aval_of(x)) for x, y in zip(self.init, outs, strict=True)]

        if of.within:
            place = self.keys.index("goes on")
            return list(while_loop(lambda xs: xs[place], body, self.init, max_steps=of.bound))
        if of.bound is not None:
            first, *init = self.init
            made = fori_loop(0, of.bound, lambda i, xs: body([i, *xs])[1:], init)
            return [first, *made]
        return list(while_loop(self.condition, body, self.init))

    def condition(self, xs: list[Value]) -> Value:
        """The condition of a loop without jumps, on carried values.

        Raises `ConditionError` where asking it changes what is read later.
        """
        of = self.loop
        with self.entered(xs, current(xs)) as (given, stand, before):
            watch = Watch(before)
            asked = self.asked((given["count"],) if of.count else ())
            if stand.written() or watch.sees({n: read(c) for n, c in of.cells.items()}, of):
                raise ConditionError
            return asked


class Watch:
    """What variables held before the condition of a loop was asked."""

    def __init__(self, before: dict[str, Any]) -> None:
        self.before = before
        self.leaves = {name: nest(value).leaves for name, value in before.items()}
        tracers = [x for each in self.leaves.values() for x in each if isinstance(x, Tracer)]
        self.marks = [(x, snapshot(x)) for x in tracers]

    def sees(self, now: dict[str, Any], loop: Loop) -> bool:
        """Whether what is read later changed."""
        if any(moved(x, mark) for x, mark in self.marks):
            return True
        for name, cell in loop.cells.items():
            if loop.state.is_place(name) and not is_same(cell, now[name], self.before[name]):
                return True
        state = loop.state
        if any(not is_same(p, state.now(p), old) for p, old in state.touched.values()):
            return True
        for name in loop.site.head & set(now):
            if now[name] is not self.before.get(name, MISSING):
                return True
            then = self.leaves.get(name, ())
            leaves = () if now[name] is MISSING else nest(now[name]).leaves
            if len(leaves) != len(then) or any(map(is_not, leaves, then)):
                return True
        return False


class ConditionError(Exception):
    """Asking a condition changes variables, so that it must be asked no oftener than due."""


class Returned:
    """What a step returns, and which of its leaves are numbers, with their places."""

    def __init__(self, parts: Nest) -> None:
        self.nest = parts
        self.numbers = [(k, x) for k, x in enumerate(parts.leaves) if is_numeric(x)]


def zeros(x: Value) -> Value:
    """A value of the type of `x` to start with, which the first step replaces."""
    if type(x) in (bool, int, float, complex):
        return type(x)(0)
    return np.zeros(np.shape(x), x.dtype)
