"""NumPy's names, and SciPy's, as this namespace has them."""

from __future__ import annotations

import types
from typing import Any

from .results import giving_tensors


def of_module(module: types.ModuleType, name: str, asked: str) -> Any:
    """A public name of a module, as the module `asked` of this namespace has it."""
    if name.startswith("_") or not hasattr(module, name):
        raise AttributeError(f"module {asked!r} has no attribute {name!r}")
    found = getattr(module, name)
    if isinstance(found, type) or not callable(found):
        return found
    return giving_tensors(found)
