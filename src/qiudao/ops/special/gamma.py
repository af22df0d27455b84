"""The gamma function, its logarithm, its reciprocal, and what is made of them."""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, one
from .declaring import declare, declare_constant
from .polygamma import polygamma_value

LEFT = one("f64[3]", low=-0.9, high=-0.1)
RIGHT = one("f64[3]", low=0.3, high=3.0)
COMPLEX = one("c128[2]", low=0.4, high=2.0)
TWO = one("f64[3]", "f64[3]", low=0.4, high=2.0)


@primitive
class PolyGamma(Numeric):
    """The derivative of order `order` of psi, the logarithmic derivative of gamma.

    d psi^(n)(z) = psi^(n+1)(z) dz.
    """

    order: int = 1
    compute = polygamma_value
    samples = (RIGHT, LEFT, COMPLEX)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return PolyGamma(self.order + 1)(xs[0])


psi = declare("psi", "z", RIGHT, LEFT, COMPLEX)
psi.by("z", "psi'(z) (DLMF 5.15.1)", lambda out, z: PolyGamma(1)(z))

gamma = declare("gamma", "z", RIGHT, LEFT, COMPLEX)
gamma.by("z", "gamma(z) psi(z) (DLMF 5.2.2)", lambda out, z: out * psi(z))

gammaln = declare("gammaln", "x", RIGHT, LEFT)
gammaln.by("x", "psi(x) (DLMF 5.2.2)", lambda out, x: psi(x))
gammaln.native(lambda e, x: e.call("gammaln", x))

loggamma = declare("loggamma", "z", RIGHT, COMPLEX)
loggamma.by("z", "psi(z) (DLMF 5.2.2)", lambda out, z: psi(z))

gammasgn = declare_constant("gammasgn", LEFT)


def rgamma_slope(out: Value, z: Value) -> Value:
    """The derivative of 1/gamma, without the holes that -psi(z)/gamma(z) has at the poles."""
    left = np.real(z) < 0.5
    far = np.where(left, 1.0, z)  # the other side of each choice, kept out of trouble
    t = np.where(left, z, 0.0)
    nearest = np.rint(np.real(t))
    sign = 1.0 - 2.0 * np.mod(nearest, 2.0)
    angle = np.pi * (t - nearest)
    mirrored = sign * gamma(1.0 - t) * (np.cos(angle) - np.sin(angle) / np.pi * psi(1.0 - t))
    return np.where(left, mirrored, -rgamma(far) * psi(far))


rgamma = declare("rgamma", "z", RIGHT, LEFT, COMPLEX)
rgamma.by("z", "-psi(z) / gamma(z), and its limit at the poles (DLMF 5.5.3)", rgamma_slope)


def psi_rise(z: Value, m: Value) -> Value:
    """psi(z + m) - psi(z), where m is small beside z by the integral of psi' between."""
    near = (np.abs(m) < 0.5 * z) & (z > 0)
    a, d = np.where(near, z, 1.0), np.where(near, m, 0.0)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    slope = PolyGamma(1)
    between = sum(
        0.5 * w * slope(a + 0.5 * (t + 1.0) * d) for t, w in zip(nodes.tolist(), weights.tolist())
    )
    b, c = np.where(near, 1.0, z), np.where(near, 1.0, m)
    return np.where(near, d * between, psi(b + c) - psi(b))


def poch_slope(out: Value, z: Value, m: Value) -> Value:
    """D poch(z, m) / dz, also near a pole of gamma(z), and where gamma(z + m) has one too."""
    pole, end = is_pole(z), is_pole(z + m)
    near = (np.abs(z) < 0.5) & (z + m > 0) & (m < 100)
    hole, both = (pole & ~end) | near, pole & end
    a, top = np.where(hole, z, 1.0), np.where(hole, z + m, 1.0)
    limit = gamma(top) * (psi(top) * rgamma(a) + rgamma_slope(a, a))
    start = np.where(both, 1.0 - z - m, np.where(pole, 1.0, z))  # mirrored: DLMF 5.5.3
    rise = psi_rise(start, np.where(hole, 1.0, m))
    return np.where(hole, limit, out * np.where(both, -rise, rise))


poch = declare("poch", "z m", TWO)
poch.by("z", "out (psi(z + m) - psi(z)), and its limit at the poles", poch_slope)
poch.by("m", "out psi(z + m)", lambda out, z, m: out * psi(z + m))

beta = declare("beta", "a b", TWO)
beta.by("a", "-out (psi(a + b) - psi(a)) (DLMF 5.12.1)", lambda out, a, b: -out * psi_rise(a, b))
beta.by("b", "-out (psi(a + b) - psi(b)) (DLMF 5.12.1)", lambda out, a, b: -out * psi_rise(b, a))

betaln = declare("betaln", "a b", TWO)
betaln.by("a", "psi(a) - psi(a + b)", lambda out, a, b: -psi_rise(a, b))
betaln.by("b", "psi(b) - psi(a + b)", lambda out, a, b: -psi_rise(b, a))


def binom_slope(out: Value, n: Value, k: Value) -> Value:
    """D binom(n, k) / dk, also where the denominator has a pole and the value is 0."""
    a, b = k + 1.0, n - k + 1.0
    hole = is_pole(a) | is_pole(b)
    u, v = np.where(hole, 1.0, a), np.where(hole, 1.0, b)
    plain = out * (psi(v) - psi(u))
    p, q = np.where(hole, a, 1.0), np.where(hole, b, 1.0)
    top = gamma(np.where(hole, n + 1.0, 1.0))
    limit = top * (rgamma_slope(p, p) * rgamma(q) - rgamma(p) * rgamma_slope(q, q))
    return np.where(hole, limit, plain)


def binom_slope_above(out: Value, n: Value, k: Value) -> Value:
    """D binom(n, k) / dn, also where the denominator has a pole and the value is 0."""
    b = n - k + 1.0
    hole = is_pole(b) & ~is_pole(n + 1.0)
    p = np.where(hole, b, 1.0)
    top, low = np.where(hole, n + 1.0, 1.0), np.where(hole, k + 1.0, 1.0)
    limit = gamma(top) * rgamma(low) * (psi(top) * rgamma(p) + rgamma_slope(p, p))
    return np.where(hole, limit, out * psi_rise(np.where(hole, 1.0, b), k))


def is_pole(z: Value) -> Value:
    """Whether gamma has a pole there."""
    return (z <= 0) & (z == np.floor(z))


binom = declare("binom", "n k", one("f64[3]", "f64[3]", low=0.4, high=3.0))
binom.by("n", "out (psi(n + 1) - psi(n - k + 1))", binom_slope_above)
binom.by("k", "out (psi(n - k + 1) - psi(k + 1))", binom_slope)
