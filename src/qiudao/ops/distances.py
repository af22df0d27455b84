"""Sizes and directions: absolute values, signs, hypotenuses and angles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Aval, Value
from ..core.dispatch import Tracer, implements
from ..core.families import Elementwise, Smooth
from ..core.primitive import primitive
from ..core.roots import remember, squared_size
from ..core.samples import sample
from .faces import array, face, meets
from .rounding import Step

TWO = (
    sample("f64[3,4]", "f64[3,4]", within=(0.3, 2.0)),
    sample("f64[4]", "f64[3,1]", within=(-2.0, -0.3)),
)


@primitive
class Absolute(Smooth):
    """`|x|`.  d = sign(x) dx, 0 at the kink; for complex z, d = Re(conj(z / |z|) dz), 0 at 0."""

    is_tame = True
    ufunc = np.absolute
    samples = (
        sample("f64[3,4]", within=(0.2, 2.0)),
        sample("f64[]", within=(-2.0, -0.2)),
        sample("c128[3]", within=(0.2, 2.0)),
    )

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return np.zeros((), avals[0].dtype).real.dtype

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.conj(sign(xs[0])) if xs[0].dtype.kind == "c" else np.sign(xs[0])


@primitive
class FAbs(Smooth):
    """`|x|` of real numbers.  d = sign(x) dx, 0 at the kink."""

    is_tame = True
    ufunc = np.fabs
    samples = (sample("f64[3,4]", within=(0.2, 2.0)), sample("f64[3]", within=(-2.0, -0.2)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.sign(xs[0])


@primitive
class ComplexSign(Elementwise):
    """`z / |z|` of complex numbers, 0 at 0.  d = i out Im(conj(out) dz) / |z|, 0 at 0.

    Only the part of dz across the direction turns it.
    """

    ufunc = np.sign
    keeps_out = True
    samples = (sample("c128[3,4]", within=(0.2, 2.0)), sample("c128[]", within=(-2.0, -0.2)))

    def tangent(self, i: int, dx: Value, out: Value, *xs: Value) -> Value:
        return 1j * out * over(np.imag(np.conj(out) * dx), np.abs(xs[0]))


@primitive
class Hypot(Smooth):
    """sqrt(a^2 + b^2) without overflow.  d = (a da + b db) / out, 0 at the origin."""

    ufunc = np.hypot
    reads = "both"
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if isinstance(out, Tracer) and not out.is_series:  # whose slopes are terms of `out` itself
            return direction_cosine(xs[i], xs[1 - i])
        return over(xs[i], out)


@primitive
class DirectionCosine(Smooth):
    """a / sqrt(a^2 + b^2), 0 at the origin.  d = s (s da - out db) / sqrt(a^2 + b^2).

    s is the same of (b, a).  The quotient itself would lose the digits of its derivative,
    (1 - out^2) / sqrt(a^2 + b^2), where a is large beside b.
    """

    reads = "both"
    samples = TWO

    def evaluate(self, *xs: Value) -> Value:
        radius = np.hypot(*xs)
        return xs[0] / np.where(radius == 0, 1, radius)

    def expand(self, *xs: Value) -> Any:
        return self.evaluate(*xs)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, b = xs
        across = self(b, a)
        return over(across * (across if i == 0 else -out), np.hypot(a, b))


@primitive
class ArcTan2(Smooth):
    """The angle of the point (x, y), for operands (y, x).  d = (x dy - y dx) / (x^2 + y^2).

    The squares are never formed, so nothing overflows.  At the origin, where no angle exists, the
    slopes are 0 by convention.
    """

    ufunc = np.arctan2
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        y, x = (z if z.dtype.kind == "f" else z.astype(np.float64) for z in map(array, xs))
        radius = np.hypot(x, y)
        return over(over(x if i == 0 else -y, radius), radius)


def over(a: Value, b: Value) -> Value:
    """`a / b`, and 0 where b is 0."""
    hole = b == 0
    return np.where(hole, 0, a) / np.where(hole, 1, b)


fabs = face(FAbs(), np.fabs)
hypot = face(Hypot(), np.hypot)
arctan2 = face(ArcTan2(), np.arctan2)

direction_cosine = DirectionCosine()
_absolute, _complex_sign, _real_sign = Absolute(), ComplexSign(), Step("sign")


@meets(np.absolute)
def absolute(x: Value) -> Value:
    """`|x|`, which remembers that its square is x^2."""
    return remember(_absolute(x), x, squared_size)


@meets(np.sign)
def sign(x: Any) -> Value:
    """-1, 0 or 1 for real numbers, a constant; `x / |x|` for complex ones."""
    return (_complex_sign if np.result_type(x).kind == "c" else _real_sign)(x)


@implements(np.angle)
def angle(z: Any, deg: Any = False) -> Value:
    """The angle of a complex number, in radians unless `deg`; 0 at 0, with slope 0 there."""
    x = array(z)
    a = np.arctan2(np.imag(x), np.real(x)) if x.dtype.kind == "c" else np.arctan2(0, x)
    return a * (180 / np.pi) if deg else a
