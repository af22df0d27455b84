"""Truth values: `and`, `or`, `not`, chains of comparisons and `a if c else b`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from ...core.avals import Value
from ...core.source import caller, line_of
from .branch import split, truth
from .outcomes import BACK, Outcome, outcome
from .sites import Cells
from .state import unknown

Thunk = Callable[[], Any]
LISTED = (list, tuple, set, frozenset, dict, range)
NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)


class Within(NamedTuple):
    """A place in an expression, as the site of a decision."""

    code: CodeType
    offset: int

    @property
    def line(self) -> str:
        """The user's line."""
        return str(line_of(self.code, self.offset))

    @property
    def name(self) -> str:
        """The name of the function that it is in."""
        return self.code.co_name

    @property
    def file(self) -> str:
        """The file of that function."""
        return self.code.co_filename


def decide(
    test: Value, a: Thunk, b: Thunk, *among: Thunk, live: frozenset[str] = frozenset()
) -> Any:
    """`a()` where `test` holds, else `b()`; `live` are the names that are read later."""
    cells = Cells(a)
    for each in (b, *among):
        for name, cell in Cells(each).items():
            while cells.get(name, cell) is not cell:  # of another function
                name += "'"
            cells[name] = cell

    def way(of: Thunk) -> Callable[[], Outcome]:
        return lambda: outcome(BACK, of())

    return split(Within(*caller()), test, cells, way(a), way(b), frozenset(cells), live).value


def choose(test: Any, a: Thunk, b: Thunk, live: frozenset[str]) -> Any:
    """`a if test else b`; `live` are the names that are read later."""
    if unknown(test):
        return decide(test, a, b, live=live)
    return a() if test else b()


def both(a: Any, b: Thunk) -> Any:
    """`a and b`."""
    if unknown(a):
        return decide(a, b, lambda: a)
    return a and b()


def either(a: Any, b: Thunk) -> Any:
    """`a or b`."""
    if unknown(a):
        return decide(a, lambda: a, b)
    return a or b()


def negation(x: Any) -> Any:
    """`not x`."""
    return np.logical_not(truth(x)) if unknown(x) else not x


def contained(x: Any, container: Any) -> Any:
    """`x in container`: whether any element is equal.  A traced value has no hash to look up."""
    parts = container if isinstance(container, list | tuple) else (container,)
    if not unknown(x) and not any(map(unknown, parts)):
        return x in container
    if isinstance(container, np.ndarray) or unknown(container):
        return np.any(np.equal(container, x))
    if not isinstance(container, LISTED):
        return x in container
    found: Any = np.False_
    for each in container:
        if each is x:
            return True
        if unknown(each) or isinstance(each, NUMBERS):
            found = np.logical_or(found, truth(np.equal(each, x)))
    return found


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le,
    "Gt": operator.gt, "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not,
    "In": contained, "NotIn": lambda a, b: negation(contained(a, b)),
}  # fmt: skip


def chain(left: Any, first: str, right: Any, *others: Any) -> Any:
    """`left < right < ...`: a comparison with each next value, for as long as they hold."""
    result = COMPARISONS[first](left, right)
    if not others:
        return result
    op, value, *rest = others

    def following() -> Any:
        return chain(right, op, value(), *rest)

    if unknown(result):
        return decide(result, following, lambda: result, value)
    return result and following()
