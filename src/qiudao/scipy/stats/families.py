"""Kinds of continuous distributions."""

from typing import Any

import numpy as np

from .distribution import INF, Distribution

LOG_2PI = np.log(2 * np.pi)


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
