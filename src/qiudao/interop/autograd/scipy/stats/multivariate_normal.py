"""The multivariate normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats

from .formulas import HALF_LOG_TAU, by_formula

plain = scipy.stats.multivariate_normal


@by_formula(plain.logpdf)
def logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """-(d^T C^-1 d + log det C + n log(2 pi)) / 2, with d = x - mean along the last axis of `x`."""
    if allow_singular:
        raise NotImplementedError(
            "multivariate_normal.logpdf: with allow_singular=True there is no derivative; pass a "
            "covariance of full rank"
        )
    d = x if mean is None else x - mean
    if np.ndim(d) == 0:
        d = np.reshape(d, (1,))
    n = d.shape[-1]
    if np.ndim(cov) < 2:
        cov = cov * np.eye(n)
    solved = np.linalg.solve(cov, np.reshape(d, (-1, n)).T).T
    square = np.sum(np.reshape(d, (-1, n)) * solved, axis=-1)
    whole = -(square + np.linalg.slogdet(cov)[1]) / 2 - n * HALF_LOG_TAU
    return np.reshape(whole, d.shape[:-1])


@by_formula(plain.pdf)
def pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """The density, exp(logpdf)."""
    return np.exp(logpdf(x, mean, cov, allow_singular))


@by_formula(plain.entropy)
def entropy(mean: Any = None, cov: Any = 1) -> Any:
    """(log det C + n (1 + log(2 pi))) / 2."""
    n = np.shape(cov)[-1] if np.ndim(cov) else 1
    return np.linalg.slogdet(np.reshape(cov, (n, n)))[1] / 2 + n * (0.5 + HALF_LOG_TAU)


def __getattr__(name: str) -> Any:
    """What else SciPy's distribution has."""
    return getattr(plain, name)
