"""Sums of exponentials kept as logarithms, and the weights of their terms."""

from __future__ import annotations

import numpy as np

from ..core.avals import Value
from ..core.element import Element, Scalar
from ..core.families import Smooth
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import face
from .smooth import LOG_2

TWO = (sample("f64[3,4]", "f64[3,4]"), sample("f64[4]", "f64[3,1]"), sample("f64[]", "f64[2]"))


@primitive
class Logistic(Smooth):
    """1 / (1 + e^-x).  d = out (1 - out) dx, with 1 - out computed as the function of -x."""

    is_tame = True
    reads = "both"
    samples = (sample("f64[3,4]", within=(-5.0, 5.0)), sample("f64[]"))

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        small = np.exp(-np.abs(x))  # at most 1, so nothing overflows
        return np.where(x >= 0, 1.0, small) / (1.0 + small)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return out * self(-xs[0])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (x,) = xs
        one = e.constant(1, x)
        small = e.call("exp", e.call("negative", e.call("absolute", x)))
        right = e.call("greater_equal", x, e.constant(0, x))
        return e.call("divide", e.select(right, one, small), e.call("add", one, small))


@primitive
class LogAddExp(Smooth):
    """log(e^a + e^b) without overflow.  d = w da + (1 - w) db, the weight w = logistic(a - b).

    The weight is computed from the difference of the operands, not from the rounded result.  Two
    equal infinities share equally, which is the limit along a = b.
    """

    ufunc = np.logaddexp
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return logistic(lead(xs[i], xs[1 - i]))


@primitive
class LogAddExp2(Smooth):
    """log2(2^a + 2^b) without overflow.  d = w da + (1 - w) db, w = logistic((a - b) log 2).

    Two equal infinities share equally.
    """

    ufunc = np.logaddexp2
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return logistic(lead(xs[i], xs[1 - i]) * LOG_2)


def lead(a: Value, b: Value) -> Value:
    """How far `a` lies above `b`; 0 for two equal infinities."""
    level = (a == b) & np.isinf(a)
    return np.where(level, 0, a) - np.where(level, 0, b)


logistic = Logistic()
logaddexp = face(LogAddExp(), np.logaddexp)
logaddexp2 = face(LogAddExp2(), np.logaddexp2)
