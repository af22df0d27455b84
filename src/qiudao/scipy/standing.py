"""What `qd.lift` calls in place of SciPy's own functions."""

import importlib
from collections.abc import Callable
from typing import Any

from . import MODULES


def find(f: Any) -> Callable[..., Any] | None:
    """Our function for SciPy's `f`, however that was imported; None where there is none."""
    name = getattr(f, "__name__", None)
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
