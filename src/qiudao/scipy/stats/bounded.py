"""Distributions on an interval or a circle.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions.
"""

from typing import Any, ClassVar

import numpy as np

import qiudao as qd
from scipy import special
from scipy import stats as theirs

from ...core.avals import Aval
from ..operands import solve
from .distribution import Distribution
from .families import LOG_2PI

NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


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


class uniformDistribution(Distribution):
    def support(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, 1.0

    def log_density(self, z: Any, *shapes: Any) -> Any:
        return 0.0 * z

    def below(self, z: Any, *shapes: Any) -> Any:
        return z


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
truncnorm = truncnormDistribution()
uniform = uniformDistribution()
vonmises = vonmisesDistribution()
