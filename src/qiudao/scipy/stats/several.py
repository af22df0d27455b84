"""Distributions of several numbers together."""

from typing import Any

import numpy as np

from scipy import special
from scipy import stats as theirs

from ..operands import array, depends
from ..special import multigammaln
from .distribution import Frozen


class Several:
    """SciPy's distribution of the same name, with derivatives in the value and the parameters."""

    def __init__(self) -> None:
        name = type(self).__name__.removesuffix("Distribution")
        self.theirs = getattr(theirs, name)
        self.__doc__ = f"`scipy.stats.{name}`, with derivatives in the value and parameters."

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        """The distribution with these parameters."""
        return Frozen(self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """What is not stated here is SciPy's."""
        return getattr(self.theirs, name)


class Dense(Several):
    """One that has a density, of which `logpdf` is stated."""

    def pdf(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The density at `x`, with the parameters of `logpdf`."""
        if not depends(x, args, kwargs):
            return self.theirs.pdf(x, *args, **kwargs)
        return np.exp(self.logpdf(x, *args, **kwargs))


def whitened(x: Any, middle: Any, spread: Any) -> tuple[Any, Any, int]:
    """|L^-1 (x - middle)|^2, log det L, and the number of components, with spread = L L^T."""
    size = np.shape(spread)[-1] if np.ndim(spread) else np.size(middle) if middle is not None else 1
    if np.ndim(spread) < 2:
        spread = spread * np.eye(size)
    away = x - (0 if middle is None else middle)
    away = away if np.ndim(away) else np.reshape(away, 1)
    if size == 1 and np.shape(away)[-1] != 1:
        away = away[..., np.newaxis]
    factor = np.linalg.cholesky(spread)
    white = np.linalg.solve(factor, np.reshape(away, (-1, size)).T)
    square = np.reshape(np.sum(white**2, axis=0), np.shape(away)[:-1])
    return square, np.sum(np.log(np.diagonal(factor))), size


class multivariate_normalDistribution(Dense):
    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, **options: Any) -> Any:
        """The logarithm of the density at `x`, of shape (..., n): by the Cholesky factor."""
        if not depends(x, mean, cov):
            return self.theirs.logpdf(x, mean, cov, **options)
        square, half_log_det, size = whitened(x, mean, cov)
        return -square / 2 - half_log_det - size / 2 * np.log(2 * np.pi)


class multivariate_tDistribution(Dense):
    def logpdf(self, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
        """The logarithm of the density at `x`, of shape (..., n): by the Cholesky factor."""
        if not depends(x, loc, shape, df):
            return self.theirs.logpdf(x, loc, shape, df)
        square, half_log_det, size = whitened(x, loc, shape)
        norm = special.gammaln((df + size) / 2) - special.gammaln(df / 2)
        norm = norm - size / 2 * np.log(df * np.pi) - half_log_det
        return norm - (df + size) / 2 * np.log1p(square / df)


class wishartDistribution(Dense):
    def logpdf(self, x: Any, df: Any, scale: Any) -> Any:
        """The logarithm of the density at one definite matrix `x`, of shape (p, p)."""
        if not depends(x, df, scale):
            return self.theirs.logpdf(x, df, scale)
        size = np.shape(scale)[-1]
        of_scale, of_x = np.linalg.cholesky(scale), np.linalg.cholesky(x)
        log_scale, log_x = (2 * np.sum(np.log(np.diagonal(f))) for f in (of_scale, of_x))
        trace = np.sum(np.linalg.solve(of_scale, of_x) ** 2)
        norm = df * size / 2 * np.log(2) + df / 2 * log_scale + multigammaln(df / 2, size)
        return (df - size - 1) / 2 * log_x - trace / 2 - norm


class dirichletDistribution(Dense):
    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density at `x`, whose first axis sums to 1."""
        if not depends(x, alpha):
            return self.theirs.logpdf(x, alpha)
        x, alpha = array(x), array(alpha)
        if np.shape(x)[0] == np.shape(alpha)[0] - 1:
            rest = 1 - np.sum(x, axis=0, keepdims=True)
            x = np.concatenate([x, rest])
        shaped = np.reshape(alpha, np.shape(alpha) + (1,) * (np.ndim(x) - 1))
        norm = np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))
        return np.sum(special.xlogy(shaped - 1, x), axis=0) - norm


class multinomialDistribution(Several):
    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """The logarithm of the probability of the counts `x`, of shape (..., k)."""
        if not depends(x, n, p):
            return self.theirs.logpmf(x, n, p)
        x = np.asarray(x)
        return special.gammaln(n + 1) + np.sum(
            special.xlogy(x, p) - special.gammaln(x + 1.0), axis=-1
        )

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """The probability of the counts `x`."""
        return np.exp(self.logpmf(x, n, p)) if depends(x, n, p) else self.theirs.pmf(x, n, p)


dirichlet = dirichletDistribution()
multinomial = multinomialDistribution()
multivariate_normal = multivariate_normalDistribution()
multivariate_t = multivariate_tDistribution()
wishart = wishartDistribution()
