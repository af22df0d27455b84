"""`qd.scipy.optimize`: solutions with derivatives, found with exact derivatives."""

from .fitting import curve_fit, least_squares
from .minimizing import minimize, minimize_scalar
from .roots import (
    bisect,
    brenth,
    brentq,
    fixed_point,
    newton,
    ridder,
    root,
    root_scalar,
    toms748,
)

__all__ = [
    "bisect",
    "brenth",
    "brentq",
    "curve_fit",
    "fixed_point",
    "least_squares",
    "minimize",
    "minimize_scalar",
    "newton",
    "ridder",
    "root",
    "root_scalar",
    "toms748",
]
