"""`autograd.numpy.linalg`: NumPy's, whose functions know our tracers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .making import adapt

__all__ = sorted(np.linalg.__all__)


def __getattr__(name: str) -> Any:
    """A name of NumPy's, kept once it was asked for."""
    found = globals()[name] = adapt(np.linalg, name)
    return found
