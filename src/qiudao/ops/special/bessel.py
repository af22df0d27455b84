"""Bessel functions, modified, scaled and spherical ones, Airy's, Kelvin's, Struve's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scipy

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, Special, is_complex, not_differentiable, one
from .declaring import declare
from .orders import kv_derivative
from .reasons import NOT_HOLOMORPHIC, ORDER, WHOLE

REAL = one("f64[2]", low=0.4, high=2.0)
ORDERED = one("i64[2]", "f64[2]", low=1.0, high=3.0)
COMPLEX = one("i64[2]", "c128[2]", low=1.0, high=2.0)


@primitive
class KvOrder(Numeric):
    """The derivative of order `order` of K_v(x) by v.  d = that of the next order dv, and by x
    through the neighbours: -(f_(v-1) + f_(v+1)) / 2.
    """

    order: int = 1
    compute = kv_derivative
    samples = (one("f64[2]", "f64[2]", low=0.5, high=2.0),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        v, x = xs
        if i == 0:
            return KvOrder(self.order + 1)(v, x)
        return -0.5 * (self(v - 1.0, x) + self(v + 1.0, x))


jv = declare("jv", "v z", ORDERED, COMPLEX)
yv = declare("yv", "v z", ORDERED, COMPLEX)
iv = declare("iv", "v z", ORDERED, COMPLEX)
kv = declare("kv", "v z", one("f64[2]", "f64[2]", low=0.5, high=2.0), COMPLEX)
hankel1 = declare("hankel1", "v z", COMPLEX)
hankel2 = declare("hankel2", "v z", COMPLEX)
HALF = "(f_(v-1) - f_(v+1)) / 2 (DLMF 10.6.1)"
for _f in (jv, yv, hankel1, hankel2):
    _f.by("z", HALF, lambda out, v, z, f=_f: 0.5 * (f(v - 1, z) - f(v + 1, z)))
    _f.refuse("v", ORDER)
iv.by("z", "(f_(v-1) + f_(v+1)) / 2 (DLMF 10.29.1)",
      lambda out, v, z: 0.5 * (iv(v - 1, z) + iv(v + 1, z)))  # fmt: skip
iv.refuse("v", ORDER)
kv.by("z", "-(f_(v-1) + f_(v+1)) / 2 (DLMF 10.29.1)",
      lambda out, v, z: -0.5 * (kv(v - 1, z) + kv(v + 1, z)))  # fmt: skip


def kv_by_order(out: Value, v: Value, z: Value) -> Value:
    """The integral over t of t sinh(v t) e^(-z cosh t), for real z."""
    if is_complex(z):
        raise not_differentiable("kv", "v", ORDER)
    return KvOrder(1)(v, z)


kv.by("v", "the integral of t sinh(v t) e^(-z cosh t) (DLMF 10.32.9), for real z", kv_by_order)

jve = declare("jve", "v z", ORDERED)
yve = declare("yve", "v z", ORDERED)
ive = declare("ive", "v z", ORDERED)
kve = declare("kve", "v z", ORDERED, COMPLEX)
hankel1e = declare("hankel1e", "v z", COMPLEX)
hankel2e = declare("hankel2e", "v z", COMPLEX)


def real_only(f: Special, z: Value) -> None:
    """Refuse a complex operand where the scaling is not holomorphic."""
    if is_complex(z):
        raise not_differentiable(f.label, "z", NOT_HOLOMORPHIC)


def scaled_slope(f: Special, v: Value, z: Value) -> Value:
    """Of jve and yve, which for real z are not scaled at all."""
    real_only(f, z)
    return 0.5 * (f(v - 1, z) - f(v + 1, z))


def ive_slope(out: Value, v: Value, z: Value) -> Value:
    """Of e^(-|z|) I_v(z) for real z."""
    real_only(ive, z)
    return 0.5 * (ive(v - 1, z) + ive(v + 1, z)) - np.sign(z) * out


for _f in (jve, yve):
    _f.by("z", HALF + ", for real z", lambda out, v, z, f=_f: scaled_slope(f, v, z))
ive.by("z", "(f_(v-1) + f_(v+1)) / 2 - sign(z) out, for real z", ive_slope)
kve.by("z", "out - (f_(v-1) + f_(v+1)) / 2",
       lambda out, v, z: out - 0.5 * (kve(v - 1, z) + kve(v + 1, z)))  # fmt: skip
for _f, _sign in ((hankel1e, -1j), (hankel2e, 1j)):
    _f.by("z", "(f_(v-1) - f_(v+1)) / 2 -+ i out",
          lambda out, v, z, f=_f, sign=_sign:
          0.5 * (f(v - 1, z) - f(v + 1, z)) + sign * out)  # fmt: skip
for _f in (jve, yve, ive, kve, hankel1e, hankel2e):
    _f.refuse("v", ORDER)

j0, j1 = declare("j0", "x", REAL), declare("j1", "x", REAL)
y0, y1 = declare("y0", "x", REAL), declare("y1", "x", REAL)
i0, i1 = declare("i0", "x", REAL), declare("i1", "x", REAL)
k0, k1 = declare("k0", "x", REAL), declare("k1", "x", REAL)
yn = declare("yn", "n x", one("i64[2]", "f64[2]", low=1.0, high=3.0))
kn = declare("kn", "n x", one("i64[2]", "f64[2]", low=1.0, high=3.0))
j0.by("x", "-J_1 (DLMF 10.6.3)", lambda out, x: -j1(x))
j1.by("x", "(J_0 - J_2) / 2 (DLMF 10.6.1)", lambda out, x: 0.5 * (j0(x) - jv(2.0, x)))
y0.by("x", "-Y_1 (DLMF 10.6.3)", lambda out, x: -y1(x))
y1.by("x", "(Y_0 - Y_2) / 2 (DLMF 10.6.1)", lambda out, x: 0.5 * (y0(x) - yv(2.0, x)))
i0.by("x", "I_1 (DLMF 10.29.3)", lambda out, x: i1(x))
i1.by("x", "(I_0 + I_2) / 2 (DLMF 10.29.1)", lambda out, x: 0.5 * (i0(x) + iv(2.0, x)))
k0.by("x", "-K_1 (DLMF 10.29.3)", lambda out, x: -k1(x))
k1.by("x", "-(K_0 + K_2) / 2 (DLMF 10.29.1)", lambda out, x: -0.5 * (k0(x) + kv(2.0, x)))
yn.by("x", HALF, lambda out, n, x: 0.5 * (yn(n - 1, x) - yn(n + 1, x)))
kn.by("x", "-(f_(n-1) + f_(n+1)) / 2 (DLMF 10.29.1)",
      lambda out, n, x: -0.5 * (kn(np.abs(n - 1), x) + kn(n + 1, x)))  # fmt: skip
yn.refuse("n", WHOLE)
kn.refuse("n", WHOLE)

i0e, i1e = declare("i0e", "x", REAL), declare("i1e", "x", REAL)
k0e, k1e = declare("k0e", "x", REAL), declare("k1e", "x", REAL)
i0e.by("x", "e^-|x| I_1 - sign(x) out", lambda out, x: i1e(x) - np.sign(x) * out)
i1e.by("x", "e^-|x| (I_0 + I_2) / 2 - sign(x) out",
       lambda out, x: 0.5 * (i0e(x) + ive(2.0, x)) - np.sign(x) * out)  # fmt: skip
k0e.by("x", "out - e^x K_1", lambda out, x: out - k1e(x))
k1e.by("x", "out - e^x (K_0 + K_2) / 2", lambda out, x: out - 0.5 * (k0e(x) + kve(2.0, x)))

SPHERICAL = one("i64[2]", "f64[2]", low=1.0, high=3.0)
for _name, _below, _above in (("jn", 1, -1), ("yn", 1, -1), ("in", 1, 1), ("kn", -1, -1)):
    _f = declare(f"_spherical_{_name}", "n z", SPHERICAL)
    _d = declare(f"_spherical_{_name}_d", "n z", SPHERICAL)

    def neighbours(
        out: Value, n: Value, z: Value, f: Special = _f, below: int = _below, above: int = _above
    ) -> Value:
        """(n f_(n-1) -+ (n+1) f_(n+1)) / (2n + 1), which has no hole at 0 (DLMF 10.51.2)."""
        return (below * n * f(np.abs(n - 1), z) + above * (n + 1) * f(n + 1, z)) / (2 * n + 1)

    _f.by("z", "f'_n", lambda out, n, z, d=_d: d(n, z))
    _d.by("z", "(n f'_(n-1) -+ (n+1) f'_(n+1)) / (2n + 1) (DLMF 10.51.2)",
          lambda out, n, z, d=_d, rule=neighbours, below=_below, above=_above:
          rule(out, n, z, d, below, above))  # fmt: skip
    _f.refuse("n", WHOLE)
    _d.refuse("n", WHOLE)


def struve_series(n: int, v: Any, z: Any) -> Any:
    """The n-th derivative by z of the sum of z^k / (gamma(k + 3/2) gamma(k + v + 3/2)), |z| < 1."""
    return sum(
        math.perm(k, n) * z ** (k - n) * scipy.special.rgamma(k + 1.5)
        * scipy.special.rgamma(k + v + 1.5)
        for k in range(n, n + 24)
    )  # fmt: skip


@primitive
class StruveSeries(Numeric):
    """The derivative of order `order` by z of the power series of Struve's functions near 0:
    (x/2)^(v+1) times the series is H_v(x) at z = -x^2/4 and L_v(x) at x^2/4 (DLMF 11.2.1).
    """

    order: int = 0
    compute = struve_series
    samples = (ORDERED._replace(within=(-0.2, 0.2)),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if i == 0:
            raise not_differentiable("struve", "v", ORDER)
        return StruveSeries(self.order + 1)(*xs)


def struve_term(v: Value, x: Value) -> Value:
    """(x/2)^v / (sqrt(pi) gamma(v + 3/2))."""
    return np.power(0.5 * x, v) * rgamma(v + 1.5) / math.sqrt(math.pi)


def struve_slope(f: Special, sign: float, v: Value, x: Value) -> Value:
    """(f_(v-1) -+ f_(v+1) + (x/2)^v / (sqrt(pi) gamma(v + 3/2))) / 2.

    Near 0, where higher derivatives of these terms cancel, that of the power series.
    """
    near = np.abs(x) < 1.0
    low, high = np.where(near, x, 0.5), np.where(near, 1.0, x)
    h = 0.5 * low
    z = sign * h * h
    series, next_one = StruveSeries()(v, z), StruveSeries(1)(v, z)
    below = 0.5 * (v + 1) * np.power(h, v) * series + sign * np.power(h, v + 2) * next_one
    far = 0.5 * (f(v - 1.0, high) + sign * f(v + 1.0, high) + struve_term(v, high))
    return np.where(near, below, far)


rgamma = Special("rgamma")
struve = declare("struve", "v x", ORDERED)
struve.by(
    "x", "(H_(v-1) - H_(v+1) + (x/2)^v / (sqrt(pi) gamma(v + 3/2))) / 2 (DLMF 11.4.27)",
    lambda out, v, x: struve_slope(struve, -1.0, v, x),
)  # fmt: skip
modstruve = declare("modstruve", "v x", ORDERED)
modstruve.by(
    "x", "(L_(v-1) + L_(v+1) + (x/2)^v / (sqrt(pi) gamma(v + 3/2))) / 2 (DLMF 11.4.28)",
    lambda out, v, x: struve_slope(modstruve, 1.0, v, x),
)  # fmt: skip
struve.refuse("v", ORDER)
modstruve.refuse("v", ORDER)
besselpoly = declare("besselpoly", "a lmb nu", one("f64[2]", "i64[2]", "i64[2]", low=1.0, high=2.0))
besselpoly.by(
    "a", "the same of lmb + 1: at nu - 1 less at nu + 1",
    lambda out, a, lmb, nu: besselpoly(a, lmb + 1, nu - 1) - besselpoly(a, lmb + 1, nu + 1),
)  # fmt: skip
besselpoly.refuse("lmb nu", ORDER)
