"""The options of optimisers, checked when they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import GradientError

__all__ = ["at_least", "checked", "is_number"]

AT_LEAST_ZERO = ("lr", "eps", "weight_decay", "momentum", "alpha")


def is_number(x: Any) -> bool:
    """Whether a value is known now: a traced one, or a schedule, is not looked at."""
    return isinstance(x, int | float | np.integer | np.floating)


def is_none_known(x: Any) -> bool:
    """Whether a value is no number, now or when it is known."""
    return x is None or isinstance(x, str | bytes | complex)


def at_least(name: str, what: str, value: Any, least: float, is_whole: bool = False) -> Any:
    """A number that is not below `least`; a traced one may be any."""
    if hasattr(value, "dtype") and not is_number(value):
        return value
    is_good = is_number(value) and not isinstance(value, bool) and value >= least
    if not is_good or (is_whole and value != value // 1):
        kind = "a whole number" if is_whole else "a number"
        raise GradientError(f"{name}: {what}={value!r}; it must be {kind}, at least {least:g}")
    return value


def checked(name: str, options: Mapping[str, Any]) -> None:
    """Raise for options that no run can have meant."""
    for key in AT_LEAST_ZERO:
        value = options.get(key, 0)
        if is_number(value) and not value >= 0:
            raise GradientError(f"{name}: {key}={value} is out of range; give a number >= 0")
        if is_none_known(value):
            raise GradientError(f"{name}: {key}={value!r} is no number; give a number >= 0")
    for key, high in (("alpha", 1), ("dampening", np.inf)):
        value = options.get(key, 0)
        if is_none_known(value) or (is_number(value) and not value <= high):
            raise GradientError(f"{name}: {key}={value!r} is out of range; give a number <= {high}")
    betas = options.get("betas", (0, 0))
    is_pair = isinstance(betas, tuple | list) and len(betas) == 2
    if not is_pair or any(map(is_none_known, betas)):
        raise GradientError(f"{name}: betas={betas} is not a pair; give two numbers")
    for beta in betas:
        if is_number(beta) and not 0 <= beta < 1:
            raise GradientError(
                f"{name}: betas={options['betas']} is out of range; give two numbers from 0 to "
                "less than 1"
            )
    if options.get("nesterov") and (
        (is_number(options["momentum"]) and options["momentum"] <= 0)
        or (is_number(options["dampening"]) and options["dampening"] != 0)
    ):
        raise GradientError(
            f"{name}: nesterov=True with momentum={options['momentum']} and "
            f"dampening={options['dampening']} is not defined; give momentum > 0 and dampening=0"
        )
