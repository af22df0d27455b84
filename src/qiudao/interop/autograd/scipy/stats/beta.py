"""The beta distribution of shapes `a` and `b`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy.special import betainc, betaln, xlogy

from .formulas import by_formula, within

plain = scipy.stats.beta


@by_formula(plain.logpdf)
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """(a - 1) log z + (b - 1) log(1 - z) - log B(a, b) - log(scale), with z in [0, 1]."""
    z = (x - loc) / scale
    inside = (z >= 0) & (z <= 1)
    z = np.where(inside, z, 0.5)
    density = xlogy(a - 1.0, z) + xlogy(b - 1.0, 1.0 - z) - betaln(a, b)
    return within(inside, density) - np.log(scale)


@by_formula(plain.pdf)
def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(logpdf(x, a, b, loc, scale))


@by_formula(plain.cdf)
def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    """The probability of at most x: the regularised incomplete beta function."""
    return betainc(a, b, np.minimum(np.maximum((x - loc) / scale, 0.0), 1.0))


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
