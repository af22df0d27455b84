"""The noncentral t distribution's derivatives, by integrals in which no term cancels.

With S the root of a chi-square over its degrees of freedom, the distribution function is the mean
of Phi(t S - nc); its derivatives are means of S^j He_h(t S - nc) phi(t S - nc).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scipy

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, not_differentiable, one
from .quadrature import weighed
from .reasons import FREEDOM


def nct_moment(power: int, degree: int, df: Any, nc: Any, t: Any) -> Any:
    """The mean of S^power He_degree(t S - nc) phi(t S - nc), by the trapezoid rule.

    In x = log S the logarithm of the density is concave; x = peak + width sinh(y).
    """
    df, nc, t = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (df, nc, t)))
    a, b = df + t * t, df + power
    root = np.sqrt(t * t * nc * nc + 4.0 * a * b)
    s = np.where(t * nc > 0, 0.5 * (t * nc + root) / a, 2.0 * b / (root - t * nc))
    width = 1.0 / np.sqrt(2.0 * a * s * s - t * nc * s)
    half = 0.5 * df
    scale = math.log(2.0) + scipy.special.xlogy(half, half) - scipy.special.gammaln(half)

    def term(y: Any) -> Any:
        x = np.log(s) + width * np.sinh(y)
        u = t * np.exp(x) - nc
        log = scale + b * x - half * np.exp(2.0 * x) - 0.5 * u * u
        hermite = scipy.special.eval_hermitenorm(degree, u) if degree else 1.0
        return np.exp(log) * np.cosh(y) * hermite

    y = np.arange(-192, 193) / 16.0
    return weighed(term, y, np.full(y.size, 1.0 / 16.0), s) * width / math.sqrt(2.0 * math.pi)


@primitive
class NctMoment(Numeric):
    """The mean of S^power He_degree(t S - nc) phi(t S - nc), whose derivatives are of its kind.

    By t it is less that of one more power and degree, by nc that of one more degree.
    """

    power: int = 1
    degree: int = 0
    compute = nct_moment
    samples = (one("i64[2]", "f64[2]", "f64[2]", low=1.0, high=2.0),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if i == 0:
            raise not_differentiable("nctdtr", "df", FREEDOM)
        if i == 1:
            return NctMoment(self.power, self.degree + 1)(*xs)
        return -NctMoment(self.power + 1, self.degree + 1)(*xs)
