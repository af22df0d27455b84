"""The Poisson distribution of mean `mu`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import gammaln, pdtr, xlogy

from ...registered import plain as value_of
from .formulas import by_formula, within

plain = scipy.stats.poisson


@by_formula(plain.logpmf)
def logpmf(k: Any, mu: Any) -> Any:
    """K log mu - mu - log k!, for whole k >= 0; constant in k."""
    k = np.asarray(value_of(k), float)
    counted = (k % 1 == 0) & (k >= 0)
    return within(counted, xlogy(k, mu) - mu - gammaln(np.maximum(k, 0) + 1.0))


@by_formula(plain.pmf)
def pmf(k: Any, mu: Any) -> Any:
    """The probability of k, exp(logpmf)."""
    return np.exp(logpmf(k, mu))


@by_formula(plain.cdf)
def cdf(k: Any, mu: Any) -> Any:
    """The probability of at most k."""
    return pdtr(np.floor(value_of(k)), mu)


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
