"""Derived functions that become machine code where they are called often enough.

A function is run eagerly at first.  When its calls with arguments of some types have taken as long
as a compilation does, or have been as many as the user says, it becomes machine code, if nothing
speaks against it; if something does, it stays eager, and `compiled_report` says why:

* what it reads besides its arguments cannot be watched, or it does more than compute;
* it changed what it reads, or an argument, while it ran;
* it cannot be traced, or warned while it was;
* its first compiled result was not the eager one.

Before each call of machine code everything that the function read is compared with what it was
(`reading`).  Where that has changed there is another program, made after as many calls.  Programs
are kept for functions of equal code that read equal values, so a function made anew finds its own.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import Form, Key, OddError
from .programs import Entry, compilation
from .reading import Reads, UnsettledError, read

Function = Callable[..., Any]

KEPT = 64  # combinations of arguments whose programs are found at once
CHANGES = 16  # how often what a function reads may change before it stays eager


class Site:
    """One derived function: which program belongs to its calls."""

    def __init__(
        self, derived: Function, roots: tuple[Function, ...], operator: str, argnum: Any
    ) -> None:
        self.derived = derived
        self.roots = roots
        self.operator = operator.removeprefix("_")
        self.argnum = repr(argnum)
        self.chosen = frozenset([argnum] if isinstance(argnum, int) else argnum)
        self.function = name_of(roots[0])
        key = (self.operator, self.argnum, self.function, code_of(roots[0]))
        self.youth = compilation.youth(key, self.operator, self.function)
        self.reads: Reads | None = None
        self.changes = 0
        self.effects = 0
        self.refused = False
        self.last: dict[Any, tuple[Entry, Form]] = {}

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if compilation.is_young(self.youth):
            return self.timed(self.youth, args, kwargs)
        if not self.refused:
            try:
                key = Key(args, kwargs, self.chosen)
                if key.traced:
                    return self.derived(*args, **kwargs)
                entry, form = self.find(key)
                if entry.contents:
                    entry, form = entry.holding(key.held()), form._replace(held=True)
                if entry.jitted is not None:
                    return entry.run(self.derived, key.given(form), args, kwargs)
                if not entry.reason:
                    return self.eagerly(entry, args, kwargs, key, form)
                entry.calls += 1
            except (OddError, UnsettledError) as error:
                self.refused = isinstance(error, UnsettledError)
                compilation.note(self.operator, self.function, str(error))
        with compilation.paused():
            return self.derived(*args, **kwargs)

    def find(self, key: Key) -> tuple[Entry, Form]:
        """The entry for arguments of these types, and which of them are data to its program."""
        types, ints = tuple(key.parts), tuple(key.ints)
        last = self.last.get((types, ints))
        if last is not None and last[0].reason:
            return last
        if self.reads is None or not self.reads.watch.holds():
            self.reads = self.read_again()
        elif last is not None:
            return last
        known = (self.operator, self.argnum, self.reads.fingerprint, types)
        as_data = bool(ints) and compilation.varies(known, ints)
        program = (*known, "data" if as_data else ints)
        if len(self.last) > KEPT:
            self.last.clear()
        found = compilation.entry(program, self.operator, self.function), Form(ints=as_data)
        self.last[types, ints] = found
        return found

    def read_again(self) -> Reads:
        """What the function reads now; raises where it changes too often."""
        self.last.clear()
        self.changes += 1
        if self.changes > CHANGES:
            raise UnsettledError("what it reads besides its arguments changes from call to call")
        return read(*self.roots)

    def timed(self, entry: Entry, args: Any, kwargs: Any) -> Any:
        """The result by the eager way, whose time is noted."""
        start = time.perf_counter()
        with compilation.paused():
            result = self.derived(*args, **kwargs)
        entry.seconds += time.perf_counter() - start
        entry.calls += 1
        return result

    def eagerly(self, entry: Entry, args: Any, kwargs: Any, key: Key, form: Form) -> Any:
        """The result by the eager way, and the program if it is time for that."""
        is_due = compilation.is_due(entry)
        before = [np.array(x) for x in key.data] if is_due else []
        result = self.timed(entry, args, kwargs)
        if self.reads is not None and not self.reads.watch.holds():
            self.effects += 1  # once may be a value that was kept at the first call
            self.refused = self.effects > 1
            entry.reason = "it changes what it reads" if self.refused else ""
            return result
        if not is_due:
            return result
        if holds_function(result):
            entry.reason = "it returns a function"
        elif any(x.tobytes() != np.asarray(y).tobytes() for x, y in zip(before, key.data)):
            entry.reason = "it changes an argument"
        else:
            entry.make(self.derived, key, form, result)
        return result


def holds_function(x: Any) -> bool:
    """Whether a result is something to call, or a container with that."""
    if isinstance(x, dict):
        return any(map(holds_function, x.values()))
    return any(map(holds_function, x)) if isinstance(x, tuple | list) else callable(x)


def code_of(f: Any) -> Any:
    """What functions that are made anew have in common."""
    f = f.func if isinstance(f, functools.partial) else f
    return getattr(getattr(f, "__func__", f), "__code__", type(f))


def name_of(f: Any) -> str:
    """What the report calls a function."""
    return name_of(f.func) if isinstance(f, functools.partial) else str(getattr(f, "__name__", f))


def watched(derived: Function, roots: tuple[Function, ...], operator: str, argnum: Any) -> Function:
    """The derived function, compiled where it is called often; itself where that is off."""
    if not compilation.on or compilation.within.inside:
        return derived
    site = Site(derived, roots, operator, argnum)

    def called(*args: Any, **kwargs: Any) -> Any:
        return site(args, kwargs)

    called.__name__, called.__doc__ = derived.__name__, derived.__doc__
    return called
