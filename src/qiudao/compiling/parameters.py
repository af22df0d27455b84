"""The parameters of a function that the options of `jit` name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.errors import GradientError
from ..core.signatures import signature


def parameters_of(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters that may be passed by position."""
    return tuple(
        p.name
        for p in signature(f).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    )


def check_names(f: Callable[..., Any], static: frozenset[str]) -> None:
    """Refuse names that are no parameters."""
    if not static:
        return
    parameters = signature(f).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in sorted(static - set(parameters)):
        raise GradientError(
            f"jit: static_argnames names {name!r}, which is no parameter; there are "
            f"{', '.join(parameters)}"
        )


def donated_names(
    f: Callable[..., Any], donate: Sequence[str | int], static: frozenset[str]
) -> tuple[str, ...]:
    """The names of the donated parameters, which are given by name or by position."""
    if not donate:
        return ()
    parameters = parameters_of(f)
    listed = ", ".join(parameters)
    names: list[str] = []
    for each in donate:
        if type(each) is int:
            if not 0 <= each < len(parameters):
                raise GradientError(
                    f"jit: donate has position {each}, where no parameter is; there are {listed}"
                )
            each = parameters[each]
        if each not in signature(f).parameters:
            raise GradientError(
                f"jit: donate names {each!r}, which is no parameter; there are {listed}"
            )
        if each in static:
            raise GradientError(
                f"jit: {each!r} is static and donated; donate arrays, which have memory to give"
            )
        names.append(each)  # type: ignore[arg-type]
    return tuple(names)
