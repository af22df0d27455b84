"""The normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import log_ndtr, ndtr

from .formulas import HALF_LOG_TAU, by_formula

plain = scipy.stats.norm


@by_formula(plain.logpdf)
def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """-z^2/2 - log(scale) - log(2 pi)/2, with z = (x - loc) / scale.

    >>> from qiudao.interop.autograd.scipy.stats import norm
    >>> qd.grad(norm.logpdf)(2.0)
    np.float64(-2.0)
    """
    return -(((x - loc) / scale) ** 2) / 2 - np.log(scale) - HALF_LOG_TAU


@by_formula(plain.pdf)
def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(-(((x - loc) / scale) ** 2) / 2 - HALF_LOG_TAU) / scale


@by_formula(plain.cdf)
def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most x."""
    return ndtr((x - loc) / scale)


@by_formula(plain.sf)
def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of more than x."""
    return ndtr((loc - x) / scale)


@by_formula(plain.logcdf)
def logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the probability of at most x."""
    return log_ndtr((x - loc) / scale)


@by_formula(plain.logsf)
def logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The logarithm of the probability of more than x."""
    return log_ndtr((loc - x) / scale)


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
