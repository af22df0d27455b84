"""The incomplete gamma and beta functions and their inverses, differentiated by every operand."""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, one
from .declaring import declare
from .gamma import PolyGamma, betaln, psi, psi_rise, rgamma
from .shapes import bell, beta_shape, beta_weight, gamma_shape, gamma_weight

TWO = one("f64[2]", "f64[2]", low=0.4, high=2.0)
END, SMALL = 0.1, 20.0  # how near an end is near, and which shapes are small
THREE = one("f64[2]", "f64[2]", "f64[2]", low=0.2, high=0.8)


@primitive
class GammaWeight(Numeric):
    """x^a e^-x / gamma(a).  d = out (log(x) - psi(a)) da + out (a - x) / x dx."""

    compute = gamma_weight
    samples = (TWO,)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, x = xs
        weight = self(a, x)
        return weight * (np.log(x) - psi(a)) if i == 0 else weight * (a - x) / x


@primitive
class BetaWeight(Numeric):
    """x^a (1 - x)^b / B(a, b).

    d log = (log(x) + psi(a + b) - psi(a)) da + (log(1 - x) + psi(a + b) - psi(b)) db
    + (a (1 - x) - b x) / (x (1 - x)) dx.
    """

    compute = beta_weight
    samples = (THREE,)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, b, x = xs
        weight = self(a, b, x)
        if i == 2:
            return weight * (a * (1.0 - x) - b * x) / (x * (1.0 - x))
        return weight * (np.log(x) + psi_rise(a, b) if i == 0 else np.log1p(-x) + psi_rise(b, a))


def gamma_density(a: Value, x: Value) -> Value:
    """x^(a-1) e^-x / gamma(a), also at 0.

    Near 0 from the power itself, whose derivatives there have no terms that cancel.
    """
    near = (x >= 0.0) & (x < 1.0)
    low, high = np.where(near, x, 0.5), np.where(near, 1.0, x)
    below = np.power(low, a - 1.0) * np.exp(-low) * rgamma(a)
    return np.where(near, below, GammaWeight()(a, high) / high)


def beta_density(a: Value, b: Value, x: Value) -> Value:
    """x^(a-1) (1 - x)^(b-1) / B(a, b), also at 0 and 1.

    Near an end whose shape is small from the power itself, whose derivatives there have no terms
    that cancel.
    """
    low = (x >= 0.0) & (x < END) & (a < SMALL)
    high = (x <= 1.0) & (x > 1.0 - END) & (b < SMALL)
    at_end = low | high
    c, d = np.where(low, a, np.where(high, b, 1.0)), np.where(low, b, np.where(high, a, 1.0))
    t = np.where(low, x, np.where(high, 1.0 - x, 0.5))  # how far from the end
    end = np.power(t, c - 1.0) * np.exp((d - 1.0) * np.log1p(-t) - betaln(c, d))
    safe = np.where(at_end, 0.5, x)
    return np.where(at_end, end, BetaWeight()(a, b, safe) / (safe * (1.0 - safe)))


@primitive
class GammaShape(Numeric):
    """The derivative of order `order` of P(a, x) by a.

    d = that of the next order da + the density's derivative of this order dx.
    """

    order: int = 1
    compute = gamma_shape
    samples = (TWO, one("f64[2]", "f64[2]", low=30.0, high=35.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, x = xs
        if i == 0:
            return GammaShape(self.order + 1)(a, x)

        def log_slope(k: int, _: int) -> Value:
            return np.log(x) - psi(a) if k == 1 else -PolyGamma(k - 1)(a)

        return gamma_density(a, x) * bell(log_slope, self.order, 0)


@primitive
class BetaShape(Numeric):
    """The derivative of I_x(a, b) of order `by_a` by a and `by_b` by b.

    d = those of the next orders da, db + the density's derivative of these orders dx.
    """

    by_a: int = 1
    by_b: int = 0
    compute = beta_shape
    samples = (THREE, THREE._replace(fields={"by_a": 0, "by_b": 1}))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, b, x = xs
        if i < 2:
            return BetaShape(self.by_a + (i == 0), self.by_b + (i == 1))(a, b, x)

        def log_slope(k: int, j: int) -> Value:
            if k + j == 1:
                return np.log(x) + psi_rise(a, b) if k else np.log1p(-x) + psi_rise(b, a)
            both = PolyGamma(k + j - 1)(a + b)
            if k and j:
                return both
            return both - PolyGamma(k + j - 1)(a if k else b)

        return beta_density(a, b, x) * bell(log_slope, self.by_a, self.by_b)


UNDER = "the integral of the definition, differentiated by {} under it"
DENSITY = "x^(a-1) e^-x / gamma(a) (DLMF 8.8.13)"
gammainc = declare("gammainc", "a x", TWO)
gammainc.by("a", UNDER.format("a"), lambda out, a, x: GammaShape(1)(a, x))
gammainc.by("x", DENSITY, lambda out, a, x: gamma_density(a, x))
gammaincc = declare("gammaincc", "a x", TWO)
gammaincc.by("a", UNDER.format("a"), lambda out, a, x: -GammaShape(1)(a, x))
gammaincc.by("x", "-" + DENSITY, lambda out, a, x: -gamma_density(a, x))
IMPLICIT = "the implicit derivative of {}"
GAMMA_INVERSE = one("f64[2]", "f64[2]", low=0.3, high=0.9)
for _name, _sign in (("gammaincinv", 1.0), ("gammainccinv", -1.0)):
    _f = declare(_name, "a y", GAMMA_INVERSE)
    _f.by("a", IMPLICIT.format("P(a, out)"),
          lambda out, a, y: -GammaShape(1)(a, out) / gamma_density(a, out))  # fmt: skip
    _f.by("y", "1 / the density at out",
          lambda out, a, y, sign=_sign: sign / gamma_density(a, out))  # fmt: skip

BETA_DENSITY = "x^(a-1) (1 - x)^(b-1) / B(a, b) (DLMF 8.17.1)"
for _name, _sign in (("betainc", 1.0), ("betaincc", -1.0)):
    _f = declare(_name, "a b x", THREE)
    _f.by("a", UNDER.format("a"),
          lambda out, a, b, x, sign=_sign: sign * BetaShape(1, 0)(a, b, x))  # fmt: skip
    _f.by("b", UNDER.format("b"),
          lambda out, a, b, x, sign=_sign: sign * BetaShape(0, 1)(a, b, x))  # fmt: skip
    _f.by("x", ("" if _sign > 0 else "-") + BETA_DENSITY,
          lambda out, a, b, x, sign=_sign: sign * beta_density(a, b, x))  # fmt: skip
for _name, _sign in (("betaincinv", 1.0), ("betainccinv", -1.0)):
    _f = declare(_name, "a b y", THREE)
    _f.by("a", IMPLICIT.format("I_out(a, b)"),
          lambda out, a, b, y: -BetaShape(1, 0)(a, b, out) / beta_density(a, b, out))  # fmt: skip
    _f.by("b", IMPLICIT.format("I_out(a, b)"),
          lambda out, a, b, y: -BetaShape(0, 1)(a, b, out) / beta_density(a, b, out))  # fmt: skip
    _f.by("y", "1 / the density at out",
          lambda out, a, b, y, sign=_sign: sign / beta_density(a, b, out))  # fmt: skip
