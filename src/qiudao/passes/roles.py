"""What an operand is to an iteration of a loop, and where the values come from that it reads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval
from ..core.primitive import Primitive

Array = np.ndarray[Any, Any]


class Refusal(Exception):  # noqa: N818 - not an error: the run stays as it is
    """Why a repetition cannot become a loop."""


class Literal(NamedTuple):
    """The same constant in every iteration."""

    value: Any


class Outer(NamedTuple):
    """The same value from before the loop in every iteration."""

    place: int


class Inner(NamedTuple):
    """A value that the same iteration makes."""

    value: int


class Carried(NamedTuple):
    """The value of a chain `lag` iterations ago."""

    chain: int
    lag: int


class Slice(NamedTuple):
    """Row k of a stack, in iteration k."""

    stack: int


Role = Literal | Outer | Inner | Carried | Slice


class Row(NamedTuple):
    """Of the value at `place`, what stands at the index `at`."""

    place: int
    at: tuple[Any, ...]


class Places(NamedTuple):
    """A stack of values made before the loop."""

    places: Array


class Items(NamedTuple):
    """A stack of what the index `at` reads from one array, with `numbers[k]` in iteration k."""

    place: int
    at: tuple[Any, ...]
    numbers: Array


class Constants(NamedTuple):
    """A stack of constants."""

    values: Array


class Mapped(NamedTuple):
    """A primitive applied to each row of another stack."""

    stack: int
    primitive: Primitive


Stack = Places | Items | Constants | Mapped


class Chain:
    """A value carried from one iteration to the next, and the one before that, and so on.

    `first[m - 1]` is what stands for the value m iterations before the first: a place, a `Row`,
    or a constant in a `Literal`.
    """

    def __init__(self, value: int, aval: Aval) -> None:
        self.value = value
        self.aval = aval
        self.first: list[int | Row | Literal] = []

    def fits(self, first: list[int | Row | Literal]) -> bool:
        """Whether a chain that starts so can be this one, or a longer form of it."""
        return all(is_same(a, b) for a, b in zip(self.first, first))


def is_same(a: int | Row | Literal, b: int | Row | Literal) -> bool:
    """Whether two starts of a chain are one: equal places, or constants equal in every bit."""
    if isinstance(a, Literal) and isinstance(b, Literal):
        x, y = np.asarray(a.value), np.asarray(b.value)
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    return type(a) is type(b) and a == b


class Formula(NamedTuple):
    """How an iteration computes a value; `like` is the equation that it comes from."""

    primitive: Primitive
    roles: tuple[Role, ...]
    like: int
    aval: Aval | None


class Write(NamedTuple):
    """A write of one iteration: equation `setter` puts `value` at `pattern`.

    Part `part` of the pattern is `rows[k]` in iteration k: `first`, and then on by `step`.
    """

    setter: int
    value: int
    pattern: tuple[Any, ...]
    part: int
    rows: Array
    first: int
    step: int


class Fill(NamedTuple):
    """An array that a loop fills: from what it was before, by these writes in order."""

    start: int
    writes: tuple[Write, ...]
