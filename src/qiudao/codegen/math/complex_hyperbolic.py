"""Hyperbolic and circular functions of complex numbers.

    sinh(x + iy) = sinh x cos y + i cosh x sin y
    cosh(x + iy) = cosh x cos y + i sinh x sin y
    tanh(x + iy) = (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y)

The quotient has no part that cancels, near its poles neither.  For x >= 0, e^x = 2^n (1 + e) and
q = 2^-2n,

    sinh x = 2^(n-1) S,   S = (1 - q) + e + q e / (1 + e)
    cosh x = 2^(n-1) C,   C = (1 + q) + e - q e / (1 + e)

S and C are near 1, or small with x, so that their products with a sine are finite wherever the
result is, and of their quotients the powers cancel.  Circular functions are the hyperbolic ones of
i times the conjugate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .complexes import RANGE, Complex, is_finite, is_infinite, raised
from .exponentials import minus_one, reduce
from .exponents import whole_power_of_two
from .lane import Lane
from .pairs import Pair, divide, quick_sum, two_sum
from .trigonometric import circle


class Factors(NamedTuple):
    """What the functions are made of: S with the sign of x, C, sin y, cos y, n and 2^-n."""

    sinh: Lane
    cosh: Lane
    sin: Lane
    cos: Lane
    n: Lane
    shrink: Lane  # 2^-n, as far as numbers go


def factors(z: Complex) -> Factors:
    """Those of a number."""
    whole, r = reduce(z.re.abs().at_most(RANGE[z.re.type_]))
    n, bias = whole.real, z.re.format.bias
    shrink = whole_power_of_two(-n.at_most(bias - 1.0))
    q, e = shrink * shrink, minus_one(r)
    one = quick_sum(1.0, e.high)
    other = divide(e, Pair(one.high, one.low + e.low)).times(q)
    less, more = gathered(1.0 - q, e, other), gathered(1.0 + q, e, other.times(-1.0))
    return Factors(less.copysign(z.re), more, *circle(z.im), n, shrink)


def gathered(one: Lane, e: Pair, other: Pair) -> Lane:
    """The sum of three, rounded once."""
    first = two_sum(one, e.high)
    second = two_sum(first.high, other.high)
    return second.high + (second.low + (first.low + (e.low + other.low)))


def sinh(z: Complex) -> Complex:
    """Hyperbolic sine."""
    f, (x, y) = factors(z), z
    power, whirls = raised(f.n - 1.0), ~is_finite(y)
    re = (whirls & x.equals(0.0)).choose(x, power.times(f.sinh * f.cos))
    re = (whirls & is_infinite(x)).choose(x.abs(), re)
    return Complex(re, y.equals(0.0).choose(y, power.times(f.cosh * f.sin)))


def cosh(z: Complex) -> Complex:
    """Hyperbolic cosine."""
    f, (x, y) = factors(z), z
    power, whirls = raised(f.n - 1.0), ~is_finite(y)
    re = (whirls & is_infinite(x)).choose(x.abs(), power.times(f.cosh * f.cos))
    im = (whirls & x.equals(0.0)).choose(x.abs(), power.times(f.sinh * f.sin))
    return Complex(re, (x.is_nan() & y.equals(0.0)).choose(y, im))


def tanh(z: Complex) -> Complex:
    """Hyperbolic tangent."""
    f, (x, y) = factors(z), z
    below = divisor(f)
    endless, whirls = is_infinite(x), ~is_finite(y)
    re = f.sinh * f.cosh / below
    limit = endless.choose(x.constant(1.0).copysign(x), x.equals(0.0).choose(x, math.nan))
    im = f.sin * f.cos * 4.0 / below * f.shrink * f.shrink
    im = (whirls & endless).choose(x.constant(0.0).copysign(y), im)
    return Complex(whirls.choose(limit, re), y.equals(0.0).choose(y, im))


def divisor(f: Factors) -> Lane:
    """sinh^2 x + cos^2 y, divided by 2^(2 n - 2)."""
    c = f.cos * (f.shrink * 2.0)
    return f.sinh.fma(f.sinh, c * c)


def sech(z: Complex) -> Complex:
    """1 / cosh z = (cosh x cos y - i sinh x sin y) / (sinh^2 x + cos^2 y)."""
    f = factors(z)
    power, below = raised(1.0 - f.n), divisor(f)
    return Complex(power.times(f.cosh * f.cos / below), -power.times(f.sinh * f.sin / below))


def sin(z: Complex) -> Complex:
    """Sine, of radians."""
    return sinh(z.swapped()).swapped()


def cos(z: Complex) -> Complex:
    """Cosine, of radians."""
    return cosh(Complex(-z.im, z.re))


def tan(z: Complex) -> Complex:
    """Tangent, of radians."""
    return tanh(z.swapped()).swapped()
