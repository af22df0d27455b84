"""The second stop: a value used three times, and the three terms that its gradient sums.

The value is the study's own y = 20. Z = y·y - 4·y uses it three times: as the left factor, as the
right factor and in the second product. Each use is a road from y to the result; the gradient is
the sum over the roads, because a change of y travels all of them at once.
"""

from collections.abc import Container
from dataclasses import dataclass

import qiudao as qd
from qiudao.tour.study import START, F, Function, Value, Y

__all__ = ["Term", "USES", "gradient_at_once", "terms"]

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
    return [
        Term(name, sweep(itself, alive=[use]), sweep(F, alive=[use]))
        for use, name in enumerate(USES)
    ]


def gradient_at_once() -> Term:
    """Sweep once with nothing detached: the tape sums the terms by itself."""
    every = range(len(USES))
    return Term("all at once", sweep(itself, alive=every), sweep(F, alive=every))


def sweep(after: Function, alive: Container[int]) -> float:
    """The derivative of after(Z(y)) by y, through those uses of y that are alive."""
    y = qd.tensor(Y(START), requires_grad=True)
    uses = [y if use in alive else y.detach() for use in range(len(USES))]
    (slope,) = qd.grad(after(three_uses(*uses)), y)
    return float(slope)


def itself(z: Value) -> Value:
    """Nothing comes after Z."""
    return z
