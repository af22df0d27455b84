"""Derivatives of the incomplete gamma and beta functions by their shapes, by quadrature.

The integrand is differentiated under the integral.  Its integral over the whole range is 0, so the
side is chosen on which it has one sign and is small: no digits are lost in either tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import scipy

from .polygamma import polygamma_value
from .quadrature import half_line


def bell(slope: Callable[[int, int], Any], n: int, m: int) -> Any:
    """The derivative of e^g of order n by one variable and m by another, over e^g itself.

    `slope(i, j)` is the derivative of g of these orders.
    """
    if n == m == 0:
        return 1.0
    if n == 0:
        return bell(lambda i, j: slope(j, i), m, 0)
    total: Any = 0.0
    for k in range(n):
        for j in range(m + 1):
            factor = float(math.comb(n - 1, k) * math.comb(m, j))
            total = total + factor * slope(k + 1, j) * bell(slope, n - 1 - k, m - j)
    return total


def log_less(u: Any) -> Any:
    """log(1 + u) - u, by its series in u / (2 + u) near 0."""
    near = np.abs(u) < 0.4
    v = np.where(near, u, 0.0)
    r = v / (2.0 + v)
    total = np.zeros_like(r)
    for k in range(31, 2, -2):
        total = total * r * r + 2.0 / k
    w = np.where(near, 0.4, u)
    return np.where(near, r**3 * total - v * r, np.log1p(w) - w)


def log_gamma_factor(a: Any, x: Any) -> Any:
    """The logarithm of x^a e^-x / gamma(a), without forming large terms that cancel.

    For large a: a (log(1 + u) - u) + log(a / 2 pi) / 2 less Stirling's series, u = (x - a) / a.
    """
    large = a > 20.0
    b = np.where(large, a, 20.0)
    u = (np.where(large, x, 20.0) - b) / b
    stirling: Any = 0.0
    for term in (
        -691.0 / 360360.0,
        1.0 / 1188.0,
        -1.0 / 1680.0,
        1.0 / 1260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ):
        stirling = stirling / (b * b) + term
    outer = b * log_less(u) + 0.5 * np.log(b / (2.0 * np.pi)) - stirling / b
    c = np.where(large, 1.0, a)
    inner = scipy.special.xlogy(c, x) - x - scipy.special.gammaln(c)
    return np.where(large, outer, inner)


def gamma_weight(a: Any, x: Any) -> Any:
    """x^a e^-x / gamma(a)."""
    given = np.result_type(a, x, np.float32)
    a, x = np.asarray(a, np.float64), np.asarray(x, np.float64)
    return np.where(np.isposinf(x), 0.0, np.exp(log_gamma_factor(a, x))).astype(given)


def beta_weight(a: Any, b: Any, x: Any) -> Any:
    """x^a (1 - x)^b / B(a, b), from three of the gamma function's weights."""
    given = np.result_type(a, b, x, np.float32)
    a, b, x = (np.asarray(each, np.float64) for each in (a, b, x))
    whole = a + b
    log = log_gamma_factor(a, whole * x) + log_gamma_factor(b, whole * (1.0 - x))
    return np.exp(log - log_gamma_factor(whole, whole)).astype(given)


def gamma_shape(n: int, a: Any, x: Any) -> Any:
    """The n-th derivative by a of the regularised lower incomplete gamma function P(a, x)."""
    given = np.result_type(a, x, np.float32)
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    higher: list[Any] = [
        np.log(x) - scipy.special.psi(a),
        *(-polygamma_value(k, a) for k in range(1, n)),
    ]
    left = x < a
    side = np.where(left, -1.0, 1.0)
    scale = 1.0 / (np.abs(a - x) + np.sqrt(a) + np.where(left, 0.0, np.sqrt(x)) + 1e-300)

    def term(v: Any) -> Any:  # at t = x e^(side v)
        u = side * v
        weight = np.exp(a * u - x * np.expm1(u))
        return weight * bell(lambda i, j: higher[i - 1] + (u if i == 1 else 0.0), n, 0)

    value = -side * half_line(term, scale) * gamma_weight(a, x)
    return np.where((x == 0) | np.isposinf(x), 0.0, value).astype(given)


def beta_shape(n: int, m: int, a: Any, b: Any, x: Any) -> Any:
    """The derivative of order n by a and m by b of the regularised incomplete beta function."""
    given = np.result_type(a, b, x, np.float32)
    a, b, x = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (a, b, x)))
    both = [scipy.special.psi(a + b), *(polygamma_value(k, a + b) for k in range(1, n + m))]
    by_a = [scipy.special.psi(a), *(polygamma_value(k, a) for k in range(1, n))]
    by_b = [scipy.special.psi(b), *(polygamma_value(k, b) for k in range(1, m))]
    left = x * (a + b) < a
    side = np.where(left, -1.0, 1.0)
    rate = np.abs(a * (1.0 - x) - b * x) + np.sqrt((a + b) * x * (1.0 - x))
    scale = 1.0 / (rate + 0.1 * np.where(left, a, b) + 1e-300)

    def term(v: Any) -> Any:  # at the odds t / (1 - t) of x times e^(side v)
        grown = np.log1p(x * np.expm1(side * v))
        log, log_rest = np.log(x) + side * v - grown, np.log1p(-x) - grown

        def slope(i: int, j: int) -> Any:
            if i and j:
                return both[i + j - 1]
            own = by_a[i - 1] if i else by_b[j - 1]
            first = (log if i else log_rest) if i + j == 1 else 0.0
            return both[i + j - 1] - own + first

        return np.exp(side * a * v - (a + b) * grown) * bell(slope, n, m)

    value = -side * half_line(term, scale) * beta_weight(a, b, x)
    return np.where((x == 0) | (x == 1), 0.0, value).astype(given)
