"""Programs of derived functions: how they come about, and why some do not."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import qiudao as qd

from ....core.trees import flatten
from .arguments import Form, Key, filled

Function = Callable[..., Any]

WORTH = 0.1  # seconds of calls after which it is worth to read what a function is made of
PATIENCE = 0.3  # seconds of eager calls, which is about what a compilation takes
MOST = 256  # programs that are kept
CONTENTS = 16  # values of the arrays that are not differentiated by, with programs of their own
LARGEST = 1 << 20  # bytes of such arrays, which are compared at each call
VALUES = 3  # how many values an integer may have, each with a program, before it is data


class Outcome(NamedTuple):
    """What became of one derived function with arguments of some types."""

    operator: str  # "grad", "hessian", ...
    function: str
    compiled: bool
    calls: int
    reason: str  # why it is not compiled, "" where it is

    def __str__(self) -> str:
        state = "compiled" if self.compiled else self.reason
        return f"{self.operator} of {self.function}: {state} ({self.calls} calls)"


class Entry:
    """One program, or the calls that may lead to it, or the reason that there is none."""

    def __init__(self, operator: str, function: str) -> None:
        self.operator = operator
        self.function = function
        self.calls = 0
        self.seconds = 0.0  # that its calls have taken
        self.reason = ""
        self.jitted: Function | None = None
        self.derived: Function | None = None  # whose turn it is
        self.contents: dict[Any, Entry] = {}  # the programs for what arrays hold
        self.lock = threading.RLock()

    @property
    def waiting(self) -> str:
        """Why there is no program yet."""
        return "" if self.jitted is not None else "it was called too rarely"

    def run(self, derived: Function, data: list[Any], args: Any, kwargs: Any) -> Any:
        """The compiled function; eager where that raises, so that errors are the same."""
        self.derived = derived  # is traced again where a loop or a NaN wants another program
        self.calls += 1
        try:
            return self.jitted(*data)  # type: ignore[misc]
        except Exception:
            return derived(*args, **kwargs)

    def make(self, derived: Function, key: Key, form: Form, expected: Any) -> None:
        """Compile what a call does, unless something forbids.

        Where it cannot be traced, each value of the arrays that are not differentiated by gets a
        program of its own: what is selected from them decides shapes.
        """
        self.try_to_make(derived, key.emptied(form), key.given(form), expected)
        held = key.held()
        if self.reason and not form.held and held and sum(map(len, held)) <= LARGEST:
            entry = self.holding(held)
            entry.calls = self.calls
            entry.make(derived, key, form._replace(held=True), expected)

    def holding(self, held: tuple[bytes, ...]) -> Entry:
        """The entry for arrays with these contents."""
        found = self.contents.get(held)
        if found is None:
            if len(self.contents) == CONTENTS:
                return self  # whose reason is that of the first try
            found = self.contents[held] = Entry(self.operator, self.function)
        return found

    def try_to_make(self, derived: Function, emptied: Any, data: list[Any], expected: Any) -> None:
        """Compile what the call of emptied arguments gives for data."""

        def current(*data: Any) -> Any:
            args, kwargs = filled(emptied, iter(data))
            return self.derived(*args, **kwargs)  # type: ignore[misc]

        current.__name__ = self.function
        with self.lock:
            self.derived = derived
            jitted = qd.jit(current)
            try:
                with compilation.paused(), warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    found = jitted(*data)
            except Exception as error:
                self.reason = f"it cannot be traced: {error}"
                return
            if caught:
                self.reason = f"it warns: {caught[0].message}"
            elif not alike(found, expected):
                self.reason = "its compiled result is not the eager one"
            else:
                self.jitted = jitted


class Within(threading.local):
    """Whether this thread is within a derived function that is looked after already."""

    inside = False


class Compilation:
    """Whether derived functions are compiled, after how many calls, and what became of them."""

    def __init__(self) -> None:
        self.within = Within()
        self.clear()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Derived functions that are made meanwhile are parts of the one that is run."""
        before, self.within.inside = self.within.inside, True
        try:
            yield
        finally:
            self.within.inside = before

    def clear(self) -> None:
        """Compile no more, and forget what was."""
        self.on = False
        self.after: int | None = None  # the number of the call that compiles; None: by time
        self.young: dict[Any, Entry] = {}  # calls of functions of equal code, until they are read
        self.entries: dict[Any, Entry] = {}
        self.values: dict[Any, set[Any]] = {}  # of the integers among arguments of some types
        self.eager: dict[tuple[str, str, str], Entry] = {}  # calls that led to no entry

    def is_young(self, entry: Entry) -> bool:
        """Whether the calls of functions of some code have taken too little time to care."""
        return self.after is None and entry.seconds < WORTH

    def is_due(self, entry: Entry) -> bool:
        """Whether to compile at the next call what was called so often, or has taken so long."""
        if not self.on:
            return False
        if self.after is None:
            return entry.calls > 0 and entry.seconds > PATIENCE
        return entry.calls >= self.after - 1

    def entry(self, key: Any, operator: str, function: str) -> Entry:
        """The entry of a key, a new one if need be."""
        return kept(self.entries, key, operator, function)

    def youth(self, key: Any, operator: str, function: str) -> Entry:
        """The calls of functions of equal code."""
        return kept(self.young, key, operator, function)

    def note(self, operator: str, function: str, reason: str) -> None:
        """Remember a call that cannot lead to a program, for the report."""
        found = self.eager.setdefault((operator, function, reason), Entry(operator, function))
        found.reason = reason
        found.calls += 1

    def varies(self, key: Any, ints: tuple[int, ...]) -> bool:
        """Whether the integers of a key have had so many values that they are data."""
        values = self.values.setdefault(key, set())
        if len(values) <= VALUES:
            values.add(ints)
        while len(self.values) > MOST:
            del self.values[next(iter(self.values))]
        return len(values) > VALUES


