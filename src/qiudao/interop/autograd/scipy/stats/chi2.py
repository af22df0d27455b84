"""The chi-squared distribution with `df` degrees of freedom."""

from __future__ import annotations

from typing import Any

import scipy.stats

from . import gamma
from .formulas import by_formula

plain = scipy.stats.chi2


@by_formula(plain.logpdf)
def logpdf(x: Any, df: Any) -> Any:
    """The log-density: that of the gamma distribution of shape df/2 and scale 2."""
    return gamma.logpdf(x, df / 2.0, 0.0, 2.0)


@by_formula(plain.pdf)
def pdf(x: Any, df: Any) -> Any:
    """The density, exp(logpdf)."""
    return gamma.pdf(x, df / 2.0, 0.0, 2.0)


@by_formula(plain.cdf)
def cdf(x: Any, df: Any) -> Any:
    """The probability of at most x."""
    return gamma.cdf(x, df / 2.0, 0.0, 2.0)


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
