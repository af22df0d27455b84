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
    """1 / (1 + e^-x).  d = e^-x / (1 + e^-x)^2 dx, which is out (1 - out)."""

    is_tame = True
    samples = (sample("f64[3,4]", within=(-5.0, 5.0)), sample("f64[]"))

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        small = np.exp(-np.abs(x))  # at most 1, so nothing overflows
        return np.where(x >= 0, 1.0, small) / (1.0 + small)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return logistic_density(xs[0])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (x,) = xs
        one = e.constant(1, x)
        small = e.call("exp", e.call("negative", e.call("absolute", x)))
        right = e.call("greater_equal", x, e.constant(0, x))
        return e.call("divide", e.select(right, one, small), e.call("add", one, small))


@primitive
class LogisticDensity(Smooth):
    """e^-x / (1 + e^-x)^2, the density of the logistic distribution.  d = -out tanh(x / 2) dx.

    out (1 - out) of the distribution function would lose the digits of its derivative near 0.
    """

    is_tame = True
    reads = "both"
    samples = (sample("f64[3,4]", within=(-5.0, 5.0)), sample("f64[]"))

    def evaluate(self, *xs: Value) -> Value:
        small = np.exp(-np.abs(xs[0]))  # at most 1, so nothing overflows
        below = 1.0 + small
        return small / (below * below)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -out * np.tanh(0.5 * xs[0])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (x,) = xs
        small = e.call("exp", e.call("negative", e.call("absolute", x)))
        below = e.call("add", e.constant(1, x), small)
        return e.call("divide", small, e.call("multiply", below, below))


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


logistic, logistic_density = Logistic(), LogisticDensity()
logaddexp = face(LogAddExp(), np.logaddexp)
logaddexp2 = face(LogAddExp2(), np.logaddexp2)
