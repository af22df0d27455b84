"""The second stop: a value used three times, and the three terms that its gradient sums.

The value is the study's own y = 20. Z = y·y - 4·y uses it three times: as the left factor, as the
right factor and in the second product. Each use is a road from y to the result; the gradient is
the sum over the roads, because a change of y travels all of them at once.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import qiudao as qd
from qiudao.tour.study import START, F, Y

__all__ = ["Term", "USES", "gradient_at_once", "terms"]

Value: TypeAlias = Any  # a float or a Tensor

USES = ("the left y of y·y", "the right y of y·y", "the y of -4·y")


@dataclass(frozen=True)
class Term:
    """What one use of the value adds to its gradient."""

    use: str
    slope: float  # dZ/dy along this use alone
    gradient: float  # dF/dy along this use alone


def three_uses(left: Value, right: Value, last: Value) -> Value:
    """Z with a name for each of its uses of y."""
    return left * right - 4 * last


def terms() -> list[Term]:
    """Sweep three times, each time with the other two uses detached: they count as constants."""
    found = []
    for alive, use in enumerate(USES):
        slope, gradient = (
            sweep(lambda z: z, alive),
            sweep(F, alive),
        )
        found.append(Term(use, slope, gradient))
    return found


def sweep(after: Any, alive: int | None = None) -> float:
    """d after(Z(y)) / dy, along one use of y or (None) along all."""
    y = qd.tensor(Y(START), requires_grad=True)
    uses = [y if alive in (None, use) else y.detach() for use in range(len(USES))]
    after(three_uses(*uses)).backward()
    return float(y.grad)


def gradient_at_once() -> Term:
    """Sweep once with nothing detached: the tape sums the terms by itself."""
    return Term("all, in one sweep", sweep(lambda z: z), sweep(F))
