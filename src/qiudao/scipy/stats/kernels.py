"""Densities estimated from samples."""

from typing import Any

import numpy as np

from scipy import stats as theirs

from ..operands import array, depends, known
from ..special import logsumexp
from .several import multivariate_normal


class gaussian_kde:
    """`scipy.stats.gaussian_kde`: the density of samples as a mean of Gaussians about them, with
    derivatives in the points, the samples, the weights and a number as `bw_method`.

    Each Gaussian has the covariance of the samples times the square of the factor h, by Scott's
    rule n^(-1 / (d + 4)) or Silverman's (n (d + 2) / 4)^(-1 / (d + 4)), where n is the effective
    number of samples.  Beside `evaluate`, `pdf` and `logpdf` its methods are SciPy's, of the plain
    samples.

    >>> from qiudao.scipy import stats
    >>> samples = np.array([0.0, 1.0, 3.0])
    >>> qd.grad(lambda x: stats.gaussian_kde(samples)(x)[0])(np.array([1.0])).round(4)
    array([-0.0136])
    """

    def __init__(self, dataset: Any, bw_method: Any = None, weights: Any = None) -> None:
        self.moving = depends(dataset, bw_method, weights)
        data = array(dataset)
        data = data[None] if np.ndim(data) == 1 else data
        self.theirs = self.of_numbers(data, bw_method, weights)
        self.d, self.n = np.shape(data)
        share = np.full(self.n, 1 / self.n) if weights is None else array(weights)
        share = share / np.sum(share)
        count = 1 / np.sum(share**2)
        if bw_method is None or (isinstance(bw_method, str) and bw_method == "scott"):
            factor = count ** (-1.0 / (self.d + 4))
        elif isinstance(bw_method, str):
            factor = (count * (self.d + 2) / 4.0) ** (-1.0 / (self.d + 4))
        else:
            factor = self.theirs.factor if callable(bw_method) else bw_method
        middle = np.sum(share * data, axis=1, keepdims=True)
        away = data - middle
        spread = (share * away) @ away.T / (1 - np.sum(share**2))
        self.dataset, self.weights, self.factor = data, share, factor
        self.covariance = spread * factor**2

    def of_numbers(self, data: Any, bw_method: Any, weights: Any) -> Any:
        """SciPy's estimate, where the numbers are at hand."""
        numbers = [v if v is None or callable(v) or isinstance(v, str) else known(v)
                   for v in (data, bw_method, weights)]  # fmt: skip
        given = zip((data, bw_method, weights), numbers, strict=True)
        if any(v is not None and n is None for v, n in given):
            return None
        bandwidth = numbers[1][()] if isinstance(numbers[1], np.ndarray) else numbers[1]
        return theirs.gaussian_kde(numbers[0], bandwidth, numbers[2])

    def __getattr__(self, name: str) -> Any:
        """What is not stated here is SciPy's."""
        if name.startswith("_") or name == "theirs" or self.theirs is None:
            raise AttributeError(name)
        return getattr(self.theirs, name)

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the density at points of shape (d, points)."""
        if not self.moving and not depends(x):
            return self.theirs.logpdf(x)
        points = array(x)
        points = np.reshape(points, (self.d, -1)) if np.ndim(points) < 2 else points
        log_density = multivariate_normal.logpdf(points.T[:, None], self.dataset.T, self.covariance)
        return logsumexp(log_density + np.log(self.weights), axis=1)

    def evaluate(self, points: Any) -> Any:
        """The density at points of shape (d, points)."""
        if not self.moving and not depends(points):
            return self.theirs.evaluate(points)
        return np.exp(self.logpdf(points))

    __call__ = evaluate

    def pdf(self, x: Any) -> Any:
        """The density at points of shape (d, points)."""
        return self.evaluate(x)
