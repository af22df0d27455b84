"""Who else holds an array: the variables of the functions that run, and what these mention.

Of a function's names those count that are read after the line that runs, loops that go through
arrays, and objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...core.dispatch import Tracer
from ...core.views import View
from ..results import owner
from .sharing import Severed

OWN = 0x1  # the flag of code whose variables are its own: of a function
DEEPEST = 4  # containers and objects within each other that are looked into
CLOSED = (ModuleType, FunctionType, type, str, bytes, int, float, complex, np.generic, range)

# By file and line of captured functions: the names that are read after a call there returns.
read_later: dict[str, dict[int, frozenset[str]]] = {}


class Point(NamedTuple):
    """A decision in a function that runs, by its name and file, and the names read after it."""

    name: str
    file: str
    live: frozenset[str]


def is_held(
    arrays: Sequence[Any], by: Severed | None = None, at: Point | None = None, but: Any = None
) -> bool:
    """Whether a variable shows one of some arrays other than `by` what may be one of them.

    `at` is where the innermost function is, `but` an object that does not count.
    """
    for frame in captured_frames():
        code = frame.f_code
        if at is not None and (code.co_name, code.co_filename) != (at.name, at.file):
            at = None  # from here on these are the functions that have called it
        live = read_later.get(code.co_filename, {}).get(frame.f_lineno)
        local = frame.f_locals
        asked = Asked(arrays, by, {id(but)})
        found = any(asked.counted(local, live if at is None else at.live))
        if isinstance(local, dict):
            local.clear()  # a frame would keep it, and what it holds
        if found or any(x is each for x in frame.f_globals.values() for each in arrays):
            return True
    return False


def captured_frames() -> Iterator[FrameType]:
    """The frames of captured functions and of their pieces, innermost first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_flags & OWN and ".rt" in code.co_freevars:
            yield frame
        frame = frame.f_back


class Asked(NamedTuple):
    """What is looked for: some arrays, and what may be one of them `by` a decision."""

    arrays: Sequence[Any]
    by: Severed | None
    met: set[int]

    def counted(self, local: Mapping[str, Any], live: frozenset[str] | None) -> Iterator[bool]:
        """For each variable that counts, whether it shows one of the arrays."""
        for name, value in local.items():
            if name.startswith("."):  # a loop, by what it goes through
                yield self.shown(getattr(value, "values", None), self.met)
            elif live is None or name in live or is_object(value):
                yield self.shown(value, self.met)

    def shown(self, x: Any, met: set[int]) -> bool:
        """Whether a value is one of the arrays, shows a part of it, or holds it."""
        if x is None or isinstance(x, CLOSED) or id(x) in met:
            return False
        if any(x is each for each in self.arrays):
            return True
        if isinstance(x, Tracer):
            return self.shown_by(x)
        if isinstance(x, np.ndarray):
            return any(owner(x) is owner(each) for each in self.arrays if type(each) is np.ndarray)
        if len(met) > DEEPEST + 1:
            return False
        met = {*met, id(x)}
        if isinstance(x, dict):
            return any(self.shown(v, met) for v in x.values())
        if isinstance(x, list | tuple | set):
            return any(self.shown(v, met) for v in x)
        held = getattr(x, "__dict__", None)
        return isinstance(held, dict) and any(self.shown(v, met) for v in held.values())

    def shown_by(self, x: Any) -> bool:
        """Whether a tracer is one of the arrays, or a view of one, or may be one."""
        while not any(x is each for each in self.arrays):
            if not isinstance(x, View):
                return False
            how = x.tied.how
            if isinstance(how, Severed):
                if self.by is not None:
                    return how is not self.by and how.meets(self.by)
                return any(a is b for a in how.held for b in self.arrays)
            x = x.tied.base
        return True


def is_object(x: Any) -> bool:
    """Whether a value is an object of a class of the user's."""
    return hasattr(x, "__dict__") and not isinstance(x, (*CLOSED, np.ndarray, Tracer))
