"""Derivatives of Bessel functions by their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from .quadrature import weighed


def kv_derivative(n: int, v: Any, x: Any) -> Any:
    """The n-th derivative by v of the integral over t > 0 of cosh(v t) e^(-x cosh t).

    The trapezoid rule converges geometrically, and no term cancels another (DLMF 10.32.9).
    """
    given = np.result_type(v, x, np.float32)
    u, a = np.broadcast_arrays(np.asarray(v, np.float64), np.asarray(x, np.float64))
    # the integrand has fallen to nothing where x cosh t > v t + 750, or e^t > 2 (...) / x
    reach = np.log(2.0 * (750.0 + 40.0 * np.abs(u)) / np.minimum(a, 700.0) + 4.0)
    count = 400
    step = reach / count

    def term(k: Any) -> Any:
        t = k * step
        grown, fallen = np.exp(u * t - a * np.cosh(t)), np.exp(-u * t - a * np.cosh(t))
        return 0.5 * t**n * (grown + (-1.0) ** n * fallen)

    weights = np.ones(count + 1)
    weights[0] = 0.5
    total = weighed(term, np.arange(count + 1.0), weights, a)
    return np.where(a > 0, total * step, np.nan).astype(given)
