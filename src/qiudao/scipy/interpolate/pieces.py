"""Piecewise polynomials."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import poch

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, at, depends, known, rising, stand_in
from .curves import Curve


def interval(knots: Any, places: Any, side: Any = "right") -> Any:
    """The number k of the interval from knots[k] to knots[k + 1] that each place is in; beyond the
    knots the first and the last.  A constant, also inside `qd.jit` and `qd.vmap`.
    """
    found = np.searchsorted(knots, places, side) - 1
    return np.clip(found, 0, np.shape(knots)[0] - 2)


def column(x: Any, like: Any) -> Any:
    """A vector along the first axis of `like`."""
    return np.reshape(x, (-1, *(1,) * (np.ndim(like) - 1)))


class PPoly(Curve):
    """`scipy.interpolate.PPoly`, with derivatives in the places, the coefficients and the
    breakpoints.

    On the interval from x[i] on the curve is the sum of c[k, i] (t - x[i])^(K - k) over k = 0..K;
    `c` has the shape (K + 1, intervals, ...).  Every method works under `qd.jit` and `qd.vmap`,
    where SciPy's checks of the numbers are left out, and which `roots` and `solve` do not.

    >>> from qiudao.scipy import interpolate
    >>> f = lambda c: interpolate.PPoly(c, np.array([0.0, 1.0, 2.0])).integrate(0.0, 1.5)
    >>> qd.grad(f)(np.array([[1.0, 2.0], [0.0, 1.0]]))
    array([[0.5  , 0.125],
           [1.   , 0.5  ]])
    """

    def __init__(self, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
        curve = theirs.PPoly(stand_in(c), rising(x), extrapolate, axis)
        self.be(curve, depends(c, x))
        self.c, self.x = (array(c), array(x)) if self.moving else (curve.c, curve.x)

    def ends(self) -> tuple[Any, Any]:
        """The first breakpoint and the last."""
        falls = known(self.x[0] > self.x[-1])
        if falls is not None and falls:
            raise GradientError(
                "PPoly: derivatives are known for breakpoints that rise, and these fall; give them "
                "and the coefficients in reverse, in powers from the other ends"
            )
        return self.x[0], self.x[-1]

    def values(self, x: Any, nu: int) -> Any:
        """By Horner's rule, on the interval that each place is in."""
        k = interval(self.x, x)
        c = at(self.c, k, axis=1)
        t = np.reshape(x - at(self.x, k), (*np.shape(x), *(1,) * (np.ndim(self.c) - 2)))
        degree = np.shape(self.c)[0] - 1
        total: Any = 0.0
        for power in range(degree, nu - 1, -1):
            total = total * t + poch(power - nu + 1, nu) * c[degree - power]
        return 0.0 * c[degree] * t if nu > degree else total

    def of(self, c: Any, extrapolate: Any) -> "PPoly":
        """A curve of other coefficients over the same intervals."""
        return PPoly(c, self.x, extrapolate, self.axis)

    def derivative(self, nu: int = 1) -> Any:
        """The curve that is the derivative of order `nu`."""
        if not self.moving:
            return as_ours(self.curve.derivative(nu))
        if nu < 0:
            return self.antiderivative(-nu)
        left = self.c[: max(np.shape(self.c)[0] - nu, 0)]
        if not np.shape(left)[0]:
            left = 0.0 * self.c[-1:]
        factors = poch(np.arange(np.shape(left)[0], 0, -1), nu)
        return self.of(left * column(factors, left), self.extrapolate)

    def antiderivative(self, nu: int = 1) -> Any:
        """The curve of which this one is the derivative of order `nu`, 0 at the first breakpoint;
        that of a periodic curve is not extrapolated.
        """
        if not self.moving:
            return as_ours(self.curve.antiderivative(nu))
        if nu < 0:
            return self.derivative(-nu)
        c, h = self.c, np.diff(self.x)
        for _ in range(nu):
            c = c / column(np.arange(np.shape(c)[0], 0, -1.0), c)
            total: Any = 0.0
            for k in range(np.shape(c)[0]):
                total = (total + c[k]) * column(h, c[0])
            starts = np.concatenate([0.0 * total[:1], np.cumsum(total, axis=0)[:-1]])
            c = np.concatenate([c, starts[None]])
        return self.of(c, False if self.extrapolate == "periodic" else self.extrapolate)


def as_ours(curve: Any) -> PPoly:
    """SciPy's curve of plain data as one of ours."""
    return PPoly(curve.c, curve.x, curve.extrapolate, curve.axis)


class CubicHermiteSpline(PPoly):
    """`scipy.interpolate.CubicHermiteSpline`, with derivatives in the places, the knots `x`, the
    values `y` and the slopes `dydx`.

    >>> from qiudao.scipy import interpolate
    >>> x, y, slopes = np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.zeros(2)
    >>> qd.grad(lambda s: interpolate.CubicHermiteSpline(x, y, s)(0.5))(slopes)
    array([ 0.125, -0.125])
    """

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        curve = theirs.CubicHermiteSpline(rising(x), stand_in(y), stand_in(dydx), axis, extrapolate)
        self.go_through(curve, x, y, lambda x, y: np.moveaxis(array(dydx), curve.axis, 0), dydx)

    def go_through(
        self, curve: Any, x: Any, y: Any, slopes: Callable[[Any, Any], Any], *more: Any
    ) -> None:
        """Be the cubics with these values at the knots and the slopes that are a function of both,
        and of what `more` there is.
        """
        self.be(curve, depends(x, y, more))
        self.c, self.x = curve.c, curve.x
        if self.moving:
            self.x, values = array(x), np.moveaxis(array(y), curve.axis, 0)
            self.c = hermite(self.x, values, slopes(self.x, values))


def hermite(x: Any, y: Any, slopes: Any) -> Any:
    """The coefficients of the cubics with values and slopes at the knots, along the first axis."""
    h = column(np.diff(x), y)
    m = (y[1:] - y[:-1]) / h
    bend = (slopes[:-1] + slopes[1:] - 2 * m) / h
    return np.stack([bend / h, (m - slopes[:-1]) / h - bend, slopes[:-1], y[:-1]])
