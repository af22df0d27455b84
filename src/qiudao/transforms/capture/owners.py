"""Whose a function is: the user's own is captured, others are called as they are."""

from __future__ import annotations

import os
import sysconfig
from types import FunctionType

from ...core.source import PACKAGE, is_ours

GENERATOR = 0x20 | 0x80 | 0x100 | 0x200  # generators, coroutines and their kin
_LIBRARY = sysconfig.get_paths()["stdlib"] + os.sep
_PACKAGES = ("site-packages" + os.sep, "dist-packages" + os.sep)
_NEVER = ("numpy", "scipy", "jax", "torch", "optree", "pytest", "_pytest")


def is_foreign(f: FunctionType) -> bool:
    """Whether a function is not the user's own: ours, NumPy's, the standard library's."""
    file = f.__code__.co_filename
    if f.__code__.co_flags & GENERATOR or is_ours(file) or file.startswith(PACKAGE):
        return True
    if (getattr(f, "__module__", None) or "").partition(".")[0] in _NEVER:
        return True
    return file.startswith(_LIBRARY) and not any(p in file for p in _PACKAGES)
