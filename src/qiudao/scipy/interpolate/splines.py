"""Piecewise cubic curves through data."""

from typing import Any

import numpy as np

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain


class Cubics:
    """A curve of cubics: SciPy's own object, and its coefficients with their derivatives.

    On the interval of x[i] the curve is the sum of c[k, i] (x - x[i])^(3 - k) over k = 0..3.  What
    is asked of an object of plain data beside a call is asked of SciPy's.
    """

    c: Any
    x: Any

    def __init__(self, curve: Any, knots: Any, values: Any, slopes: Any, axis: int) -> None:
        self.curve, self.axis, self.moving = curve, curve.axis, slopes is not None
        self.x, self.c = knots, curve.c
        if self.moving:
            y = np.moveaxis(values, axis, 0)
            h = np.reshape(np.diff(knots), (-1, *(1,) * (np.ndim(y) - 1)))
            m = (y[1:] - y[:-1]) / h
            bend = (slopes[:-1] + slopes[1:] - 2 * m) / h
            self.c = np.stack([bend / h, (m - slopes[:-1]) / h - bend, slopes[:-1], y[:-1]])

    def __getattr__(self, name: str) -> Any:
        """What SciPy's object has, where its data carry no derivative."""
        if name.startswith("_") or name in {"curve", "moving"}:
            raise AttributeError(name)
        if self.moving:
            raise GradientError(
                f"{type(self).__name__}.{name}: its derivative with respect to the data is not "
                "known; call the curve, with nu=1, 2 or 3 for its derivatives"
            )
        return getattr(self.curve, name)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The curve at `x`, or its derivative of order `nu`: the places stand in the axis of the
        data.
        """
        if not self.moving and not depends(x):
            return self.curve(x, nu, extrapolate)
        beyond = self.curve.extrapolate if extrapolate is None else extrapolate
        if beyond == "periodic" or nu < 0:
            raise GradientError(
                f"{type(self).__name__}: derivatives are known for extrapolate=True and False and "
                f"nu >= 0, and this call has extrapolate={beyond!r}, nu={nu}; take np.mod of x for "
                "a periodic curve"
            )
        x = array(x)
        places, knots = plain(x), plain(self.x)
        k = np.clip(np.searchsorted(knots, places, "right") - 1, 0, len(knots) - 2)
        trailing = (1,) * (np.ndim(self.c) - 2)
        t = np.reshape(x - self.x[k], (*places.shape, *trailing))
        total: Any = 0.0
        for power in range(3, nu - 1, -1):
            factor = float(np.prod(np.arange(power - nu + 1, power + 1)))
            total = total * t + factor * self.c[3 - power][k]
        if nu > 3:
            total = 0.0 * self.c[3][k] * t
        if not beyond:
            outside = (places < knots[0]) | (places > knots[-1])
            total = np.where(np.reshape(outside, t.shape), np.nan, total)
        ends = range(places.ndim)
        return np.moveaxis(total, ends, [self.axis + e for e in ends]) if self.axis else total


KNOWN_ENDS = ("not-a-knot", "natural", "clamped")


class CubicSpline(Cubics):
    """`scipy.interpolate.CubicSpline`, with derivatives in the places and in the data `y`.

    The slopes at the knots are a linear map of the data, which SciPy gives; the curve is the
    Hermite cubics of values and slopes.  Raises `GradientError` for derivatives in the knots `x`
    and, where `y` carries a derivative, for ends other than not-a-knot, natural and clamped.

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
        if depends(x, bc_type):
            raise GradientError(
                "CubicSpline: derivatives in the knots x and in bc_type are not known; use "
                "PchipInterpolator, whose knots may carry one"
            )
        curve = theirs.CubicSpline(x, plain(y), axis, bc_type, extrapolate)
        slopes = None
        if depends(y):
            ends = (bc_type, bc_type) if isinstance(bc_type, str) else tuple(bc_type)
            if not all(isinstance(end, str) and end in KNOWN_ENDS for end in ends):
                raise GradientError(
                    f"CubicSpline: derivatives in y are known for bc_type {', '.join(KNOWN_ENDS)}, "
                    f"and this one is {bc_type!r}; use one of these"
                )
            unit = theirs.CubicSpline(x, np.eye(len(curve.x)), bc_type=bc_type)
            slopes = np.tensordot(unit(curve.x, 1), np.moveaxis(y, axis, 0), 1)
        super().__init__(curve, curve.x, y, slopes, axis)


class PchipInterpolator(Cubics):
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
        curve = theirs.PchipInterpolator(plain(x), plain(y), axis, extrapolate)
        moving = depends(x, y)
        knots = array(x) if moving else curve.x
        slopes = monotone(knots, np.moveaxis(y, axis, 0)) if moving else None
        super().__init__(curve, knots, y, slopes, axis)


def monotone(x: Any, y: Any) -> Any:
    """The slopes at the knots, along the first axis."""
    h = np.reshape(np.diff(x), (-1, *(1,) * (np.ndim(y) - 1)))
    m = (y[1:] - y[:-1]) / h
    if len(m) == 1:
        return np.concatenate([m, m])
    ahead, behind = plain(m[1:]), plain(m[:-1])
    level = (np.sign(ahead) != np.sign(behind)) | (ahead == 0) | (behind == 0)
    first, last = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    mean = first / np.where(level, 1.0, m[:-1]) + last / np.where(level, 1.0, m[1:])
    inner = np.where(level, 0.0, (first + last) / mean)
    left = end(h[0], h[1], m[0], m[1])
    right = end(h[-1], h[-2], m[-1], m[-2])
    return np.concatenate([left[None], inner, right[None]])


def end(h: Any, k: Any, m: Any, n: Any) -> Any:
    """The slope at an end: that of the parabola, kept from overshooting."""
    slope = ((2 * h + k) * m - h * n) / (h + k)
    bare, near, far = plain(slope), plain(m), plain(n)
    steep = (np.sign(near) != np.sign(far)) & (np.abs(bare) > 3 * np.abs(near))
    return np.where(np.sign(bare) != np.sign(near), 0.0, np.where(steep, 3 * m, slope))
