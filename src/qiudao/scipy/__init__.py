"""`qd.scipy`: SciPy's functions that cannot dispatch, differentiable.

Each module is named as SciPy's and has its functions' signatures; on plain arrays a function is
SciPy's own.  SciPy is imported when a module is first asked for.
"""

import importlib
from typing import Any

MODULES = (
    "fft",
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "spatial",
    "special",
    "stats",
)


def __getattr__(name: str) -> Any:
    """A module, imported when it is first asked for."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    """What completion offers."""
    return sorted({*globals(), *MODULES})
