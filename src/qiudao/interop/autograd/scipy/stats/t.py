"""Student's t distribution with `df` degrees of freedom."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import gammaln, stdtr

from .formulas import by_formula

plain = scipy.stats.t
HALF_LOG_PI = 0.5723649429247001


def _standard(z: Any, df: Any) -> Any:
    """The log-density at location 0 and scale 1."""
    constant = gammaln((df + 1) / 2.0) - gammaln(df / 2.0) - np.log(df) / 2 - HALF_LOG_PI
    return constant - (df + 1) / 2.0 * np.log1p(z**2 / df)


@by_formula(plain.logpdf)
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """Log c - (df+1)/2 log(1 + z^2/df) - log(scale), with z = (x - loc) / scale.

    Here c = Gamma((df+1)/2) / (Gamma(df/2) sqrt(df pi)).
    """
    return _standard((x - loc) / scale, df) - np.log(scale)


@by_formula(plain.pdf)
def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(logpdf(x, df, loc, scale))


@by_formula(plain.cdf)
def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most x."""
    return stdtr(df, (x - loc) / scale)


@by_formula(plain.logcdf)
def logcdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the probability of at most x."""
    return np.log(cdf(x, df, loc, scale))


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
