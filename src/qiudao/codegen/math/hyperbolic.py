"""Hyperbolic functions and their inverses.

All come from E = e^|x| - 1 and from log(1 + t), kept as pairs so that each quotient and sum is
rounded once:

    sinh x = (E + E / (E + 1)) / 2        arsinh x = log(1 + x + x^2 / (1 + sqrt(1 + x^2)))
    cosh x = (e^x + e^-x) / 2             arcosh x = log(1 + t + sqrt(t (2 + t))),  t = x - 1
    tanh x = E / (E + 2),  E of 2|x|      artanh x = log(1 + 2 x / (1 - x)) / 2
"""

from __future__ import annotations

import math

from .exponentials import (
    clamp,
    exp,
    exponential_minus_one,
    minus_one,
    near_exponential_minus_one,
    reduce,
)
from .exponents import enlarge
from .lane import Lane
from .logarithms import log_one_plus
from .pairs import Pair, divide, quick_sum, two_sum

TINY = {"double": 2.0**-28, "float": 2.0**-13}  # below, sinh x and tanh x round to x
STEEP = {"double": 40.0, "float": 20.0}  # above, e^-x no longer counts beside e^x
LARGE = {"double": 2.0**60, "float": 2.0**30}  # above, 1 no longer counts beside x
SPARSE = {"double": 2.0**50, "float": 2.0**20}  # above, 2 is not far from the last place of x


def sinh(x: Lane) -> Lane:
    """(e^x - e^-x) / 2."""
    a = x.abs()
    half = exponential_minus_one(clamp(a), halvings=1)
    whole = two_sum(half.high + half.high, x.constant(1.0))
    other = divide(half, Pair(whole.high, whole.low + (half.low + half.low)))
    total = two_sum(half.high, other.high)
    both = total.high + (total.low + (half.low + other.low))
    result = (a > STEEP[x.type_]).choose(half.value(), both)
    return (a < TINY[x.type_]).choose(x, result.copysign(x))


def cosh(x: Lane) -> Lane:
    """(e^x + e^-x) / 2."""
    n, r = reduce(clamp(x.abs()))
    e = minus_one(r)
    one = quick_sum(1.0, e.high)
    half = enlarge(one.high + (one.low + e.low), n, 1)
    return half + 0.25 / half


def sech(x: Lane) -> Lane:
    """The reciprocal of cosh x, where that overflows too: 2 h / (1 + h^2), h = e^-|x|."""
    h = exp(-x.abs())
    return (h + h) / h.fma(h, 1.0)


def tanh(x: Lane) -> Lane:
    """The quotient of sinh x and cosh x."""
    a = x.abs().at_most(STEEP[x.type_])
    e = near_exponential_minus_one(a + a)
    near = e / (e + 2.0)
    some = e.at_most(SPARSE[x.type_])
    lost = some - ((some + 2.0) - 2.0)
    inverse = near.fma(-0.5, 0.5)  # 1 / (E + 2) again, near enough
    return (near * -lost).fma(inverse, near).copysign(x)


def octave(large: Lane, x: Lane) -> Lane:
    """1 where x is large, for the log 2 in log(2 x)."""
    return large.choose(x.constant(1.0), 0.0)


def arcsinh(x: Lane) -> Lane:
    """The inverse of sinh."""
    a = x.abs()
    large = a > LARGE[x.type_]
    square = a * a
    total = quick_sum(a, square / (1.0 + (1.0 + square).sqrt()))
    argument = Pair(large.choose(a, total.high), large.choose(a.constant(0.0), total.low))
    return log_one_plus(argument, octave(large, a)).copysign(x)


def arccosh(x: Lane) -> Lane:
    """The inverse of cosh."""
    large = x > LARGE[x.type_]
    t = x - 1.0
    total = two_sum(t, t.fma(t, t + t).sqrt())
    argument = Pair(large.choose(x, total.high), large.choose(x.constant(0.0), total.low))
    return (x < 1.0).choose(x.constant(math.nan), log_one_plus(argument, octave(large, x)))


def arctanh(x: Lane) -> Lane:
    """The inverse of tanh."""
    a = x.abs()
    below = two_sum(x.constant(1.0), -a)
    return (log_one_plus(divide(Pair(a + a, x.constant(0.0)), below)) * 0.5).copysign(x)
