"""The methods of NumPy's generator in lifted functions: the same numbers, which move.

Those whose draws NumPy makes another way than we do (`beta`, `dirichlet`, `standard_t`,
`multivariate_normal`) are not among them: a lifted function gives the numbers that it always gave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.avals import Value
from .gammas import chisquare, gamma
from .located import exponential, gumbel, laplace, logistic, lognormal, normal, uniform

LOCATED: dict[str, Callable[..., Value]] = {
    "gumbel": gumbel,
    "laplace": laplace,
    "logistic": logistic,
    "normal": normal,
    "uniform": uniform,
}


def located(name: str) -> Callable[..., Value]:
    """A method with a place and a scale."""

    def draw(rng: Any, *args: Any, size: Any = None, **options: Any) -> Value:
        return LOCATED[name](rng, *args, **_shaped(args, 3, size), **options)

    return draw


def _shaped(args: tuple[Any, ...], count: int, size: Any) -> dict[str, Any]:
    """The shape as a keyword, unless it is the last of so many arguments by position."""
    return {} if len(args) >= count else {"shape": size}


def _lognormal(rng: Any, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Value:
    return lognormal(rng, mean, sigma, size)


def _exponential(rng: Any, scale: Any = 1.0, size: Any = None) -> Value:
    return exponential(rng, scale, size)


def _gamma(rng: Any, shape: Any, scale: Any = 1.0, size: Any = None) -> Value:
    return gamma(rng, shape, scale, size)


def _standard_gamma(rng: Any, shape: Any, size: Any = None) -> Value:
    return gamma(rng, shape, 1.0, size)


def _chisquare(rng: Any, df: Any, size: Any = None) -> Value:
    return chisquare(rng, df, size)


METHODS: dict[str, Callable[..., Value]] = {
    **{name: located(name) for name in LOCATED},
    "chisquare": _chisquare,
    "exponential": _exponential,
    "gamma": _gamma,
    "lognormal": _lognormal,
    "standard_gamma": _standard_gamma,
}
