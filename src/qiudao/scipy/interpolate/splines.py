"""Cubic curves through data."""

from typing import Any

from scipy import interpolate as theirs

from ..operands import depends, rising, stand_in
from .pieces import CubicHermiteSpline
from .slopes import akima, monotone, of_spline


class CubicSpline(CubicHermiteSpline):
    """`scipy.interpolate.CubicSpline`, with derivatives in the places, the knots `x`, the data `y`
    and the slopes or second derivatives that `bc_type` states for the ends.

    Ends are "not-a-knot", "natural", "clamped", "periodic", or (order, value).  Where the knots
    are plain, the slopes are a matrix of n by n numbers times the data; where they carry a
    derivative, a full system of n equations is solved.  Of periodic data the last is not read.

    >>> from qiudao.scipy import interpolate
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> qd.grad(lambda p: interpolate.CubicSpline(x, x**3)(p))(1.5).round(9)
    np.float64(6.75)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        axis: int = 0,
        bc_type: Any = "not-a-knot",
        extrapolate: Any = None,
    ) -> None:
        pair = isinstance(bc_type, tuple | list) and len(bc_type) == 2
        plain_ends = tuple(map(plain_end, bc_type)) if pair else bc_type
        curve = theirs.CubicSpline(rising(x), stand_in(y), axis, plain_ends, extrapolate)
        ends = [bc_type, bc_type] if isinstance(bc_type, str) else list(bc_type)
        stated = [STATED.get(end, end) if isinstance(end, str) else end for end in ends]
        self.go_through(curve, x, y, lambda x, y: of_spline(x, y, stated), bc_type)


STATED = {"clamped": (1, 0.0), "natural": (2, 0.0)}  # the derivative that is 0 at the end


def plain_end(end: Any) -> Any:
    """An end for SciPy to check."""
    return (end[0], stand_in(end[1])) if depends(end) else end


class PchipInterpolator(CubicHermiteSpline):
    """`scipy.interpolate.PchipInterpolator`, with derivatives in the places, the knots `x` and the
    data `y`.

    The slope at a knot is the weighted harmonic mean of those of its sides, and 0 where these have
    not the same sign (Fritsch and Butland, A method for constructing local monotone piecewise cubic
    interpolants, 1984).

    >>> from qiudao.scipy import interpolate
    >>> x, y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0])
    >>> qd.grad(lambda y: interpolate.PchipInterpolator(x, y)(0.5))(y).round(4)
    array([ 0.4236,  0.6667, -0.0903])
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        curve = theirs.PchipInterpolator(rising(x), stand_in(y), axis, extrapolate)
        self.go_through(curve, x, y, monotone)


class Akima1DInterpolator(CubicHermiteSpline):
    """`scipy.interpolate.Akima1DInterpolator`, with derivatives in the places, the knots `x` and
    the data `y`; `method` is "akima" or "makima".

    Where neighbouring chords have equal slopes, the derivative in the data has a jump, as |u| has
    at 0; there it is that of |u| with slope 0.

    >>> from qiudao.scipy import interpolate
    >>> x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 4.0, 9.0])
    >>> qd.grad(lambda p: interpolate.Akima1DInterpolator(x, y)(p))(1.5).round(9)
    np.float64(3.0)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        axis: int = 0,
        *,
        method: Any = "akima",
        extrapolate: Any = None,
    ) -> None:
        curve = theirs.Akima1DInterpolator(
            rising(x), stand_in(y), axis, method=method, extrapolate=extrapolate
        )
        self.go_through(curve, x, y, lambda x, y: akima(x, y, method))
