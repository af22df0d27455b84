"""The mathematics: a file for each family of primitives with their public functions.

Importing this package fills the table from NumPy's functions to ours.  Rules are written with
NumPy's own functions, which dispatch back here when their operands are tracers; so a rule can be
differentiated like any other program, to every order.
"""

from . import (
    arithmetic,
    complexes,
    convolving,
    differences,
    distances,
    einsum,
    fourier,
    indexing,
    logsums,
    making,
    nans,
    piecewise,
    polynomials,
    products,
    quantiles,
    reducing,
    remainders,
    rounding,
    scanning,
    selecting,
    shaping,
    smooth,
    sorting,
    statistics,
    taking,
    writing,
)

__all__ = [
    "arithmetic",
    "complexes",
    "convolving",
    "differences",
    "distances",
    "einsum",
    "fourier",
    "indexing",
    "logsums",
    "making",
    "nans",
    "piecewise",
    "polynomials",
    "products",
    "quantiles",
    "reducing",
    "remainders",
    "rounding",
    "scanning",
    "selecting",
    "shaping",
    "smooth",
    "sorting",
    "statistics",
    "taking",
    "writing",
]
