"""How many names hold an array, which tells whether one of them can be bound anew.

CPython counts references.  From 3.14 on it lends them where it can, and counts no more of them: a
function is lent those of its caller's variables, an operator those of the function's.
"""

from __future__ import annotations

import functools
import math
import os
import sys
import threading
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

LENDS = sys.version_info >= (3, 14)
MEASURED = os.path.abspath(__file__)  # where references to an array of one name are measured


def owning(f: Callable[P, T]) -> Callable[P, T]:
    """`f` with references of its own to what it is given, lent or not."""

    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        return f(*args, **kwargs)

    return called


def outside(is_inside: Callable[[str], bool]) -> FrameType:
    """The nearest frame whose file is not inside."""
    frame = sys._getframe(1)
    while is_inside(frame.f_code.co_filename) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def lenders(x: Any, frame: FrameType) -> int:
    """How many functions lent a reference of theirs to x on its way to this frame."""
    found = 0
    while LENDS and (outer := frame.f_back) is not None and holds(frame, x) and holds(outer, x):
        found += 1
        frame = outer
    return found


def holds(frame: FrameType, x: Any) -> bool:
    """Whether a variable is x.  Before Python 3.13 asking this makes references."""
    return any(held is x for held in frame.f_locals.values())


class References(threading.local):
    """How many references `n += t` finds to `n` when no other name holds that array.

    It depends on the interpreter and on the way through the tracer's class, so it is measured.
    """

    def __init__(self) -> None:
        self.measuring = False
        self.found = 0.0
        self.counts: dict[type, float] = {}

    def are_of_one_name(self, n: Any, tracer: Any, frame: FrameType) -> bool:
        """Whether this frame asks for `n += tracer`, and no other name holds that array."""
        found = sys.getrefcount(n) + uncounted(n, frame)
        if self.measuring:
            self.found = found
            return True
        return found <= self.of_one_name(tracer)

    def of_one_name(self, tracer: Any) -> float:
        """The count for tracers of this class."""
        kind = type(tracer)
        if kind not in self.counts:
            self.measuring = True
            try:
                n = np.zeros(tracer.shape, tracer.dtype)
                n += tracer
            finally:
                self.measuring = False
            self.counts[kind] = self.found
        return self.counts[kind]


references = References()


def uncounted(n: Any, frame: FrameType) -> float:
    """How many references to the array on the left of an operator in place are lent ones; no end
    of them where something else than an operator writes into it.
    """
    if not LENDS:
        return 0
    lent = lent_to_operator(frame.f_code, frame.f_lasti)
    if lent is None:
        return math.inf
    of_operator = any(is_lent and frame.f_locals.get(name) is n for name, is_lent in lent.items())
    return of_operator + lenders(n, frame)


@functools.lru_cache(maxsize=256)
def lent_to_operator(code: CodeType, offset: int) -> Mapping[str, bool] | None:
    """The variables read before an operator in place, and whether the last time one was lent;
    None where the instruction is no such operator.
    """
    import dis

    lent: dict[str, bool] = {}
    for each in dis.get_instructions(code):
        if each.offset == offset:
            return lent if each.opname == "BINARY_OP" and each.argrepr.endswith("=") else None
        if "LOAD_FAST" in each.opname:  # of one variable, or of two at once
            names = each.argval if isinstance(each.argval, tuple) else (each.argval,)
            for name in names[each.opname.startswith("STORE_") :]:
                lent[name] = "BORROW" in each.opname
    return None
