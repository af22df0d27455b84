"""Exponentials.

    e^x = 2^n e^r,   n = round(x / log 2),   |r| <= log(2) / 2,   e^r = 1 + r + r^2 q(r)

Polynomials: minimax (Remez) of (e^r - 1 - r) / r^2 on that interval, weighted so that e^r - 1
keeps its relative accuracy.
"""

from __future__ import annotations

import math

from .exponents import (
    Rounded,
    enlarge,
    factors,
    inverse_power_of_two,
    power_of_two,
    rounded_product,
    scale,
)
from .lane import Lane, in_pairs
from .pairs import Pair, constant, quick_sum, two_product, two_sum

LOG_2 = (math.log(2.0), 2.3190468138462996e-17)  # in two words
LOG2_E = 1.0 / math.log(2.0)

TAIL = {
    "double": (
        0.5000000000000006, 0.16666666666666696, 0.041666666666572705, 0.008333333333305638,
        0.0013888888932794053, 0.0001984126992884845, 2.4801503853440383e-05,
        2.755719915889948e-06, 2.7626590468736204e-07, 2.5125386694786133e-08,
    ),
    "float": (0.5, 0.16666542, 0.04166621, 0.008366734, 0.001395299),
}  # fmt: skip

# Where e^x is neither 0 nor infinite, nor are sinh x and cosh x; a little wider.
RANGE = {"double": (-746.0, 711.0), "float": (-104.0, 90.0)}
TINY = {"double": 2.0**-54, "float": 2.0**-25}  # below, e^x - 1 rounds to x


def reduce(x: Lane) -> tuple[Rounded, Pair]:
    """The n and r with x = n log 2 + r, where r = high + low."""
    n = rounded_product(x, LOG2_E)
    high, low = constant(x, *LOG_2)
    near = (-n.real).fma(high, x)
    r = (-n.real).fma(low, near)
    return n, Pair(r, (-n.real).fma(low, near - r))


def minus_one(r: Pair) -> Pair:
    """e^r - 1 for a small r, as a pair."""
    x = r.high
    curve = (x * x).fma(in_pairs(x, TAIL[x.type_]), r.low)
    return quick_sum(x, curve)


def rounded_minus_one(r: Lane) -> Lane:
    """e^r - 1 for a small r."""
    return (r * r).fma(in_pairs(r, TAIL[r.type_]), r)


def clamp(x: Lane) -> Lane:
    """The number, within the range where e^x is finite and not 0; NaN stays NaN."""
    low, high = RANGE[x.type_]
    return x.at_most(high).at_least(low)


def exp(x: Lane) -> Lane:
    """e^x."""
    n, (r, _) = reduce(clamp(x))
    first, second = factors(n)
    return rounded_minus_one(r).fma(first, first) * second


def exp2(x: Lane) -> Lane:
    """2^x = 2^n e^(log(2) (x - n))."""
    bias = x.format.bias
    x = x.at_most(bias + 2.0).at_least(-bias - x.format.mantissa - 2.0)
    n = rounded_product(x, 1.0)
    r = x - n.real
    high, low = constant(x, *LOG_2)
    product = two_product(r, high)
    return scale(1.0 + minus_one(Pair(product.high, r.fma(low, product.low))).high, n)


def exponential_minus_one(x: Lane, halvings: int = 0) -> Pair:
    """(e^x - 1) / 2^halvings as a pair, for a clamped x; each halving lets it overflow later.

    2^n ((1 - 2^-n) + (e^r - 1)): the parts are added before they are scaled.
    """
    n, r = reduce(x)
    e = minus_one(r)
    total = two_sum(1.0 - inverse_power_of_two(n.real), e.high)
    high, low = quick_sum(total.high, total.low + e.low)
    return Pair(enlarge(high, n, halvings), enlarge(low, n, halvings))


def near_exponential_minus_one(x: Lane, halvings: int = 0) -> Lane:
    """(e^x - 1) / 2^halvings as one number, for an x of which 2^(n - halvings) is a number.

    2^n (e^r - 1) + (2^n - 1): the last is exact up to where it no longer counts.
    """
    n, r = reduce(x)
    factor = power_of_two(n.bits + (x.format.bias - halvings))
    return factor.fma(minus_one(r).high, factor - 2.0**-halvings)


def expm1(x: Lane) -> Lane:
    """e^x - 1 without cancellation."""
    low = {"double": -40.0, "float": -20.0}[x.type_]
    clamped = x.at_most(RANGE[x.type_][1]).at_least(low)
    value = near_exponential_minus_one(clamped, halvings=4) * 16.0
    return (x.abs() < TINY[x.type_]).choose(x, value)
