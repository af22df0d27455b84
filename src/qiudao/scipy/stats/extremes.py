"""Distributions of extreme values.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions.
"""

from typing import Any, ClassVar

import numpy as np

from scipy import special

from .distribution import INF
from .families import ByHazard, ByReversedHazard, Positive


class weibull_minDistribution(ByHazard, Positive):
    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        return np.log(c) + special.xlogy(c - 1, z) - z**c

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return z ** shapes[0]


class weibull_maxDistribution(ByReversedHazard):
    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return -INF, 0.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        return np.log(c) + special.xlogy(c - 1, -z) - (-z) ** c

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return (-z) ** shapes[0]


class gumbel_rDistribution(ByReversedHazard):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z - np.exp(-z)

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-z)


class gumbel_lDistribution(ByHazard):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return z - np.exp(z)

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return np.exp(z)


class genextremeDistribution(ByReversedHazard):
    """With the shape c at 0, the Gumbel distribution."""

    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        (c,) = shapes
        end = 1 / np.where(c == 0, 1.0, c)
        return np.where(c < 0, end, -INF), np.where(c > 0, end, INF)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        power = log_power(c, z)
        return -np.exp(power) + power - np.log1p(-c * z)

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return np.exp(log_power(shapes[0], z))


def log_power(c: Any, z: Any) -> Any:
    """The logarithm of (1 - c z)^(1 / c), which is -z at c = 0: by its series near there, since the
    quotient loses the digits of its derivative in c.
    """
    u = c * z
    is_near = np.abs(u) < 1e-3
    series = 1 + u * (1 / 2 + u * (1 / 3 + u * (1 / 4 + u * (1 / 5 + u / 6))))
    away = np.where(is_near, 1.0, c)
    return np.where(is_near, -z * series, np.log1p(-np.where(is_near, 0.0, u)) / away)


genextreme = genextremeDistribution()
gumbel_l = gumbel_lDistribution()
gumbel_r = gumbel_rDistribution()
weibull_max = weibull_maxDistribution()
weibull_min = weibull_minDistribution()
