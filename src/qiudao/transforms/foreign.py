"""A function that runs on plain arrays only, as an operation that no derivative passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.primitive import Primitive, Values
from .one_by_one import one_by_one


class Foreign(Primitive):
    """`function(*arrays)`, an array (or a tuple of them) of types that are known beforehand.

    No derivative passes; examples of a batch are computed one by one; a compiled program calls it
    between native segments.
    """

    is_constant = True
    is_plain = True

    def __init__(self, name: str, function: Callable[..., Any], *avals: Aval) -> None:
        self.name = name  # type: ignore[misc]
        self.function = function
        self.avals = avals

    def __repr__(self) -> str:
        return self.name

    def shape(self, *avals: Aval) -> Any:
        return self.avals[0] if len(self.avals) == 1 else self.avals

    def evaluate(self, *xs: Value) -> Value:
        found = self.function(*(np.asarray(x) for x in xs))
        if len(self.avals) == 1:
            return np.asarray(found, self.avals[0].dtype)[()]
        return tuple(np.asarray(y, a.dtype)[()] for y, a in zip(found, self.avals, strict=True))

    def batch(self, size: int, mapped: Sequence[bool], xs: Values) -> Value:
        return one_by_one(self, size, mapped, xs)


def run_foreign(
    name: str, function: Callable[..., Any], like: Sequence[Aval], *operands: Value
) -> Any:
    """Call `function` on the plain arrays that the operands stand for; the result is a constant of
    types `like`.
    """
    return Foreign(name, function, *like)(*operands)
