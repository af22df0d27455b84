"""The Dirichlet distribution of concentrations `alpha`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import gammaln, xlogy

from .formulas import by_formula

plain = scipy.stats.dirichlet


@by_formula(plain.logpdf)
def logpdf(x: Any, alpha: Any) -> Any:
    """sum((alpha - 1) log x) + log Gamma(sum alpha) - sum log Gamma(alpha)."""
    constant = gammaln(np.sum(alpha)) - np.sum(gammaln(alpha))
    return constant + np.sum(xlogy(alpha - 1.0, x.T).T, axis=0)


@by_formula(plain.pdf)
def pdf(x: Any, alpha: Any) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(logpdf(x, alpha))


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
