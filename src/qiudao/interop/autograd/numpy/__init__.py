"""`autograd.numpy`: NumPy, with functions that take lists of traced values replaced.

Every other name is NumPy's own, whose functions know our tracers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import fft as fft
from . import linalg as linalg
from . import making
from . import random as random
from .making import array as array
from .making import asarray as asarray
from .making import c_ as c_
from .making import full as full
from .making import full_like as full_like
from .making import metadata as metadata
from .making import r_ as r_
from .making import where as where

asanyarray = asarray
__version__ = np.__version__

__all__ = sorted({*np.__all__, "asanyarray", "metadata"} - {"matrix", "newaxis"})


def __getattr__(name: str) -> Any:
    """A name of NumPy's, kept once it was asked for."""
    found = globals()[name] = making.adapt(np, name)
    return found


def __dir__() -> list[str]:
    """What completion offers."""
    return sorted({*globals(), *np.__all__})
