"""Riemann's and Hurwitz's zeta functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scipy

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, Special, is_complex, not_differentiable, one
from .declaring import declare


def zeta_derivative(n: int, s: Any, q: Any) -> Any:
    """The n-th derivative by s of the sum over k of (q + k)^-s, by Euler and Maclaurin.

    The terms beyond the N-th are powers of w = q + N times polynomials in s (DLMF 25.11.5).
    """
    given = np.result_type(s, q, np.float32)
    s, q = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(q, np.float64))
    total = np.zeros(s.shape)
    count = 24
    for k in range(count):
        total = total + (-np.log(q + k)) ** n * (q + k) ** -s
    w = q + count
    log = -np.log(w)
    # each term is w^(1-s) p(s): differentiated by Leibniz's rule, with the derivatives of p
    reciprocal = [(-1.0) ** i * math.factorial(i) / (s - 1.0) ** (i + 1) for i in range(n + 1)]
    rest = leibniz(log, reciprocal, n) * w + leibniz(log, [0.5], n)
    numbers = scipy.special.bernoulli(20)
    rising = np.polynomial.Polynomial([0.0, 1.0])
    for k in range(1, 11):
        factor = float(numbers[2 * k]) / math.factorial(2 * k)
        slopes = [rising.deriv(i)(s) if i else rising(s) for i in range(n + 1)]
        rest = rest + factor * leibniz(log, slopes, n) * w ** (1.0 - 2 * k)
        rising = rising * np.polynomial.Polynomial([2.0 * k - 1.0, 1.0])
        rising = rising * np.polynomial.Polynomial([2.0 * k, 1.0])
    return (total + rest * w**-s).astype(given)


def leibniz(log: Any, slopes: Any, n: int) -> Any:
    """The n-th derivative of e^(s log) p(s) over e^(s log), from the derivatives of p."""
    total: Any = 0.0
    for i, slope in enumerate(slopes):
        total = total + math.comb(n, i) * log ** (n - i) * slope
    return total


@primitive
class Zeta(Numeric):
    """The derivative of order `order` by s of Hurwitz's zeta function of s and q > 0.

    d = that of the next order ds + the derivative of this order of -s zeta(s + 1, q) dq.
    """

    order: int = 1
    compute = zeta_derivative
    samples = (one("f64[2]", "f64[2]", low=1.5, high=3.0),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        s, q = xs
        if i == 0:
            return Zeta(self.order + 1)(s, q)
        moved = -s * self(s + 1.0, q)
        return moved - self.order * Zeta(self.order - 1)(s + 1.0, q) if self.order else moved


hurwitz = declare("_zeta", "s q", one("f64[2]", "f64[2]", low=1.5, high=3.0))
hurwitz.by("s", "-the sum of log(q + k) (q + k)^-s, by Euler and Maclaurin (DLMF 25.11.5)",
           lambda out, s, q: Zeta(1)(s, q))  # fmt: skip
hurwitz.by("q", "-s zeta(s + 1, q) (DLMF 25.11.17)", lambda out, s, q: -s * hurwitz(s + 1.0, q))

gamma, psi = Special("gamma"), Special("psi")


def riemann_slope(s: Value) -> Value:
    """zeta'(s): for s < 0 by Riemann's equation (DLMF 25.4.1), without holes at its zeros."""
    if is_complex(s):
        raise not_differentiable("zeta", "s", "its derivative is only computed for real s")
    left = s < 0.0
    right = Zeta(1)(np.where(left, 2.0, s), 1.0)
    t = 1.0 - np.where(left, s, -1.0)
    scale = 2.0 * np.exp(-t * math.log(2.0 * math.pi)) * gamma(t)
    angle = 0.5 * np.pi * t
    value, slope = Zeta(0)(t, 1.0), Zeta(1)(t, 1.0)
    inner = np.cos(angle) * ((psi(t) - math.log(2.0 * math.pi)) * value + slope)
    turned = -scale * (inner - 0.5 * np.pi * np.sin(angle) * value)
    return np.where(left, turned, right)


zetac = declare("zetac", "s", one("f64[2]", low=1.5, high=3.0), one("f64[2]", low=-2.5, high=-0.5))
zetac.by("s", "zeta'(s), by Euler and Maclaurin (DLMF 25.2.9)", lambda out, s: riemann_slope(s))
riemann = declare("_riemann_zeta", "s", one("f64[2]", low=1.5, high=3.0))
riemann.by("s", "zeta'(s), by Euler and Maclaurin (DLMF 25.2.9)", lambda out, s: riemann_slope(s))
