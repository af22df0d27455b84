"""One result out of several: how multi-valued primitives (qr, eigh, svd) sit on the tape."""

from __future__ import annotations

from typing import Any

from .avals import Value
from .primitive import Parents, Primitive, Product, Terms, Values


class Cotangents(tuple[Any, ...]):
    """The cotangents of several results, None where none has arrived yet."""

    __slots__ = ()
    shape = None
    dtype = None

    def __add__(self, other: Any) -> Cotangents:
        return Cotangents(
            b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)
        )


class Part(Primitive):
    """Result `index` of the `count` that a primitive gives."""

    name = "part"
    keeps_out = False
    is_tame = True

    def __init__(self, index: int, count: int) -> None:
        self.index = self.result = index
        self.count = count

    def evaluate(self, *xs: Value) -> Value:
        return xs[0][self.index]

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return [Cotangents(ct if i == self.index else None for i in range(self.count))]

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        return [tuple(alive if i == self.index else None for i in range(self.count))]

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return tuple(parents)
