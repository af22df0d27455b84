"""What `qd.lift` calls in place of SciPy's own functions."""

import importlib
from collections.abc import Callable
from typing import Any

from . import MODULES


def find(f: Any) -> Callable[..., Any] | None:
    """Our function for SciPy's `f`, however that was imported; None where there is none."""
    name = getattr(f, "__name__", None)
    of = getattr(f, "__self__", None)
    if of is not None and type(of).__module__.startswith("scipy.stats"):
        return method_of_distribution(of, f.__name__)
    parts = (getattr(f, "__module__", None) or "").split(".")
    if name is None or len(parts) < 2 or parts[1] not in MODULES:
        return None
    try:
        ours = importlib.import_module(f"{__package__}.{parts[1]}")
    except ModuleNotFoundError:
        return None
    theirs = importlib.import_module(f"scipy.{parts[1]}")
    found: Callable[..., Any] | None = getattr(ours, name, None)
    return found if getattr(theirs, name, None) is f else None


def method_of_distribution(of: Any, name: str) -> Callable[..., Any] | None:
    """A method of one of SciPy's distributions as our distribution has it."""
    ours = importlib.import_module(f"{__package__}.stats")
    theirs = importlib.import_module("scipy.stats")
    frozen = getattr(of, "dist", None)
    kind = getattr(frozen or of, "name", type(of).__name__.removesuffix("_gen"))
    found = getattr(ours, kind, None)
    if found is None or (frozen is None and getattr(theirs, kind, None) is not of):
        return None
    method: Callable[..., Any] | None = getattr(found, name, None)
    return method
