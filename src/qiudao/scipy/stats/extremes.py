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
    """The shape c at 0 itself is the Gumbel distribution: use `gumbel_r`."""

    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        (c,) = shapes
        return np.where(c < 0, 1 / c, -INF), np.where(c > 0, 1 / c, INF)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        inner = np.log1p(-c * z)
        return -np.exp(inner / c) + inner / c - inner

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return np.exp(np.log1p(-shapes[0] * z) / shapes[0])


genextreme = genextremeDistribution()
gumbel_l = gumbel_lDistribution()
gumbel_r = gumbel_rDistribution()
weibull_max = weibull_maxDistribution()
weibull_min = weibull_minDistribution()
