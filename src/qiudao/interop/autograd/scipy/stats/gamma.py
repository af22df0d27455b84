"""The gamma distribution of shape `a`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import gammainc, gammaln, xlogy

from .formulas import by_formula, within

plain = scipy.stats.gamma


@by_formula(plain.logpdf)
def logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """(a - 1) log z - z - log Gamma(a) - log(scale), with z = (x - loc) / scale >= 0."""
    z = (x - loc) / scale
    inside = z >= 0
    z = np.where(inside, z, 1.0)
    return within(inside, xlogy(a - 1.0, z) - z - gammaln(a)) - np.log(scale)


@by_formula(plain.pdf)
def pdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(logpdf(x, a, loc, scale))


@by_formula(plain.cdf)
def cdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most x: the regularised incomplete gamma function."""
    return gammainc(a, np.maximum((x - loc) / scale, 0.0))


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
