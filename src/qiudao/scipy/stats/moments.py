"""Mean, variance and entropy of each distribution for loc 0 and scale 1, in closed form.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions; None
stands for what has no closed form.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from scipy import special

INF, NAN = np.inf, np.nan
EULER = float(np.euler_gamma)
OF_NORMAL = 0.5 * np.log(2 * np.pi * np.e)
Moments = tuple[Any, Any, Any]


def beyond(parameter: Any, least: float, value: Callable[[Any], Any], otherwise: float) -> Any:
    """`value(parameter)` where the parameter is above the least with which it exists."""
    exists = parameter > least
    return np.where(exists, value(np.where(exists, parameter, least + 1.0)), otherwise)


def of_lognorm(s: Any) -> Moments:
    """Those of `lognorm`."""
    wide = np.exp(s**2)
    return np.exp(s**2 / 2), np.expm1(s**2) * wide, OF_NORMAL + np.log(s)


def of_gamma(a: Any) -> Moments:
    """Those of `gamma`."""
    return a, a, a + special.gammaln(a) + (1 - a) * special.psi(a)


def of_chi2(df: Any) -> Moments:
    """Those of `chi2`."""
    half = df / 2
    entropy = half + np.log(2) + special.gammaln(half) + (1 - half) * special.psi(half)
    return df, 2 * df, entropy


def of_invgamma(a: Any) -> Moments:
    """Those of `invgamma`."""
    mean = beyond(a, 1.0, lambda a: 1 / (a - 1), INF)
    var = beyond(a, 2.0, lambda a: 1 / ((a - 1) ** 2 * (a - 2)), INF)
    return mean, var, a - (a + 1) * special.psi(a) + special.gammaln(a)


def of_beta(a: Any, b: Any) -> Moments:
    """Those of `beta`."""
    n = a + b
    entropy = (
        special.betaln(a, b) - (a - 1) * special.psi(a) - (b - 1) * special.psi(b)
        + (n - 2) * special.psi(n)
    )  # fmt: skip
    return a / n, a * b / (n**2 * (n + 1)), entropy


def of_t(df: Any) -> Moments:
    """Those of `t`."""
    mean = np.where(df > 1, 0.0, NAN)
    var = np.where(df > 1, beyond(df, 2.0, lambda df: df / (df - 2), INF), NAN)
    change = special.psi((df + 1) / 2) - special.psi(df / 2)
    entropy = (df + 1) / 2 * change + np.log(df) / 2 + special.betaln(df / 2, 0.5)
    return mean, var, entropy


def of_f(n: Any, m: Any) -> Moments:
    """Those of `f`."""
    mean = beyond(m, 2.0, lambda m: m / (m - 2), INF)
    var = beyond(m, 4.0, lambda m: 2 * m**2 * (n + m - 2) / (n * (m - 2) ** 2 * (m - 4)), INF)
    entropy = (
        special.betaln(n / 2, m / 2) + (1 - n / 2) * special.psi(n / 2)
        - (1 + m / 2) * special.psi(m / 2) + (n + m) / 2 * special.psi((n + m) / 2) + np.log(m / n)
    )  # fmt: skip
    return mean, var, entropy


def of_weibull_min(c: Any) -> Moments:
    """Those of `weibull_min`."""
    mean = special.gamma(1 + 1 / c)
    return mean, special.gamma(1 + 2 / c) - mean**2, EULER - EULER / c - np.log(c) + 1


def of_weibull_max(c: Any) -> Moments:
    """Those of `weibull_max`."""
    mean, var, entropy = of_weibull_min(c)
    return -mean, var, entropy


def of_pareto(b: Any) -> Moments:
    """Those of `pareto`."""
    mean = beyond(b, 1.0, lambda b: b / (b - 1), INF)
    var = beyond(b, 2.0, lambda b: b / ((b - 1) ** 2 * (b - 2)), INF)
    return mean, var, 1 + 1 / b - np.log(b)


def of_genextreme(c: Any) -> Moments:
    """Those of `genextreme`."""
    mean = beyond(c, -1.0, lambda c: (1 - special.gamma(1 + c)) / c, INF)
    var = beyond(
        c, -0.5, lambda c: (special.gamma(1 + 2 * c) - special.gamma(1 + c) ** 2) / c**2, INF
    )
    return mean, var, EULER * (1 - c) + 1


def of_skewnorm(a: Any) -> Moments:
    """Those of `skewnorm`."""
    delta = a / np.sqrt(1 + a**2)
    return np.sqrt(2 / np.pi) * delta, 1 - 2 * delta**2 / np.pi, None


def of_vonmises(kappa: Any) -> Moments:
    """Those of `vonmises`."""
    small = special.i0e(kappa)
    mean_cosine = special.i1e(kappa) / small
    return 0.0 * kappa, None, kappa - kappa * mean_cosine + np.log(2 * np.pi * small)


def of_poisson(mu: Any) -> Moments:
    """Those of `poisson`."""
    return mu, mu, None


def of_binom(n: Any, p: Any) -> Moments:
    """Those of `binom`."""
    return n * p, n * p * (1 - p), None


def of_bernoulli(p: Any) -> Moments:
    """Those of `bernoulli`."""
    return p, p * (1 - p), -special.xlogy(p, p) - special.xlogy(1 - p, 1 - p)


def of_nbinom(n: Any, p: Any) -> Moments:
    """Those of `nbinom`."""
    return n * (1 - p) / p, n * (1 - p) / p**2, None


def of_geom(p: Any) -> Moments:
    """Those of `geom`."""
    return 1 / p, (1 - p) / p**2, -np.log(p) - (1 - p) * np.log1p(-p) / p


def fixed(*moments: float) -> Callable[[], Moments]:
    """Those of a distribution without shapes."""
    return lambda: (moments[0], moments[1], moments[2])


MOMENTS: dict[str, Callable[..., Moments]] = {
    "norm": fixed(0.0, 1.0, OF_NORMAL),
    "expon": fixed(1.0, 1.0, 1.0),
    "cauchy": fixed(NAN, NAN, np.log(4 * np.pi)),
    "halfcauchy": fixed(INF, INF, np.log(2 * np.pi)),
    "laplace": fixed(0.0, 2.0, np.log(2) + 1),
    "logistic": fixed(0.0, np.pi**2 / 3, 2.0),
    "uniform": fixed(0.5, 1 / 12, 0.0),
    "gumbel_r": fixed(EULER, np.pi**2 / 6, 1 + EULER),
    "gumbel_l": fixed(-EULER, np.pi**2 / 6, 1 + EULER),
    "halfnorm": fixed(np.sqrt(2 / np.pi), 1 - 2 / np.pi, 0.5 * np.log(np.pi / 2) + 0.5),
    "rayleigh": fixed(np.sqrt(np.pi / 2), 2 - np.pi / 2, 1 + EULER / 2 - np.log(2) / 2),
    "lognorm": of_lognorm,
    "gamma": of_gamma,
    "chi2": of_chi2,
    "invgamma": of_invgamma,
    "beta": of_beta,
    "t": of_t,
    "f": of_f,
    "weibull_min": of_weibull_min,
    "weibull_max": of_weibull_max,
    "pareto": of_pareto,
    "genextreme": of_genextreme,
    "skewnorm": of_skewnorm,
    "vonmises": of_vonmises,
    "poisson": of_poisson,
    "binom": of_binom,
    "bernoulli": of_bernoulli,
    "nbinom": of_nbinom,
    "geom": of_geom,
}
