"""`qiudao.numpy.special`: SciPy's special functions, under the name that SciPy looks for.

With `SCIPY_ARRAY_API=1` SciPy finds a special function for an array of another library as
`xp.special.<name>`.
"""

from __future__ import annotations

from typing import Any

from ..scipy import special
from .results import giving_tensors


def __getattr__(name: str) -> Any:
    """A function of `qd.scipy.special`, with tensors for results."""
    if name.startswith("_") or not hasattr(special, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = giving_tensors(getattr(special, name))
    return found


def __dir__() -> list[str]:
    """What completion offers."""
    return dir(special)
