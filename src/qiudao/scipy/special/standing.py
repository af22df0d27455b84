"""Which of the two stands for a function: SciPy's own on plain arrays, ours on tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import scipy.special

from ..operands import depends

F = TypeVar("F", bound=Callable[..., Any])


def on_tensors(ours: F) -> F:
    """Let ours stand in for SciPy's function of its name where a tensor is among the arguments."""
    theirs = getattr(scipy.special, ours.__name__)

    @functools.wraps(theirs, assigned=("__name__", "__doc__"))
    def call(*args: Any, **kwargs: Any) -> Any:
        return (ours if depends(*args, *kwargs.values()) else theirs)(*args, **kwargs)

    return cast("F", call)
