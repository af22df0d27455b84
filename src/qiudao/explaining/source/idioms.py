"""Primitives that stand in printed programs only: what NumPy's functions do by themselves.

Where qiudao's primitives take more care (a Hermitian part, matrices in the place of vectors), the
text that a reader knows is NumPy's plain call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.primitive import Primitive
from .code import Code, call
from .table import Phrase, spells


class Plain(Primitive):
    """`np.linalg.function(x)`, in the place of the primitive `of` it."""

    name = "plain"

    def __init__(self, of: Primitive, function: str) -> None:
        self.of = of
        self.function = function

    def shape(self, *avals: Aval) -> Any:
        return self.of.shape(*avals)

    def evaluate(self, *xs: Value) -> Value:
        found = getattr(np.linalg, self.function)(*xs)
        return tuple(found) if isinstance(found, tuple) else found


class SolveVector(Primitive):
    """`np.linalg.solve(a, b)` for one matrix and one vector."""

    name = "solve"

    def shape(self, *avals: Aval) -> Aval:
        a, b = avals
        return Aval(b.shape, np.result_type(a.dtype, b.dtype))

    def evaluate(self, *xs: Value) -> Value:
        return np.linalg.solve(*xs)


@spells(Plain)
def plain(p: Phrase) -> Code:
    """`np.linalg.eigh(x)`."""
    return call(f"np.linalg.{p.primitive.function}", *p.codes)


@spells(SolveVector)
def solve(p: Phrase) -> Code:
    """`np.linalg.solve(a, b)`."""
    return call("np.linalg.solve", *p.codes)
