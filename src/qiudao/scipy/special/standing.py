"""Which of the two stands for a function: SciPy's own on plain arrays, ours on tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import scipy.special

from ...core.dispatch import Tracer

F = TypeVar("F", bound=Callable[..., Any])


def on_tensors(ours: F) -> F:
    """Let ours stand in for SciPy's function of its name where a tensor is among the arguments."""
    theirs = getattr(scipy.special, ours.__name__)

    @functools.wraps(theirs, assigned=("__name__", "__doc__"))
    def call(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        return (ours if any(map(has_tensor, given)) else theirs)(*args, **kwargs)

    return cast("F", call)


def has_tensor(x: Any) -> bool:
    """Whether a value is a tensor or a list with one in it."""
    if isinstance(x, list | tuple):
        return any(map(has_tensor, x))
    return isinstance(x, Tracer)


def as_array(x: Any) -> Any:
    """An argument as an array, its type as SciPy takes it; lists of tensors are stacked."""
    if isinstance(x, list | tuple) and has_tensor(x):
        return np.stack([as_array(each) for each in x])
    return x if isinstance(x, Tracer) else np.asarray(x)
