"""Hyperbolic and circular functions of complex numbers.

    sinh(x + iy) = sinh x cos y + i cosh x sin y
    cosh(x + iy) = cosh x cos y + i sinh x sin y
    tanh(x + iy) = (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y)

The quotient has no part that cancels, near its poles neither.  A large x is a part that is `STEEP`
and a rest d, by which sinh and cosh have e^d times the size: a product with a small sine may be
finite where they are not.  Circular functions are the hyperbolic ones of i times the conjugate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from . import hyperbolic, trigonometric
from .complexes import Complex, growth, is_finite, is_infinite
from .lane import Lane

STEEP = {"double": 40.0, "float": 20.0}  # from here on sinh x is half of e^x


class Factors(NamedTuple):
    """The real functions of both parts; those of x for an x that is at most `STEEP`."""

    sinh: Lane
    cosh: Lane
    sin: Lane
    cos: Lane
    rest: Lane  # by how much |x| is larger


def factors(z: Complex) -> Factors:
    """What the functions are made of."""
    a = z.re.abs()
    near = a.at_most(STEEP[a.type_])
    x = near.copysign(z.re)
    return Factors(
        hyperbolic.sinh(x),
        hyperbolic.cosh(x),
        trigonometric.sin(z.im),
        trigonometric.cos(z.im),
        a - near,
    )


def sinh(z: Complex) -> Complex:
    """Hyperbolic sine."""
    f, (x, y) = factors(z), z
    e, whirls = growth(f.rest), ~is_finite(y)
    re = (whirls & x.equals(0.0)).choose(x, e.times(f.sinh * f.cos))
    re = (whirls & is_infinite(x)).choose(x.abs(), re)
    return Complex(re, y.equals(0.0).choose(y, e.times(f.cosh * f.sin)))


def cosh(z: Complex) -> Complex:
    """Hyperbolic cosine."""
    f, (x, y) = factors(z), z
    e, whirls = growth(f.rest), ~is_finite(y)
    re = (whirls & is_infinite(x)).choose(x.abs(), e.times(f.cosh * f.cos))
    im = (whirls & x.equals(0.0)).choose(x.abs(), e.times(f.sinh * f.sin))
    return Complex(re, (x.is_nan() & y.equals(0.0)).choose(y, im))


def tanh(z: Complex) -> Complex:
    """Hyperbolic tangent."""
    f, (x, y) = factors(z), z
    below = f.sinh.fma(f.sinh, f.cos * f.cos)
    endless, whirls = is_infinite(x), ~is_finite(y)
    re = (x.abs() > STEEP[x.type_]).choose(x.constant(1.0).copysign(x), f.sinh * f.cosh / below)
    re = whirls.choose(endless.choose(re, x.equals(0.0).choose(x, math.nan)), re)
    im = growth(f.rest * -2.0).times(f.sin * f.cos / below)
    im = (whirls & endless).choose(x.constant(0.0).copysign(y), im)
    return Complex(re, y.equals(0.0).choose(y, im))


def sech(z: Complex) -> Complex:
    """1 / cosh z = (cosh x cos y - i sinh x sin y) / (sinh^2 x + cos^2 y)."""
    f = factors(z)
    e = growth(-f.rest)
    below = f.sinh.fma(f.sinh, f.cos * f.cos)
    return Complex(e.times(f.cosh * f.cos / below), -e.times(f.sinh * f.sin / below))


def sin(z: Complex) -> Complex:
    """Sine, of radians."""
    return sinh(z.swapped()).swapped()


def cos(z: Complex) -> Complex:
    """Cosine, of radians."""
    return cosh(Complex(-z.im, z.re))


def tan(z: Complex) -> Complex:
    """Tangent, of radians."""
    return tanh(z.swapped()).swapped()
