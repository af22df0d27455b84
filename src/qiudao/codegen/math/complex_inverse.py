"""Inverse circular and hyperbolic functions of complex numbers.

    b = sqrt(1 - z),  a = sqrt(1 + z)
    arcsin z  = atan2(x, Re(b a))    + i arsinh Im(conj(b) a)
    arccos z  = 2 atan2(Re b, Re a)  + i arsinh Im(conj(a) b)
    artanh z  = log(1 + 4 x / |1 - z|^2) / 4 + i atan2(2 y, (1 - x) (1 + x) - y^2) / 2,  for x >= 0

These are Kahan's (Branch cuts for complex elementary functions, 1987).  The imaginary parts of a
and b have opposite signs, so that the parts of their products are sums of terms of one sign, and
1 - x is exact where it is small.  The signs of zeros pass through to the right side of each cut.
The others are these, of i times the conjugate or turned by a right angle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .complexes import HIGH, Complex, is_infinite, reduction, sqrt
from .hyperbolic import arcsinh as real_arcsinh
from .inverse import arctan2
from .lane import Lane
from .logarithms import log1p
from .powers import hypot

# Distances from a pole of artanh below which their squares underflow, and the exponent of a power
# of 2 that brings them up.
CLOSE = {"double": (2.0**-500, 300), "float": (2.0**-60, 30)}


class Roots(NamedTuple):
    """The roots of 1 - z and 1 + z."""

    below: Complex
    above: Complex
    x: Lane  # the real part of that z
    shift: Lane  # what arsinh of a product of roots lacks


def roots(z: Complex) -> Roots:
    """Those of z, or of a quarter where it is large; infinities are large, beside 0."""
    x, y = z
    far = x.constant(2.0 ** HIGH[x.type_])
    endless = is_infinite(x) | is_infinite(y)
    x, y = (
        endless.choose(is_infinite(part).choose(far, part * 0.0).copysign(part), part)
        for part in (x, y)
    )
    factor = reduction(x, y)
    x, y = x * factor, y * factor
    shift = (factor < 1.0).choose(far.constant(math.log(4.0)), 0.0)
    shift = endless.choose(far.constant(math.inf), shift)
    return Roots(sqrt(Complex(1.0 - x, -y)), sqrt(Complex(1.0 + x, y)), x, shift)


def size(t: Lane, shift: Lane, sign: Lane) -> Lane:
    """Arsinh t + `shift`, with a sign."""
    endless = shift.equals(math.inf)
    return endless.choose(shift, real_arcsinh(t.abs()) + shift).copysign(sign)


def arcsin(z: Complex) -> Complex:
    """The inverse of sine."""
    b, a, x, shift = roots(z)
    re = arctan2(x, b.re * a.re - b.im * a.im)
    vague = z.re.equals(0.0) & z.im.is_nan()
    return Complex(vague.choose(z.re, re), size(b.re * a.im - b.im * a.re, shift, z.im))


def arccos(z: Complex) -> Complex:
    """The inverse of cosine."""
    b, a, _, shift = roots(z)
    re = 2.0 * arctan2(b.re, a.re)
    vague = z.re.equals(0.0) & z.im.is_nan()
    re = vague.choose(re.constant(math.pi / 2), re)
    return Complex(re, size(a.re * b.im - a.im * b.re, shift, -z.im))


def arcsinh(z: Complex) -> Complex:
    """The inverse of hyperbolic sine."""
    return arcsin(z.swapped()).swapped()


def arccosh(z: Complex) -> Complex:
    """The inverse of hyperbolic cosine: that of cosine, turned to the right."""
    angle, height = arccos(z)
    return Complex(height.abs(), z.im.is_nan().choose(angle, angle.copysign(z.im)))


def arctanh(z: Complex) -> Complex:
    """The inverse of hyperbolic tangent.  At a small distance d of a pole the real part is
    log(2 / d) / 2.
    """
    x, y = z
    a, limit = x.abs(), 2.0 ** HIGH[x.type_]
    gap = 1.0 - a
    factor = reduction(x, y)
    d = hypot(gap * factor, y * factor)
    bound, up = CLOSE[x.type_]
    close = d < bound
    part = log1p(close.choose(2.0 / (d * 2.0**up), a * factor / d * 4.0 / d * factor))
    re = part * close.choose(x.constant(0.5), 0.25)
    re = re + close.choose(x.constant(up / 2 * math.log(2.0)), 0.0)
    endless = is_infinite(x) | is_infinite(y)
    re = (endless | x.equals(0.0)).choose(x.constant(0.0), re).copysign(x)
    bounded = y.at_most(limit).at_least(-limit)
    im = arctan2(bounded + bounded, gap * (1.0 + a) - bounded * bounded) * 0.5
    return Complex(re, is_infinite(y).choose(y.constant(math.pi / 2).copysign(y), im))


def arctan(z: Complex) -> Complex:
    """The inverse of tangent."""
    return arctanh(z.swapped()).swapped()
