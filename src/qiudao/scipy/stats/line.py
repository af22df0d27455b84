"""Distributions on all numbers.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions.
"""

from typing import Any, ClassVar

import numpy as np

from scipy import special

from .distribution import Distribution
from .families import LOG_2PI, Symmetric


class normDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -(z**2) / 2 - LOG_2PI / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(z)


class tDistribution(Symmetric):
    shapes: ClassVar[tuple[str, ...]] = ("df",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (df,) = shapes
        norm = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - np.log(df * np.pi) / 2
        return norm - (df + 1) / 2 * np.log1p(z**2 / df)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.stdtr(shapes[0], z)


class cauchyDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -np.log1p(z**2) - np.log(np.pi)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.arctan2(1.0, -z) / np.pi


class laplaceDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -np.abs(z) - np.log(2)

    def below(self, z: Any, *shapes: Any) -> Any:
        tail = np.exp(nearer(z)) / 2
        return np.where(z > 0, 1 - tail, tail)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        tail = nearer(z) - np.log(2)
        return np.where(z > 0, np.log1p(-np.exp(tail)), tail)


def nearer(z: Any) -> Any:
    """-|z| by branches: at 0, where the two halves of a cdf meet smoothly, |z| has slope 0."""
    return np.where(z > 0, -z, z)


class logisticDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z) + special.log_expit(-z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.expit(z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z)


class skewnormDistribution(Distribution):
    """Where the cdf is below 1e-16 it is 0: a difference of two numbers is taken."""

    shapes: ClassVar[tuple[str, ...]] = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2) - z**2 / 2 - LOG_2PI / 2 + special.log_ndtr(shapes[0] * z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.maximum(special.ndtr(z) - 2 * special.owens_t(z, shapes[0]), 0.0)


cauchy = cauchyDistribution()
laplace = laplaceDistribution()
logistic = logisticDistribution()
norm = normDistribution()
skewnorm = skewnormDistribution()
t = tDistribution()
