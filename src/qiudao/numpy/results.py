"""NumPy's functions with tensors for results."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import Tracer
from ..core.modes import tape_level
from ..tape.tensor import Tensor


def tensors(found: Any) -> Any:
    """A result with tensors in place of its plain arrays and NumPy numbers.

    What is tuple or list is gone into; dtypes, Python's numbers and what tracers are stay.
    """
    if isinstance(found, Tracer):
        return found
    if isinstance(found, np.ndarray | np.generic):
        return Tensor.make(found, None, tape_level()) if found.dtype.kind in "fciub" else found
    if isinstance(found, tuple):
        parts = map(tensors, found)
        return type(found)(*parts) if hasattr(found, "_fields") else tuple(parts)
    return list(map(tensors, found)) if type(found) is list else found


def giving_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as the namespace has it: what it gives are tensors, whatever it is given."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return tensors(function(*args, **kwargs))

    return called
