"""The smooth functions of one variable, element by element.

A slope is computed from the operand, or from a companion that keeps its digits, rather than from
a rounded result, so that tails and extreme scales stay accurate.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.dispatch import Tracer
from ..core.element import Element, Scalar
from ..core.families import Smooth
from ..core.primitive import primitive
from ..core.samples import sample
from .conics import UNIT, hyperbola, one_less_square, one_plus_square, semicircle
from .faces import face

LOG_2, LOG_10 = math.log(2.0), math.log(10.0)  # plain numbers, so that float32 stays float32

MANY = 2048  # elements, from which on the exponential in four passes is quicker than cosh in two

ANY = (sample("f64[3,4]"), sample("f64[]"), sample("c128[3]"))
POSITIVE = (sample("f64[3,4]", within=(0.2, 3.0)), sample("c128[3]", within=(0.2, 3.0)))


@primitive
class Exp(Smooth):
    """e^x.  d = out dx."""

    ufunc = np.exp
    reads = "out"
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return out


@primitive
class Exp2(Smooth):
    """2^x.  d = out log(2) dx."""

    ufunc = np.exp2
    reads = "out"
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return out * LOG_2


@primitive
class ExpM1(Smooth):
    """e^x - 1 without cancellation.  d = e^x dx."""

    ufunc = np.expm1
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.exp(xs[0])


@primitive
class Log(Smooth):
    """Natural logarithm.  d = dx / x."""

    ufunc = np.log
    samples = POSITIVE

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / xs[0]


@primitive
class Log2(Smooth):
    """Logarithm to base 2.  d = dx / (x log 2)."""

    ufunc = np.log2
    samples = POSITIVE

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / (xs[0] * LOG_2)


@primitive
class Log10(Smooth):
    """Logarithm to base 10.  d = dx / (x log 10)."""

    ufunc = np.log10
    samples = POSITIVE

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / (xs[0] * LOG_10)


@primitive
class Log1P(Smooth):
    """log(1 + x) without cancellation.  d = dx / (1 + x)."""

    ufunc = np.log1p
    samples = POSITIVE

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / (1.0 + xs[0])


@primitive
class Sqrt(Smooth):
    """Square root.  d = dx / (2 out); infinite at 0."""

    ufunc = np.sqrt
    reads = "out"
    samples = POSITIVE

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 0.5 / out


@primitive
class Cbrt(Smooth):
    """Cube root.  d = dx / (3 out^2); infinite at 0."""

    ufunc = np.cbrt
    reads = "out"
    samples = (sample("f64[3,4]", within=(0.2, 3.0)),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / (3.0 * out * out)


@primitive
class Sin(Smooth):
    """Sine, of radians.  d = cos(x) dx."""

    is_tame = True
    ufunc = np.sin
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.cos(xs[0])


@primitive
class Cos(Smooth):
    """Cosine, of radians.  d = -sin(x) dx."""

    is_tame = True
    ufunc = np.cos
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -np.sin(xs[0])


@primitive
class Tan(Smooth):
    """Tangent, of radians.  d = (1 + out^2) dx; of complex z, whose out nears i, sech(i z)^2."""

    ufunc = np.tan
    reads = "both"
    samples = (sample("f64[3,4]", within=(-1.2, 1.2)), sample("c128[3]", within=(-1.2, 1.2)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if out.dtype.kind == "c":
            secant = _sech(1j * xs[0])
            return secant * secant
        return 1.0 + out * out


@primitive
class ArcSin(Smooth):
    """Inverse sine, in radians.  d = dx / sqrt((1 - x)(1 + x)): exact near the ends."""

    ufunc = np.arcsin
    samples = UNIT

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / semicircle(xs[0])


@primitive
class ArcCos(Smooth):
    """Inverse cosine, in radians.  d = -dx / sqrt((1 - x)(1 + x))."""

    ufunc = np.arccos
    samples = UNIT

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -1.0 / semicircle(xs[0])


@primitive
class ArcTan(Smooth):
    """Inverse tangent, in radians.  d = dx / (1 + x^2)."""

    is_tame = True
    ufunc = np.arctan
    samples = (sample("f64[3,4]"), sample("c128[3]", within=(-0.8, 0.8)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / one_plus_square(xs[0])


@primitive
class Sinh(Smooth):
    """Hyperbolic sine.  d = cosh(x) dx."""

    ufunc = np.sinh
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.cosh(xs[0])


@primitive
class Cosh(Smooth):
    """Hyperbolic cosine.  d = sinh(x) dx."""

    ufunc = np.cosh
    samples = ANY

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.sinh(xs[0])


@primitive
class Tanh(Smooth):
    """Hyperbolic tangent.  d = sech(x)^2 dx: 1 - out^2 would lose all its digits in the tails."""

    is_tame = True
    ufunc = np.tanh
    samples = (sample("f64[3,4]"), sample("f64[]"), sample("c128[3]", within=(-0.8, 0.8)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        x = xs[0]
        sech = _sech(x) if isinstance(x, Tracer) else sech_of(x)
        return sech * sech


@primitive
class Sech(Smooth):
    """1 / cosh(x).  d = -out tanh(x) dx, bounded at every order; a quotient would give 0 inf."""

    is_tame = True
    reads = "both"
    samples = (sample("f64[3,4]"), sample("c128[3]", within=(-0.8, 0.8)))

    def evaluate(self, *xs: Value) -> Value:
        return sech_of(xs[0])

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -out * np.tanh(xs[0])

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.call("sech", xs[0])


def sech_of(x: Value) -> Value:
    """1 / cosh of plain values.  Only rules ask for it: they run with warnings off."""
    if not isinstance(x, np.ndarray) or x.size < MANY or x.dtype.kind != "f":
        return np.reciprocal(np.cosh(x))
    h = np.abs(x)
    np.exp(np.negative(h, out=h), out=h)
    below = h * h
    below += 1.0
    h += h
    return np.divide(h, below, out=h)  # 2 e^-|x| / (1 + e^-2|x|): quicker than cosh


@primitive
class ArcSinh(Smooth):
    """Inverse hyperbolic sine.  d = dx / sqrt(1 + x^2)."""

    is_tame = True
    ufunc = np.arcsinh
    samples = (sample("f64[3,4]"), sample("c128[3]", within=(-0.8, 0.8)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        x = xs[0]
        if x.dtype.kind == "c":
            return 1.0 / np.sqrt(one_plus_square(x))
        return 1.0 / np.hypot(1.0, x)


@primitive
class ArcCosh(Smooth):
    """Inverse hyperbolic cosine.  d = dx / sqrt((x - 1)(x + 1))."""

    ufunc = np.arccosh
    samples = (sample("f64[3,4]", within=(1.2, 3.0)), sample("c128[3]", within=(1.2, 3.0)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / hyperbola(xs[0])


@primitive
class ArcTanh(Smooth):
    """Inverse hyperbolic tangent.  d = dx / ((1 - x)(1 + x))."""

    ufunc = np.arctanh
    samples = UNIT

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 1.0 / one_less_square(xs[0])


@primitive
class Radians(Smooth):
    """Degrees to radians.  d = dx pi / 180."""

    is_tame = True
    ufunc = np.radians
    samples = (sample("f64[3,4]"),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.asarray(np.pi / 180.0, xs[0].dtype)


@primitive
class Degrees(Smooth):
    """Radians to degrees.  d = dx 180 / pi."""

    is_tame = True
    ufunc = np.degrees
    samples = (sample("f64[3,4]"),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.asarray(180.0 / np.pi, xs[0].dtype)


@primitive
class Sinc(Smooth):
    """The derivative of order `order` of sin(pi x) / (pi x), which is 1 at 0.

    No order has a hole at 0: the n-th is the integral over t in [0, 1] of
    (pi t)^n cos(pi x t + n pi/2), differentiated from sin(u)/u = integral of cos(u t).
    """

    is_tame = True
    order: int = 0
    ufunc = np.sinc
    samples = (
        sample("f64[3,4]", within=(-3.0, 3.0)),
        sample("f64[3]", within=(-1e-3, 1e-3)),
        sample("f64[5]", within=(7.0, 9.0)),
        sample("c128[3]"),
    )

    def evaluate(self, *xs: Value) -> Value:
        return np.sinc(xs[0]) if self.order == 0 else sinc_derivative(xs[0], self.order)

    def expand(self, *xs: Value) -> Any:
        if self.order:
            return NotImplemented
        (x,) = xs
        u = np.pi * np.where(x == 0, 1.0, x)
        return np.where(x == 0, 1.0, np.sin(u) / u).astype(self.shape(aval_of(x)).dtype)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return Sinc(self.order + 1)(xs[0])


def sinc_derivative(x: Any, n: int) -> Any:
    """The n-th derivative of sinc: the integral for |x| < 8, a recurrence beyond.

    f^(m) = (pi^(m-1) sin^(m)(pi x) - m f^(m-1)) / x is stable while pi |x| > n.
    """
    given = np.asarray(x)
    x = given.astype(np.result_type(given, np.float64))
    near = np.abs(x) < 8.0
    u = np.pi * np.where(near, x, 0.0)
    wave, sign = (np.cos, np.sin)[n % 2], (1.0, -1.0, -1.0, 1.0)[n % 4]
    total = np.zeros_like(u)
    for t, weight in unit_rule(40):
        total += weight * (np.pi * t) ** n * wave(u * t)
    far = np.where(near, 1.0, x)
    turn = np.pi * (far - 2.0 * np.rint(0.5 * np.real(far)))  # the same angle, to all its digits
    sine, cosine = np.sin(turn), np.cos(turn)
    value = sine / (np.pi * far)
    for m in range(1, n + 1):
        value = (np.pi ** (m - 1) * (sine, cosine, -sine, -cosine)[m % 4] - m * value) / far
    return np.where(near, sign * total, value).astype(given.dtype)[()]


@primitive
class I0(Smooth):
    """The derivative of order `order` of the modified Bessel function I0, whose first is I1.

    No order has a hole at 0: I0(x) is the mean of e^(x cos t), and so the n-th derivative that of
    cos(t)^n e^(x cos t) (DLMF 10.32.1).
    """

    order: int = 0
    ufunc = np.i0
    samples = (sample("f64[3,4]", within=(-9.0, 9.0)), sample("f64[3]", within=(-1e-3, 1e-3)))

    def evaluate(self, *xs: Value) -> Value:
        return np.i0(xs[0]) if self.order == 0 else i0_derivative(xs[0], self.order)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return I0(self.order + 1)(xs[0])


def i0_derivative(x: Any, n: int) -> Any:
    """The n-th derivative of I0, by the trapezoid rule, which converges geometrically here.

    With m points the error is I_m(x), about e^(-m^2 / 2x) of the result; the points t and pi - t
    are taken together, so that odd orders keep their digits near 0.
    """
    given = np.asarray(x)
    x = given.astype(np.result_type(given, np.float64))
    largest = float(np.max(np.abs(x), where=np.isfinite(x), initial=0.0))
    count = 2 * (16 + n + math.ceil(3.1 * math.sqrt(min(largest, 720.0))))
    wave = np.sinh if n % 2 else np.cosh
    total = np.zeros_like(x)
    with np.errstate(over="ignore"):
        for k in range(count):
            cosine = math.cos((k + 0.5) * (math.pi / 2 / count))
            total += cosine**n / count * wave(x * cosine)
    return total.astype(given.dtype)[()]


@functools.cache
def unit_rule(count: int) -> list[tuple[float, float]]:
    """Nodes and weights of Gauss and Legendre's rule on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return [(0.5 * (t + 1.0), 0.5 * w) for t, w in zip(nodes.tolist(), weights.tolist())]


_sech = Sech()
exp, exp2, expm1 = face(Exp(), np.exp), face(Exp2(), np.exp2), face(ExpM1(), np.expm1)
log, log2, log10 = face(Log(), np.log), face(Log2(), np.log2), face(Log10(), np.log10)
log1p = face(Log1P(), np.log1p)
sqrt, cbrt = face(Sqrt(), np.sqrt), face(Cbrt(), np.cbrt)
sin, cos, tan = face(Sin(), np.sin), face(Cos(), np.cos), face(Tan(), np.tan)
arcsin, arccos = face(ArcSin(), np.arcsin), face(ArcCos(), np.arccos)
arctan = face(ArcTan(), np.arctan)
sinh, cosh, tanh = face(Sinh(), np.sinh), face(Cosh(), np.cosh), face(Tanh(), np.tanh)
arcsinh, arccosh = face(ArcSinh(), np.arcsinh), face(ArcCosh(), np.arccosh)
arctanh = face(ArcTanh(), np.arctanh)
radians = face(Radians(), np.radians, np.deg2rad)
degrees = face(Degrees(), np.degrees, np.rad2deg)
sinc, i0 = face(Sinc(), np.sinc), face(I0(), np.i0)
