"""`qd.scipy.interpolate`: curves and tables through data, with derivatives in place and data."""

from .grids import RegularGridInterpolator
from .lines import interp1d
from .pieces import CubicHermiteSpline, PPoly
from .splines import Akima1DInterpolator, CubicSpline, PchipInterpolator

__all__ = ["CubicSpline", "PchipInterpolator", "RegularGridInterpolator", "interp1d"]
