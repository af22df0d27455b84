"""Powers and roots.

    x^y = 2^(y log2 x)

An error in the exponent is an absolute one, so log2 x is a pair that is good to about 68 bits:

    log2 x = k + (2/log 2) s (1 + s^2/3 + s^4 t(s^2)),   s = (m - 1) / (m + 1)

with s, s^2/3 and the products as pairs, and only t in single words.

Polynomials: minimax (Remez) of (artanh(s)/s - 1 - s^2/3) / s^4 in s^2, weighted by s^4; and of
m^(-1/3) on [1, 2], relative.
"""

from __future__ import annotations

import math

from .exponentials import LOG_2, minus_one
from .exponents import power_of_two, rounded_product, scale, split
from .lane import Lane, polynomial
from .logarithms import ROOT
from .pairs import Pair, constant, divide, quick_sum, two_product

THIRD = (1.0 / 3.0, 1.850371707708594e-17)
TWICE_LOG2_E = (2.0 / math.log(2.0), 4.0710547481862066e-17)

TAIL = {
    "double": (
        0.1999999999999999, 0.14285714285722473, 0.11111111108784617, 0.09090909433464953,
        0.07692278534806833, 0.06668155369074148, 0.0583746930231743, 0.059940591614631805,
    ),
    "float": (0.20000076, 0.14273567, 0.11709304),
}  # fmt: skip

INVERSE_CUBE_ROOT = {
    "double": (
        1.670004329847159, -1.1728725907501998, 0.6954738051842387, -0.22123348130833018,
        0.02859024479524346,
    ),
    "float": (1.5418123, -0.80979496, 0.31764278, -0.04991156),
}  # fmt: skip

# Bounds beyond which squares overflow or lose digits, with factors that bring operands inside.
LARGE = {"double": (2.0**500, 2.0**-600), "float": (2.0**60, 2.0**-75)}
SMALL = {"double": (2.0**-450, 2.0**600), "float": (2.0**-45, 2.0**100)}


def artanh_series(s: Pair, like: Lane) -> tuple[Pair, Lane]:
    """artanh(s)/s - 1 = s^2/3 + s^4 t(s^2) as its first product, and what that lacks."""
    square = two_product(s.high, s.high)
    third = constant(like, *THIRD)
    series = two_product(square.high, third.high)
    z = square.high
    tail = (z * z).fma(polynomial(z, TAIL[like.type_]), z.fma(third.low, series.low))
    tail = (s.high.fma(s.low + s.low, square.low)).fma(third.high, tail)
    return series, tail


def precise_log2(x: Lane) -> Pair:
    """log2 of a positive finite x, as a pair."""
    k, m = split(x, ROOT)
    s = divide(Pair(m - 1.0, m.constant(0.0)), quick_sum(1.0, m))
    series, tail = artanh_series(s, x)
    unit = constant(x, *TWICE_LOG2_E)
    lead = two_product(s.high, unit.high)
    rest = s.low.fma(unit.high, s.high.fma(unit.low, lead.low))
    curve = two_product(lead.high, series.high)
    total = quick_sum(k, lead.high)
    more = quick_sum(total.high, curve.high)
    low = lead.high.fma(tail, rest.fma(series.high, curve.low) + rest)
    return quick_sum(more.high, (total.low + more.low) + low)


def two_to(e: Pair) -> Lane:
    """2^e of a pair whose high part may be infinite."""
    bias = e.high.format.bias
    high = e.high.at_most(bias + 2.0).at_least(-bias - e.high.format.mantissa - 2.0)
    low = high.equals(e.high).choose(e.low, 0.0)
    n = rounded_product(high, 1.0)
    unit, small = constant(high, *LOG_2)
    r = high - n.real
    product = two_product(r, unit)
    rest = low.fma(unit, r.fma(small, product.low))
    return scale(1.0 + minus_one(quick_sum(product.high, rest)).high, n)


def positive_power(x: Lane, y: Lane) -> Lane:
    """x^y for x > 0 or infinite, and its limit for x = 0."""
    log = precise_log2(x)
    high = x.equals(0.0).choose(x.constant(-math.inf), (x < math.inf).choose(log.high, x))
    exponent = two_product(y, high)
    power = two_to(Pair(exponent.high, y.fma(log.low, exponent.low)))
    return x.equals(1.0).choose(x.constant(1.0), power)


def power(x: Lane, y: Lane) -> Lane:
    """x^y, with the limits and special values of C."""
    whole = y.floor().equals(y)
    half = y * 0.5
    odd = whole & ~half.floor().equals(half)
    result = positive_power(x.abs(), y)
    result = result.flip(odd & x.is_negative())
    undefined = (x < 0.0) & (x > -math.inf) & ~whole
    result = undefined.choose(x.constant(math.nan), result)
    return (y.equals(0.0) | x.equals(1.0)).choose(x.constant(1.0), result)


def cbrt(x: Lane) -> Lane:
    """The cube root.

    With x = 2^(3 j + i) m and M = 2^i m: g = M^(-1/3) by one third-order step from a polynomial,
    then y = M g^2 by one of Newton's, whose residual y^3 - M is exact.
    """
    a = x.abs()
    k, m = split(a, 1.0)
    j = rounded_product(k - 1.0, 1.0 / 3.0)
    i = k - 3.0 * j.real
    two, one = i.equals(2.0), i.equals(1.0)
    big = m * two.choose(x.constant(4.0), one.choose(x.constant(2.0), 1.0))
    step = two.choose(x.constant(2.0 ** (-2 / 3)), one.choose(x.constant(2.0 ** (-1 / 3)), 1.0))
    g = polynomial(m, INVERSE_CUBE_ROOT[x.type_]) * step
    h = (-big * g).fma(g * g, 1.0)
    g = (g * h).fma(h.fma(2.0 / 9.0, 1.0 / 3.0), g)
    y = big * g * g
    square = two_product(y, y)
    residual = y.fma(square.high, -big) + y * square.low
    y = y - residual * (g * g * (1.0 / 3.0))
    root = (y * power_of_two(j.bits + x.format.bias)).copysign(x)
    return ((a > 0.0) & (a < math.inf)).choose(root, x)


def hypot(x: Lane, y: Lane) -> Lane:
    """The length sqrt(x^2 + y^2), without overflow on the way."""
    a, b = x.abs(), y.abs()
    swap = a < b
    long, short = swap.choose(b, a), swap.choose(a, b)
    (top, down), (bottom, up) = LARGE[x.type_], SMALL[x.type_]
    large, small = long > top, long < bottom
    factor = large.choose(x.constant(down), small.choose(x.constant(up), 1.0))
    back = large.choose(x.constant(1.0 / down), small.choose(x.constant(1.0 / up), 1.0))
    p, q = long * factor, short * factor
    length = p.fma(p, q * q).sqrt() * back
    infinite = a.equals(math.inf) | b.equals(math.inf)
    return infinite.choose(x.constant(math.inf), length)
