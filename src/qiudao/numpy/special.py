"""`qiudao.numpy.special`: SciPy's special functions, under the name that SciPy looks for.

With `SCIPY_ARRAY_API=1` SciPy finds a special function for an array of another library as
`xp.special.<name>`.
"""

from __future__ import annotations

from typing import Any

from ..scipy import special
from .names import of_module


def __getattr__(name: str) -> Any:
    """A function of `qd.scipy.special`, with tensors for results."""
    found = globals()[name] = of_module(special, name, __name__)
    return found


def __dir__() -> list[str]:
    """What completion offers."""
    return dir(special)
