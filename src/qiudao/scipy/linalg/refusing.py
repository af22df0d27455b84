"""Matrices handed on as they are, unless they ask for a derivative that does not exist."""

from typing import Any

import numpy as np

from ...core.avals import Aval, Value
from ...core.errors import NotDifferentiableError
from ...core.primitive import Parents, Primitive, Product, Terms, Values
from ...ops.linalg.coincidence import NOISE


class Refusing(Primitive):
    """The second operand as it is; `reason` says why it is refused beside the first, if it is.

    The operands after it say what counts as rounding.
    """

    keeps_out = False

    def reason(self, of: Any, x: Any, *sizes: Any) -> str | None:
        """Why x has to be refused, or None."""
        raise NotImplementedError

    def evaluate(self, *xs: Value) -> Value:
        text = self.reason(*xs)
        if text is not None:
            raise NotDifferentiableError(text)
        return xs[1]

    def is_linear(self, positions: set[int]) -> bool:
        return 1 in positions and 0 not in positions

    def shape(self, *avals: Aval) -> Aval:
        return avals[1]

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return dxs[1]

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (None, ct, *(None,) * (len(xs) - 2))


def rounding(n: int, *sizes: Any) -> Any:
    """What counts as rounding beside matrices of these sizes, for systems of n equations."""
    size = max(np.max(np.abs(x), initial=0.0) for x in sizes)
    return NOISE * max(n, 1) * max(np.finfo(x.dtype).eps for x in sizes) * size
