"""Integrals of elementary and Bessel functions: exponential, sine, Debye-like, Struve."""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from .base import Special, is_complex, one
from .bessel import StruveSeries, i0, i1, j0, j1, k0, modstruve, struve, y0
from .declaring import declare, declare_several
from .reasons import WHOLE
from .relative import LogRel, SinhC

REAL = one("f64[2]", low=0.4, high=2.0)
COMPLEX = one("c128[2]", low=0.4, high=1.2)

expi = declare("expi", "z", REAL, COMPLEX)
expi.by("z", "e^z / z (DLMF 6.2.5)", lambda out, z: np.exp(z) / z)
exp1 = declare("exp1", "z", REAL, COMPLEX)
exp1.by("z", "-e^-z / z (DLMF 6.2.1)", lambda out, z: -np.exp(-z) / z)
expn = declare("expn", "n x", one("i64[2]", "f64[2]", low=1.0, high=3.0))


def expn_slope(out: Value, n: Value, x: Value) -> Value:
    """-E_(n-1)(x), and of E_0 = e^-x / x itself."""
    first = -np.exp(-x) * (1.0 + x) / (x * x)
    return np.where(n == 0, first, -expn(np.maximum(n - 1, 0), x))


expn.by("x", "-E_(n-1)(x) (DLMF 8.19.13)", expn_slope)
expn.refuse("n", WHOLE)


def sinc_of(z: Value) -> Value:
    """sin(z) / z, at every order also at 0."""
    return np.sinc(z / np.pi)


def sinhc(z: Value) -> Value:
    """sinh(z) / z, at every order also at 0."""
    return np.sinc(z * (1j / np.pi)) if is_complex(z) else SinhC(0)(z)


si, ci = declare_several("sici", "z", 2, REAL, COMPLEX)
si.by("z", "sin(z) / z (DLMF 6.2.9)", lambda out, z: sinc_of(z))
ci.by("z", "cos(z) / z (DLMF 6.2.11)", lambda out, z: np.cos(z) / z)
shi, chi = declare_several("shichi", "z", 2, REAL, COMPLEX)
shi.by("z", "sinh(z) / z (DLMF 6.2.15)", lambda out, z: sinhc(z))
chi.by("z", "cosh(z) / z (DLMF 6.2.16)", lambda out, z: np.cosh(z) / z)

spence = declare("spence", "z", REAL, COMPLEX)
spence.by("z", "log(z) / (1 - z), -1 at 1 (DLMF 25.12.2)", lambda out, z: log_over_rest(z))


def log_over_rest(z: Value) -> Value:
    """log(z) / (1 - z): near 1 by log(1 + u) / u, whose u = z - 1 loses the digits of a small z."""
    small = np.abs(z) < 0.5
    near_0, near_1 = np.where(small, z, 0.25), np.where(small, 1.0, z)
    return np.where(small, np.log(near_0) / (1.0 - near_0), -LogRel(0)(near_1 - 1.0))


def mean_of(f: Special, x: Value) -> Value:
    """The integral over t in [0, 1] of f(x t), for |x| < 1."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    return sum(0.5 * w * f(0.5 * (t + 1.0) * x) for t, w in zip(nodes.tolist(), weights.tolist()))


def less_one(whole: Value, f: Special, x: Value) -> Value:
    """The integral of f from 0 to x, over x: `whole` is it where x is not small."""
    small = np.abs(x) < 1.0
    u, v = np.where(small, x, 0.0), np.where(small, 1.0, x)
    return np.where(small, mean_of(f, u), whole / v)


j, y = declare_several("itj0y0", "x", 2, REAL)
j.by("x", "J_0(x)", lambda out, x: j0(x))
y.by("x", "Y_0(x)", lambda out, x: y0(x))
i, k = declare_several("iti0k0", "x", 2, REAL)
i.by("x", "I_0(x)", lambda out, x: i0(x))
k.by("x", "K_0(x)", lambda out, x: k0(x))
j, y = declare_several("it2j0y0", "x", 2, REAL)
j.by("x", "(1 - J_0(x)) / x", lambda out, x: less_one(1.0 - j0(x), j1, x))
y.by("x", "-Y_0(x) / x", lambda out, x: -y0(x) / x)
i, k = declare_several("it2i0k0", "x", 2, REAL)
i.by("x", "(I_0(x) - 1) / x", lambda out, x: less_one(i0(x) - 1.0, i1, x))
k.by("x", "-K_0(x) / x", lambda out, x: -k0(x) / x)
itstruve0 = declare("itstruve0", "x", REAL)
itstruve0.by("x", "H_0(x)", lambda out, x: struve(0.0, x))
it2struve0 = declare("it2struve0", "x", REAL)
it2struve0.by("x", "-H_0(x) / x", lambda out, x: -struve_quotient(x))


def struve_quotient(x: Value) -> Value:
    """H_0(x) / x, near 0 by its power series."""
    near = np.abs(x) < 1.0
    low, high = np.where(near, x, 0.5), np.where(near, 1.0, x)
    return np.where(near, 0.5 * StruveSeries()(0, -0.25 * low * low), struve(0.0, high) / high)


itmodstruve0 = declare("itmodstruve0", "x", REAL)
itmodstruve0.by("x", "L_0(x)", lambda out, x: modstruve(0.0, x))
