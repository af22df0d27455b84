"""`autograd.numpy.random`: NumPy's own, whose draws are constants."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = sorted(np.random.__all__)


def __getattr__(name: str) -> Any:
    """A name of NumPy's."""
    return getattr(np.random, name)
