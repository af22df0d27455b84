"""The options of optimisers, checked when they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import GradientError

__all__ = ["checked"]

AT_LEAST_ZERO = ("lr", "eps", "weight_decay", "momentum", "alpha")


def is_number(x: Any) -> bool:
    """Whether a value is known now: a traced one, or a schedule, is not looked at."""
    return isinstance(x, int | float)


def checked(name: str, options: Mapping[str, Any]) -> None:
    """Raise for options that no run can have meant."""
    for key in AT_LEAST_ZERO:
        value = options.get(key, 0)
        if is_number(value) and not value >= 0:
            raise GradientError(f"{name}: {key}={value} is out of range; give a number >= 0")
        if isinstance(value, str | bytes | None):
            raise GradientError(f"{name}: {key}={value!r} is no number; give a number >= 0")
    betas = options.get("betas", (0, 0))
    if is_number(betas) or len(betas) != 2:
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
