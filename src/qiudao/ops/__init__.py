"""The mathematics: a file for each family of primitives with their public functions.

Importing this package fills the table from NumPy's functions to ours with what hardly a program
does without.  The families in `common.py`, and then those in `rarer.py`, follow when a function is
met that is not in the table yet, and those in `special` when SciPy is loaded too.  Rules are
written with NumPy's own functions, which dispatch back here when their operands are tracers; so a
rule can be differentiated like any other program, to every order.
"""

from ..core.dispatch import later, later_with
from . import arithmetic, einsum, indexing, products, reducing, selecting, shaping, smooth

later.extend((f"{__name__}.common", f"{__name__}.rarer"))
later_with["scipy.special"] = f"{__name__}.special.families"

__all__ = [
    "arithmetic",
    "einsum",
    "indexing",
    "products",
    "reducing",
    "selecting",
    "shaping",
    "smooth",
]
