"""`qd.scipy.optimize`: solutions with derivatives, found with exact derivatives."""

from .fitting import curve_fit, least_squares
from .linear import linprog, lsq_linear, nnls
from .minimizing import minimize, minimize_scalar
from .roots import (
    bisect,
    brenth,
    brentq,
    fixed_point,
    fsolve,
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
    "fsolve",
    "least_squares",
    "linprog",
    "lsq_linear",
    "minimize",
    "minimize_scalar",
    "newton",
    "nnls",
    "ridder",
    "root",
    "root_scalar",
    "toms748",
]
