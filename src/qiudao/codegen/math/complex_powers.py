"""Powers of complex numbers.

    a^b = e^(b log a),   log a = log |a| + i arg a

An error of the exponent is an absolute one, so the logarithm and its product with b are pairs.
"""

from __future__ import annotations

import math

from .complexes import Complex, at_ends, growth, is_finite, modulus, nearby, turned
from .exponentials import LOG_2
from .exponents import inverse_power_of_two, split
from .inverse import unsigned_angle
from .lane import Lane
from .logarithms import ROOT
from .pairs import Pair, constant, divide, quick_sum, two_product, two_sum
from .powers import artanh_series
from .trigonometric import circle


def power(a: Complex, b: Complex) -> Complex:
    """a^b; for b = 0 it is 1, and for a = 0 it is 0 or, as in NumPy, NaN."""
    size, angle = log_size(a), log_angle(a)
    t = difference(product(b.re, size), product(b.im, angle))
    u = difference(product(b.re, angle), product(-b.im, size))
    s, c = nearby(circle(u.high), u.low)
    point = s.fma(t.low, s), c.fma(t.low, c)
    return exceptions(a, b, turned(growth(t.high), t.high, u.high, point))


def exceptions(a: Complex, b: Complex, power: Complex) -> Complex:
    """The power, given what it is for a and b other than 0."""
    zero, nan = a.re.constant(0.0), math.nan
    nothing = a.re.equals(0.0) & a.im.equals(0.0)
    limit = (b.re > 0.0).choose(zero, nan)
    one = b.re.equals(0.0) & b.im.equals(0.0)
    re = one.choose(a.re.constant(1.0), nothing.choose(limit, power.re))
    return Complex(re, one.choose(zero, nothing.choose(limit, power.im)))


def log_size(a: Complex) -> Pair:
    """Log |a| as a pair: half of 2 artanh(f / (2 + f)) + k log 2 of the squares."""
    zero = a.re.constant(0.0)
    excess, octaves = modulus(Pair(a.re, zero), a.im)
    one = two_sum(zero.constant(1.0), excess.high)
    k, m = split(one.high, ROOT)
    lost = two_sum(one.low, excess.low)
    scale = inverse_power_of_two(k)
    f = two_sum(m - 1.0, lost.high * scale)
    log = natural(k + octaves, Pair(f.high, f.low + lost.low * scale)).times(0.5)
    high = at_ends(log.high, a.re, a.im)
    return Pair(high, is_finite(high).choose(log.low, 0.0))


def natural(k: Lane, f: Pair) -> Pair:
    """K log 2 + log(1 + f) as a pair."""
    below = quick_sum(2.0, f.high)
    s = divide(f, Pair(below.high, below.low + f.low))
    s = quick_sum(s.high, s.low)
    series, tail = artanh_series(s, k)
    twice = s.times(2.0)
    curve = two_product(twice.high, series.high)
    rest = twice.high.fma(tail, twice.low.fma(series.high, curve.low) + twice.low)
    octave = constant(k, *LOG_2)
    whole = two_product(k, octave.high)
    total = quick_sum(whole.high, twice.high)
    more = quick_sum(total.high, curve.high)
    low = k.fma(octave.low, whole.low) + (total.low + more.low) + rest
    return quick_sum(more.high, low)


def log_angle(a: Complex) -> Pair:
    """The angle as a pair."""
    high, low = unsigned_angle(a.im, a.re)
    angle = quick_sum(high, low)
    left = a.im.is_negative()
    return Pair(angle.high.flip(left), angle.low.flip(left))


def product(x: Lane, y: Pair) -> Pair:
    """The product of a number and a pair, whose low part counts only where it is finite."""
    whole = two_product(x, y.high)
    return Pair(whole.high, is_finite(whole.high).choose(x.fma(y.low, whole.low), 0.0))


def difference(x: Pair, y: Pair) -> Pair:
    """The difference of pairs."""
    total = two_sum(x.high, -y.high)
    low = total.low + (x.low - y.low)
    return Pair(total.high, is_finite(total.high).choose(low, 0.0))
