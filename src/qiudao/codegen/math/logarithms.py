"""Logarithms.

    x = 2^k m,   log x = k log 2 + log(1 + f),   f = m - 1,   1/sqrt(2) <= m < sqrt(2)
    log(1 + f) = 2 artanh s = f - f^2/2 + s (f^2/2 + s^2 l(s^2)),   s = f / (2 + f)

The second form keeps f, which is exact, as the leading term.

Polynomials: minimax (Remez) of (2 artanh(s)/s - 2) / s^2 in s^2, weighted by s^2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .exponentials import LOG2_E, LOG_2, exp, exp2
from .exponents import inverse_power_of_two, split
from .lane import Lane, polynomial
from .pairs import Pair, constant, quick_sum, two_product, two_sum

LOG2_E_PAIR = (LOG2_E, 2.0355273740931033e-17)
LOG10_E_PAIR = (0.4342944819032518, 1.098319650216765e-17)
LOG10_2_PAIR = (0.3010299956639812, -2.8037281277851704e-18)
ROOT = math.sqrt(0.5)  # where the mantissas begin

TAIL = {
    "double": (
        0.6666666666666731, 0.39999999999436253, 0.2857142873833958, 0.22222198937458604,
        0.18183547314457735, 0.15314448212567963, 0.14792270452800388,
    ),
    "float": (0.66666776, 0.39977646, 0.29869404),
}  # fmt: skip


def curve(f: Lane) -> tuple[Lane, Lane]:
    """f^2/2 and c, with log(1 + f) = f - (f^2/2 - c)."""
    s = f / (2.0 + f)
    z = s * s
    half_square = f * f * 0.5
    return half_square, s * z.fma(polynomial(z, TAIL[f.type_]), half_square)


def ends(result: Lane, x: Lane) -> Lane:
    """The logarithm of x, given `result` for positive finite x."""
    below = x.equals(0.0).choose(x.constant(-math.inf), math.nan)
    return (x < math.inf).choose((x > 0.0).choose(result, below), x)


def natural(k: Lane, f: Pair) -> Lane:
    """The sum k log 2 + log(1 + f), in an order that rounds small terms first."""
    high, low = constant(f.high, *LOG_2)
    half_square, c = curve(f.high)
    small = f.high - (half_square - (k.fma(low, c) + f.low))
    return k.fma(high, small)


def log(x: Lane) -> Lane:
    """The natural logarithm."""
    k, m = split(x, ROOT)
    high, low = constant(x, *LOG_2)
    f = m - 1.0
    half_square, c = curve(f)
    return ends(k.fma(high, f - (half_square - k.fma(low, c))), x)


def log_in_base(x: Lane, octave: Pair, unit: Pair) -> Lane:
    """The logarithm in the base where that of 2 is `octave` and that of e is `unit`."""
    k, m = split(x, ROOT)
    f = m - 1.0
    half_square, c = curve(f)
    high = f - half_square
    low = (f - high - half_square) + c
    whole, part = two_product(k, octave.high), two_product(high, unit.high)
    total = quick_sum(whole.high, part.high)
    rest = low.fma(unit.high, high.fma(unit.low, part.low)) + k.fma(octave.low, whole.low)
    return ends(total.high + (total.low + rest), x)


def log2(x: Lane) -> Lane:
    """The logarithm to base 2."""
    one = Pair(x.constant(1.0), x.constant(0.0))
    return log_in_base(x, one, constant(x, *LOG2_E_PAIR))


def log10(x: Lane) -> Lane:
    """The logarithm to base 10."""
    return log_in_base(x, constant(x, *LOG10_2_PAIR), constant(x, *LOG10_E_PAIR))


def log_one_plus(x: Pair, octaves: Lane | float = 0.0) -> Lane:
    """log(1 + x) + `octaves` log 2, of a pair.

    1 + x = u + c exactly; log(u + c) has f = (m - 1) + 2^-k c.
    """
    u = two_sum(x.high.constant(1.0), x.high)
    k, m = split(u.high, ROOT)
    f = quick_sum(m - 1.0, (u.low + x.low) * inverse_power_of_two(k))
    return ends(natural(k + octaves, f), u.high)


def log1p(x: Lane) -> Lane:
    """log(1 + x) without cancellation."""
    return x.equals(0.0).choose(x, log_one_plus(Pair(x, x.constant(0.0))))


class Spread(NamedTuple):
    """Two numbers: the larger, and how far the smaller lies below, as a pair."""

    larger: Lane
    distance: Lane
    lost: Lane


def spread(a: Lane, b: Lane) -> Spread:
    """The distance of two numbers; 0 between equal infinities."""
    larger, smaller = (a > b).choose(a, b), (a > b).choose(b, a)
    gap = two_sum(larger, -smaller)
    distance = a.equals(b).choose(a.constant(0.0), gap.high)
    return Spread(larger, distance, (gap.high < math.inf).choose(gap.low, 0.0))


def logaddexp(a: Lane, b: Lane) -> Lane:
    """log(e^a + e^b) = max + log(1 + e^-d),   d = |a - b|."""
    larger, distance, lost = spread(a, b)
    e = exp(-distance)
    return larger + log1p((-e).fma(lost, e))


def logaddexp2(a: Lane, b: Lane) -> Lane:
    """log2(2^a + 2^b) = max + log2(1 + 2^-d),   d = |a - b|."""
    larger, distance, lost = spread(a, b)
    e = exp2(-distance)
    return larger + log1p((-e).fma(lost * LOG_2[0], e)) * LOG2_E
