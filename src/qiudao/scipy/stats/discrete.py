"""Distributions of whole numbers, by the logarithm of the probability."""

from typing import Any, ClassVar

import numpy as np

from scipy import special

from .distribution import INF, Distribution


class Counts(Distribution):
    """A distribution of whole numbers from 0 on."""

    is_discrete: ClassVar[bool] = True

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0, INF


class poissonDistribution(Counts):
    shapes: ClassVar[tuple[str, ...]] = ("mu",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.xlogy(z, shapes[0]) - special.gammaln(z + 1) - shapes[0]

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(z + 1, shapes[0])

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(z + 1, shapes[0])


class binomDistribution(Counts):
    shapes: ClassVar[tuple[str, ...]] = ("n", "p")

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0, shapes[0]

    def log_density(self, z: Any, *shapes: Any) -> Any:
        n, p = shapes
        ways = special.gammaln(n + 1) - special.gammaln(z + 1) - special.gammaln(n - z + 1)
        return ways + special.xlogy(z, p) + special.xlog1py(n - z, -p)

    def below(self, z: Any, *shapes: Any) -> Any:
        n, p = shapes
        last = z >= n
        found = special.betainc(np.where(last, 1, n - z), z + 1, 1 - p)
        return np.where(last, 1.0, found)


class bernoulliDistribution(binomDistribution):
    shapes: ClassVar[tuple[str, ...]] = ("p",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0, 1

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.xlogy(z, shapes[0]) + special.xlog1py(1 - z, -shapes[0])

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.where(z >= 1, 1.0, 1 - shapes[0])


class nbinomDistribution(Counts):
    shapes: ClassVar[tuple[str, ...]] = ("n", "p")

    def log_density(self, z: Any, *shapes: Any) -> Any:
        n, p = shapes
        ways = special.gammaln(n + z) - special.gammaln(z + 1) - special.gammaln(n)
        return ways + n * np.log(p) + special.xlog1py(z, -p)

    def below(self, z: Any, *shapes: Any) -> Any:
        n, p = shapes
        return special.betainc(n, z + 1, p)


class geomDistribution(Counts):
    shapes: ClassVar[tuple[str, ...]] = ("p",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 1, INF

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.xlog1py(z - 1, -shapes[0]) + np.log(shapes[0])

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(z * np.log1p(-shapes[0]))

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(z * np.log1p(-shapes[0]))


bernoulli = bernoulliDistribution()
binom = binomDistribution()
geom = geomDistribution()
nbinom = nbinomDistribution()
poisson = poissonDistribution()
