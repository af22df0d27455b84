"""The error function and its kin: Dawson, Faddeeva, Fresnel, Voigt, Owen."""

from __future__ import annotations

import math

import numpy as np

from ...core.avals import Value
from ...core.element import Element, Scalar
from ...core.primitive import primitive
from .base import Numeric, is_complex, one
from .declaring import declare, declare_several
from .faddeeva import dawson_derivative, erfcx_derivative, wofz_derivative

REAL = one("f64[3]", low=-1.5, high=1.5)
COMPLEX = one("c128[2]", low=-0.8, high=0.8)
UNIT = one("f64[3]", low=0.1, high=0.9)
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
ROOT_TAU = math.sqrt(2.0 * math.pi)
ROOT_HALF = math.sqrt(0.5)


@primitive
class ErfCX(Numeric):
    """The derivative of order `order` of e^(x^2) erfc(x).  d = that of the next order."""

    order: int = 1
    compute = erfcx_derivative
    samples = (one("f64[3]", low=-1.0, high=9.0),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return ErfCX(self.order + 1)(xs[0])


@primitive
class Dawson(Numeric):
    """The derivative of order `order` of Dawson's integral.  d = that of the next order."""

    order: int = 1
    compute = dawson_derivative
    samples = (one("f64[3]", low=-3.0, high=3.0), one("f64[2]", low=8.0, high=9.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return Dawson(self.order + 1)(xs[0])


@primitive
class WofZ(Numeric):
    """The derivative of order `order` of Faddeeva's function.  d = that of the next order."""

    order: int = 1
    compute = wofz_derivative
    samples = (COMPLEX, one("c128[2]", low=8.0, high=9.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return WofZ(self.order + 1)(xs[0])


def gauss(z: Value) -> Value:
    """e^(-z^2)."""
    return np.exp(-z * z)


erf = declare("erf", "z", REAL, COMPLEX)
erf.by("z", "2/sqrt(pi) e^(-z^2) (DLMF 7.2.1)", lambda out, z: TWO_OVER_ROOT_PI * gauss(z))
erfc = declare("erfc", "z", REAL, COMPLEX)
erfc.by("z", "-2/sqrt(pi) e^(-z^2) (DLMF 7.2.2)", lambda out, z: -TWO_OVER_ROOT_PI * gauss(z))
erfi = declare("erfi", "z", REAL, COMPLEX)
erfi.by("z", "2/sqrt(pi) e^(z^2)", lambda out, z: TWO_OVER_ROOT_PI * np.exp(z * z))
erfcx = declare("erfcx", "z", REAL, COMPLEX)
erfcx.by(
    "z", "-2/sqrt(pi) times the integral of 2 t e^(-t^2 - 2 z t) (DLMF 7.18.9)",
    lambda out, z: 2.0 * z * out - TWO_OVER_ROOT_PI if is_complex(z) else ErfCX(1)(z),
)  # fmt: skip
erfinv = declare("erfinv", "y", one("f64[3]", low=-0.8, high=0.8))
erfinv.by("y", "sqrt(pi)/2 e^(out^2)", lambda out, y: np.exp(out * out) / TWO_OVER_ROOT_PI)
erfcinv = declare("erfcinv", "y", UNIT)
erfcinv.by("y", "-sqrt(pi)/2 e^(out^2)", lambda out, y: np.exp(out * out) / -TWO_OVER_ROOT_PI)
dawsn = declare("dawsn", "z", REAL, COMPLEX)
dawsn.by(
    "z", "1 - 2 z out (DLMF 7.10.3), asymptotically where that cancels",
    lambda out, z: 1.0 - 2.0 * z * out if is_complex(z) else Dawson(1)(z),
)  # fmt: skip
wofz = declare("wofz", "z", COMPLEX)
wofz.by("z", "2i/sqrt(pi) - 2 z out (DLMF 7.10.2), asymptotically where that cancels",
        lambda out, z: WofZ(1)(z))  # fmt: skip


def density(x: Value) -> Value:
    """The density of the normal distribution."""
    return np.exp(-0.5 * x * x) / ROOT_TAU


def hazard(x: Value) -> Value:
    """The density of the normal distribution over its distribution function."""
    if is_complex(x):
        return density(x) / ndtr(x)
    right = x > 0
    up, down = np.where(right, x, 0.0), np.where(right, 0.0, x)
    return np.where(right, density(up) / ndtr(up), 2.0 / ROOT_TAU / erfcx(-down * ROOT_HALF))


ndtr = declare("ndtr", "x", REAL, COMPLEX)
ndtr.by("x", "e^(-x^2/2) / sqrt(2 pi)", lambda out, x: density(x))
log_ndtr = declare("log_ndtr", "x", REAL, COMPLEX)
log_ndtr.by("x", "e^(-x^2/2) / (sqrt(2 pi) ndtr(x)), by erfcx on the left",
            lambda out, x: hazard(x))  # fmt: skip
ndtri = declare("ndtri", "y", UNIT)
ndtri.by("y", "sqrt(2 pi) e^(out^2/2)", lambda out, y: ROOT_TAU * np.exp(0.5 * out * out))
ndtri_exp = declare("ndtri_exp", "y", one("f64[3]", low=-3.0, high=-0.2))
ndtri_exp.by("y", "1 / log_ndtr'(out)", lambda out, y: 1.0 / hazard(out))

REAL_OR_COMPLEX = (one("f64[3]", low=-1.2, high=1.2), COMPLEX)
fresnel_s, fresnel_c = declare_several("fresnel", "z", 2, *REAL_OR_COMPLEX)
fresnel_s.by("z", "sin(pi z^2 / 2) (DLMF 7.2.8)", lambda out, z: np.sin(0.5 * np.pi * z * z))
fresnel_c.by("z", "cos(pi z^2 / 2) (DLMF 7.2.7)", lambda out, z: np.cos(0.5 * np.pi * z * z))

for _name, _sign in (("modfresnelp", 1j), ("modfresnelm", -1j)):
    _integral, _auxiliary = declare_several(_name, "x", 2, one("f64[2]", low=0.2, high=1.5))
    _integral.by("x", f"-e^({_sign.imag:+.0f}i x^2)",
                 lambda out, x, sign=_sign: -np.exp(sign * x * x))  # fmt: skip
    _auxiliary.by(
        "x", "-+2i x out - e^(-+i pi/4) / sqrt(pi)",
        lambda out, x, sign=_sign: -2.0 * sign * x * out
        - complex(np.exp(-sign * np.pi / 4.0)) / math.sqrt(math.pi),
    )  # fmt: skip

THREE = one("f64[2]", "f64[2]", "f64[2]", low=0.3, high=1.2)
voigt_profile = declare("voigt_profile", "x sigma gamma", THREE)


def voigt_parts(x: Value, sigma: Value, gamma: Value) -> tuple[Value, Value]:
    """Z = (x + i gamma) / (sigma sqrt(2)), and the derivative of w there."""
    z = (x + 1j * gamma) / (sigma * math.sqrt(2.0))
    return z, WofZ(1)(z)


def voigt_slope(x: Value, sigma: Value, gamma: Value, turn: complex) -> Value:
    """The real part of w'(z) turned, over 2 sqrt(pi) sigma^2.

    Without sigma the profile is Cauchy's, Re i / (pi (x + i gamma)).
    """
    none = sigma == 0
    safe, at = np.where(none, 1.0, sigma), np.where(none, x + 1j * gamma, 1.0)
    _, w = voigt_parts(x, safe, gamma)
    wide = np.real(turn * w) / (2.0 * math.sqrt(math.pi) * safe * safe)
    return np.where(none, np.real(-1j * turn / (np.pi * at * at)), wide)


def voigt_slope_sigma(out: Value, x: Value, sigma: Value, gamma: Value) -> Value:
    """-(out + Re(z w'(z)) / (sigma sqrt(2 pi))) / sigma, and sigma d2/dx2 where sigma is 0."""
    none = sigma == 0
    safe, at = np.where(none, 1.0, sigma), np.where(none, x + 1j * gamma, 1.0)
    z, w = voigt_parts(x, safe, gamma)
    wide = -(out + np.real(z * w) / (safe * ROOT_TAU)) / safe
    return np.where(none, sigma * np.real(2j / (np.pi * at * at * at)), wide)


VOIGT = "of Re w(z) / (sigma sqrt(2 pi)), z = (x + i gamma) / (sigma sqrt(2)) (DLMF 7.19)"
voigt_profile.by("x", VOIGT, lambda out, x, sigma, gamma: voigt_slope(x, sigma, gamma, 1.0))
voigt_profile.by("gamma", VOIGT, lambda out, x, sigma, gamma: voigt_slope(x, sigma, gamma, 1j))
voigt_profile.by("sigma", VOIGT, voigt_slope_sigma)

owens_t = declare("owens_t", "h a", one("f64[3]", "f64[3]", low=-1.2, high=1.2))
owens_t.by("h", "-e^(-h^2/2) erf(a h / sqrt(2)) / (2 sqrt(2 pi)) (Owen 1956)",
           lambda out, h, a: -0.5 * density(h) * erf(a * h * ROOT_HALF))  # fmt: skip
owens_t.by("a", "e^(-h^2 (1 + a^2) / 2) / (2 pi (1 + a^2)) (Owen 1956)",
           lambda out, h, a: np.exp(-0.5 * h * h * (1.0 + a * a))
           / (2.0 * np.pi * (1.0 + a * a)))  # fmt: skip


def half_erfc_code(e: Element, x: Scalar) -> Scalar:
    """erfc(-x / sqrt(2)) / 2."""
    scaled = e.call("multiply", x, e.constant(-ROOT_HALF, x))
    return e.call("multiply", e.call("erfc", scaled), e.constant(0.5, x))


erf.native(lambda e, z: e.call("erf", z))
erfc.native(lambda e, z: e.call("erfc", z))
ndtr.native(half_erfc_code)