def kept(entries: dict[Any, Entry], key: Any, operator: str, function: str) -> Entry:
    """The entry of a key, in place of the oldest where there are many."""
    found = entries.get(key)
    if found is None:
        found = entries[key] = Entry(operator, function)
        while len(entries) > MOST:
            del entries[next(iter(entries))]
    return found


compilation = Compilation()


def alike(found: Any, expected: Any) -> bool:
    """Whether two results are equal up to rounding, their containers, types and shapes too."""
    leaves, tree = flatten(found)
    others, other_tree = flatten(expected)
    return bool(tree == other_tree) and all(map(near, leaves, others))


def near(x: Any, y: Any) -> bool:
    """Whether two leaves are of one type and differ by rounding only."""
    arrays = (np.ndarray, np.generic)  # an array without axes is as good as NumPy's scalar
    if not (isinstance(x, arrays) and isinstance(y, arrays)):
        return bool(type(x) is type(y) and x == y)
    if x.shape != y.shape or x.dtype != y.dtype or x.dtype.kind not in "fc":
        return x.dtype == y.dtype and bool(np.array_equal(x, y))
    with np.errstate(all="ignore"):
        finite = np.abs(np.extract(np.isfinite(y), y))
        half = float(np.finfo(x.dtype).eps) ** 0.5  # half of the digits: sums cancel at an optimum
        scale = float(np.max(finite, initial=1.0))
        return bool(np.allclose(x, y, rtol=half, atol=half * scale, equal_nan=True))


def compiled_report() -> list[Outcome]:
    """What became of each derived function that was called since `install(jit=True)`.

    >>> from qiudao.interop.autograd import grad, install, uninstall, compiled_report
    >>> install(jit=3)
    >>> slope = grad(lambda x: np.sum(np.sin(x)))
    >>> for _ in range(4):
    ...     g = slope(np.zeros(2))
    >>> print(*compiled_report())
    grad of <lambda>: compiled (4 calls)
    >>> uninstall()
    """
    entries = [*compilation.entries.values(), *compilation.eager.values()]
    young = [e for e in compilation.young.values() if compilation.is_young(e)]
    every = [e for entry in entries for e in (entry.contents or {"": entry}).values()]
    every += young
    return [
        Outcome(e.operator, e.function, e.jitted is not None, e.calls, e.reason or e.waiting)
        for e in every
    ]
