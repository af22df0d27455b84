"""The families that most programs do without: half of the time that importing all would take."""

from . import (
    convolving,
    counting,
    differences,
    fourier,
    linalg,
    logsums,
    nans,
    networks,
    padding,
    piecewise,
    polynomials,
    quantiles,
    remainders,
    scanning,
    sorting,
    triangles,
)

__all__ = [
    "convolving",
    "counting",
    "differences",
    "fourier",
    "linalg",
    "logsums",
    "nans",
    "networks",
    "padding",
    "piecewise",
    "polynomials",
    "quantiles",
    "remainders",
    "scanning",
    "sorting",
    "triangles",
]
