"""Continuous distributions, each by its logarithm of the density for loc 0 and scale 1.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions.
"""

from typing import Any, ClassVar

import numpy as np

import qiudao as qd
from scipy import special
from scipy import stats as theirs

from ...core.avals import Aval
from ..operands import solve
from .distribution import INF, Distribution

LOG_2PI = np.log(2 * np.pi)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


class Positive(Distribution):
    """A distribution on the positive numbers."""

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, INF


class Symmetric(Distribution):
    """A distribution that is the same to both sides of 0."""

    def above(self, z: Any, *shapes: Any) -> Any:
        return self.below(-z, *shapes)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return self.log_below(-z, *shapes)


class ByHazard(Distribution):
    """A distribution whose probability beyond z is e^-H(z): states the cumulative hazard H."""

    def hazard(self, z: Any, *shapes: Any) -> Any:
        """The cumulative hazard."""
        raise NotImplementedError

    def below(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-self.hazard(z, *shapes))

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-self.hazard(z, *shapes))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return -self.hazard(z, *shapes)


class ByReversedHazard(Distribution):
    """A distribution whose probability up to z is e^-H(z)."""

    def hazard(self, z: Any, *shapes: Any) -> Any:
        """The cumulative hazard, from above."""
        raise NotImplementedError

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.exp(-self.hazard(z, *shapes))

    def above(self, z: Any, *shapes: Any) -> Any:
        return -np.expm1(-self.hazard(z, *shapes))

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return -self.hazard(z, *shapes)


class normDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -(z**2) / 2 - LOG_2PI / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.ndtr(z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(z)


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


class weibull_minDistribution(ByHazard, Positive):
    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        return np.log(c) + special.xlogy(c - 1, z) - z**c

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return z ** shapes[0]


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


class weibull_maxDistribution(ByReversedHazard):
    shapes: ClassVar[tuple[str, ...]] = ("c",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return -INF, 0.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (c,) = shapes
        return np.log(c) + special.xlogy(c - 1, -z) - (-z) ** c

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return (-z) ** shapes[0]


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


class betaDistribution(Distribution):
    shapes: ClassVar[tuple[str, ...]] = ("a", "b")

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        a, b = shapes
        return special.xlog1py(b - 1, -z) + special.xlogy(a - 1, z) - special.betaln(a, b)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.betainc(*shapes, z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.betainc(shapes[1], shapes[0], 1 - z)


class tDistribution(Symmetric):
    shapes: ClassVar[tuple[str, ...]] = ("df",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (df,) = shapes
        norm = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - np.log(df * np.pi) / 2
        return norm - (df + 1) / 2 * np.log1p(z**2 / df)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.stdtr(shapes[0], z)


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


class cauchyDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -np.log1p(z**2) - np.log(np.pi)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.arctan2(1.0, -z) / np.pi


class halfcauchyDistribution(Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2 / np.pi) - np.log1p(z**2)

    def below(self, z: Any, *shapes: Any) -> Any:
        return 2 / np.pi * np.arctan(z)

    def above(self, z: Any, *shapes: Any) -> Any:
        return 2 / np.pi * np.arctan2(1.0, z)


class laplaceDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -np.abs(z) - np.log(2)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.where(z > 0, 1 - np.exp(-np.abs(z)) / 2, np.exp(-np.abs(z)) / 2)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        tail = -np.abs(z) - np.log(2)
        return np.where(z > 0, np.log1p(-np.exp(tail)), tail)


class logisticDistribution(Symmetric):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z) + special.log_expit(-z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.expit(z)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        return special.log_expit(z)


class uniformDistribution(Distribution):
    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return 0.0 * z

    def below(self, z: Any, *shapes: Any) -> Any:
        return z


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


class paretoDistribution(ByHazard):
    shapes: ClassVar[tuple[str, ...]] = ("b",)

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 1.0, INF

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(shapes[0]) - (shapes[0] + 1) * np.log(z)

    def hazard(self, z: Any, *shapes: Any) -> Any:
        return shapes[0] * np.log(z)


class halfnormDistribution(Positive):
    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2 / np.pi) / 2 - z**2 / 2

    def below(self, z: Any, *shapes: Any) -> Any:
        return special.erf(z / np.sqrt(2))

    def above(self, z: Any, *shapes: Any) -> Any:
        return special.erfc(z / np.sqrt(2))

    def log_above(self, z: Any, *shapes: Any) -> Any:
        return special.log_ndtr(-z) + np.log(2)


class vonmisesDistribution(Distribution):
    shapes: ClassVar[tuple[str, ...]] = ("kappa",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        (kappa,) = shapes
        return kappa * (np.cos(z) - 1) - LOG_2PI - np.log(special.i0e(kappa))

    def below(self, z: Any, *shapes: Any) -> Any:
        """SciPy's value, with the derivatives of the integral of the density by Gauss's rule: over
        9 of its widths, beyond which it is below 1e-17 of its peak.
        """
        (kappa,) = shapes
        size = np.broadcast_shapes(np.shape(z), np.shape(kappa))
        value = solve(
            "vonmises.cdf", theirs.vonmises.cdf, (z, kappa), [Aval(size, np.dtype(float))]
        )
        start = -np.minimum(np.pi, 9.0 / np.sqrt(qd.stop_gradient(kappa) + 1e-300))
        turned = z - 2 * np.pi * np.round(qd.stop_gradient(z) / (2 * np.pi))
        half = (np.clip(turned, start, -start) - start) / 2
        moving: Any = 0.0
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            moving = moving + weight * np.exp(self.log_density(start + half * (1 + node), kappa))
        moving = half * moving
        return value + (moving - qd.stop_gradient(moving))

    def above(self, z: Any, *shapes: Any) -> Any:
        return self.below(-z, *shapes)


class skewnormDistribution(Distribution):
    """Where the cdf is below 1e-16 it is 0: a difference of two numbers is taken."""

    shapes: ClassVar[tuple[str, ...]] = ("a",)

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return np.log(2) - z**2 / 2 - LOG_2PI / 2 + special.log_ndtr(shapes[0] * z)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.maximum(special.ndtr(z) - 2 * special.owens_t(z, shapes[0]), 0.0)


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


class truncnormDistribution(Distribution):
    shapes: ClassVar[tuple[str, ...]] = ("a", "b")

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return shapes

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return -(z**2) / 2 - LOG_2PI / 2 - log_mass(*shapes)

    def log_below(self, z: Any, *shapes: Any) -> Any:
        a, b = shapes
        return log_mass(a, z) - log_mass(a, b)

    def log_above(self, z: Any, *shapes: Any) -> Any:
        a, b = shapes
        return log_mass(z, b) - log_mass(a, b)

    def below(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self.log_below(z, *shapes))

    def above(self, z: Any, *shapes: Any) -> Any:
        return np.exp(self.log_above(z, *shapes))

    def moments(self, *shapes: Any) -> tuple[Any, Any, Any]:
        a, b = shapes
        mass = log_mass(a, b)
        at_a, at_b = (np.exp(-(x**2) / 2 - LOG_2PI / 2 - mass) for x in shapes)
        ends = weighed(a, at_a) - weighed(b, at_b)
        mean = at_a - at_b
        return mean, 1 + ends - mean**2, (LOG_2PI + 1) / 2 + mass + ends / 2


def weighed(x: Any, density: Any) -> Any:
    """X times the density, 0 at infinity."""
    finite = np.isfinite(x)
    return np.where(finite, np.where(finite, x, 0.0) * density, 0.0)


def log_mass(a: Any, b: Any) -> Any:
    """The logarithm of the standard normal probability between a and b, on the side of 0 where it
    loses no digits.
    """
    right = a > 0
    upper = np.where(right, special.log_ndtr(-a), special.log_ndtr(b))
    lower = np.where(right, special.log_ndtr(-b), special.log_ndtr(a))
    return upper + np.log(-np.expm1(lower - upper))


beta = betaDistribution()
cauchy = cauchyDistribution()
chi2 = chi2Distribution()
expon = exponDistribution()
f = fDistribution()
gamma = gammaDistribution()
genextreme = genextremeDistribution()
gumbel_l = gumbel_lDistribution()
gumbel_r = gumbel_rDistribution()
halfcauchy = halfcauchyDistribution()
halfnorm = halfnormDistribution()
invgamma = invgammaDistribution()
laplace = laplaceDistribution()
logistic = logisticDistribution()
lognorm = lognormDistribution()
norm = normDistribution()
pareto = paretoDistribution()
rayleigh = rayleighDistribution()
skewnorm = skewnormDistribution()
t = tDistribution()
truncnorm = truncnormDistribution()
uniform = uniformDistribution()
vonmises = vonmisesDistribution()
weibull_max = weibull_maxDistribution()
weibull_min = weibull_minDistribution()
