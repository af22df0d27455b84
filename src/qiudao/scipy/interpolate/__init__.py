"""`qd.scipy.interpolate`: curves and tables through data, with derivatives in place and data."""

from .bsplines import BSpline, make_interp_spline
from .grids import RegularGridInterpolator
from .lines import interp1d
from .pieces import CubicHermiteSpline, PPoly
from .splines import Akima1DInterpolator, CubicSpline, PchipInterpolator

__all__ = [
    "Akima1DInterpolator",
    "BSpline",
    "CubicHermiteSpline",
    "CubicSpline",
    "PPoly",
    "PchipInterpolator",
    "RegularGridInterpolator",
    "interp1d",
    "make_interp_spline",
]
