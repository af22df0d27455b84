"""Distributions on the positive numbers.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions.
"""

from typing import Any, ClassVar

import numpy as np

from scipy import special

from .distribution import INF
from .families import LOG_2PI, ByHazard, Positive


class lognormDistribution(Positive):
    shapes: ClassVar[tuple[str, ...]] = ("s",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (s,) = shapes
        return -((np.log(z) / s) ** 2) / 2 - np.log(s * z) - LOG_2PI / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(np.log(z) / shapes[0])

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(-np.log(z) / shapes[0])

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(np.log(z) / shapes[0])

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(-np.log(z) / shapes[0])


class exponDistribution(ByHazard, Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -z

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return z


class rayleighDistribution(ByHazard, Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(z) - z**2 / 2

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return z**2 / 2


class gammaDistribution(Positive):
    shapes: ClassVar[tuple[str, ...]] = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (a,) = shapes
        return special.xlogy(a - 1, z) - z - special.gammaln(a)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0], z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0], z)


class chi2Distribution(Positive):
    shapes: ClassVar[tuple[str, ...]] = ("df",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        half = shapes[0] / 2
        return special.xlogy(half - 1, z) - z / 2 - special.gammaln(half) - half * np.log(2)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0] / 2, z / 2)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0] / 2, z / 2)


class invgammaDistribution(Positive):
    shapes: ClassVar[tuple[str, ...]] = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (a,) = shapes
        return -(a + 1) * np.log(z) - special.gammaln(a) - 1 / z

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.gammaincc(shapes[0], 1 / z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.gammainc(shapes[0], 1 / z)


class fDistribution(Positive):
    shapes: ClassVar[tuple[str, ...]] = ("dfn", "dfd")

    def log_density(self, z: Any, *shapes: Any) -> Any:
        n, m = shapes
        return (
            special.xlogy(n / 2 - 1, z) + n / 2 * np.log(n) + m / 2 * np.log(m)
            - (n + m) / 2 * np.log(m + n * z) - special.betaln(n / 2, m / 2)
        )  # fmt: skip

    def below(self, z: Any, *shapes: Any) -> Any:
        n, m = shapes
        return special.betainc(n / 2, m / 2, n * z / (n * z + m))

    def above(self, z: Any, *shapes: Any) -> Any:
        n, m = shapes
        return special.betainc(m / 2, n / 2, m / (n * z + m))


class halfcauchyDistribution(Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2 / np.pi) - np.log1p(z**2)

    def below(self, z: Any, *shapes: Any) -> Any:
        return 2 / np.pi * np.arctan(z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return 2 / np.pi * np.arctan2(1.0, z)


class halfnormDistribution(Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2 / np.pi) / 2 - z**2 / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.erf(z / np.sqrt(2))

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.erfc(z / np.sqrt(2))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(-z) + np.log(2)


class paretoDistribution(ByHazard):
    shapes: ClassVar[tuple[str, ...]] = ("b",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 1.0, INF

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(shapes[0]) - (shapes[0] + 1) * np.log(z)

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return shapes[0] * np.log(z)


chi2 = chi2Distribution()
expon = exponDistribution()
f = fDistribution()
gamma = gammaDistribution()
halfcauchy = halfcauchyDistribution()
halfnorm = halfnormDistribution()
invgamma = invgammaDistribution()
lognorm = lognormDistribution()
pareto = paretoDistribution()
rayleigh = rayleighDistribution()
