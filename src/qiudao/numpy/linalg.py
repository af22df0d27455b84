"""`qiudao.numpy.linalg`: `numpy.linalg` with tensors for results."""

from __future__ import annotations

from typing import Any

import numpy as np

from .names import of_module


def __getattr__(name: str) -> Any:
    """A name of `numpy.linalg`: a function of it gives tensors."""
    found = globals()[name] = of_module(np.linalg, name, __name__)
    return found


def __dir__() -> list[str]:
    """What completion offers."""
    return list(np.linalg.__all__)
