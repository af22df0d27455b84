"""Curves by their B-spline coefficients."""

import operator
from typing import Any

import numpy as np

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, at, depends, rising, stand_in
from .curves import Curve
from .pieces import column
from .slopes import solved


class BSpline(Curve):
    """`scipy.interpolate.BSpline`, with derivatives in the places, the knots `t` and the
    coefficients `c` of shape (n, ...): S(x) is the sum of c[i] B[i, k](x).

    By de Boor's recursion on the k + 1 coefficients that are not idle at a place,

        d[i] = (1 - a) d[i-1] + a d[i],    a = (x - t[i]) / (t[i+k+1-r] - t[i]),    r = 1..k

    (de Boor, A practical guide to splines, 2001, chapter X).  Every method works under `qd.jit` and
    `qd.vmap`, where SciPy's checks of the numbers are left out.

    >>> from qiudao.scipy import interpolate
    >>> t = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    >>> qd.grad(lambda c: interpolate.BSpline(t, c, 2)(0.5))(np.array([1.0, 2.0, 4.0]))
    array([0.25, 0.5 , 0.25])
    """

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        curve = theirs.BSpline(rising(t), stand_in(c), k, extrapolate, axis)
        self.be(curve, depends(t, c))
        self.t, self.c, self.k = curve.t, curve.c, curve.k
        if self.moving:
            self.t, self.c = array(t), np.moveaxis(array(c), curve.axis, 0)

    @property
    def count(self) -> int:
        """How many coefficients there are."""
        count: int = np.shape(self.t)[0] - self.k - 1
        return count

    def ends(self) -> tuple[Any, Any]:
        """The ends of the interval that the coefficients say all about."""
        return self.t[self.k], self.t[self.count]

    def values(self, x: Any, nu: int) -> Any:
        """By de Boor's recursion, whose last `nu` steps are those of the derivative."""
        k, rank = self.k, np.ndim(x)
        j = np.clip(np.searchsorted(self.t, x, "right") - 1, k, self.count - 1)
        near = np.reshape(np.arange(1 - k, k + 1), (-1, *(1,) * rank))
        knots: Any = at(self.t, j + near) if k else None
        used = at(self.c, j + np.reshape(np.arange(-k, 1), (-1, *(1,) * rank)))
        d = [used[i] for i in range(k + 1)]
        lanes = (*np.shape(x), *(1,) * (np.ndim(self.c) - 1))
        if nu > k:
            d = [0.0 * d[k]]
        for r in range(1, k + 1 if nu <= k else 1):
            for i in range(k, r - 1, -1):
                low, high = knots[i - 1], knots[i + k - r]
                wide = np.reshape(high - low, lanes)
                if r <= nu:
                    d[i] = (k - r + 1) * (d[i] - d[i - 1]) / wide
                else:
                    share = np.reshape(x - low, lanes) / wide
                    d[i] = d[i - 1] + share * (d[i] - d[i - 1])
        return d[-1] + np.reshape(0.0 * x, lanes) if k <= nu else d[-1]

    def of(self, t: Any, c: Any, k: int, extrapolate: Any) -> "BSpline":
        """A curve of other knots and coefficients along the same axis."""
        return BSpline(t, np.moveaxis(c, 0, self.axis), k, extrapolate, self.axis)

    def derivative(self, nu: int = 1) -> "BSpline":
        """The curve that is the derivative of order `nu`, at most `k`."""
        if nu < 0:
            return self.antiderivative(-nu)
        if not 0 <= nu <= self.k:
            raise ValueError(
                f"BSpline.derivative: nu={nu} of a spline of degree {self.k}; nu goes up to the "
                "degree"
            )
        t, c = self.t, self.c[: self.count]
        for k in range(self.k, self.k - nu, -1):
            width = t[k + 1 : -1] - t[1 : -k - 1]
            c = k * (c[1:] - c[:-1]) / column(width, c)
            t = t[1:-1]
        return self.of(t, c, self.k - nu, self.extrapolate)

    def antiderivative(self, nu: int = 1) -> "BSpline":
        """The curve of which this one is the derivative of order `nu`, 0 at the first knot."""
        if nu < 0:
            return self.derivative(-nu)
        t, c = self.t, self.c[: self.count]
        for k in range(self.k, self.k + nu):
            parts = c * column(t[k + 1 :] - t[: -k - 1], c) / (k + 1)
            c = np.concatenate([0.0 * parts[:1], np.cumsum(parts, axis=0)])
            t = np.concatenate([t[:1], t, t[-1:]])
        beyond = False if nu and self.extrapolate == "periodic" else self.extrapolate
        return self.of(t, c, self.k + nu, beyond)

    def total(self, a: Any, b: Any, beyond: Any) -> Any:
        """Without extrapolation the curve is 0 beyond its knots."""
        if not beyond:
            first, last = self.ends()
            a, b = (np.minimum(np.maximum(x, first), last) for x in (a, b))
        return super().total(a, b, beyond=True)


def make_interp_spline(
    x: Any,
    y: Any,
    k: int = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> Any:
    """`scipy.interpolate.make_interp_spline`: the `BSpline` of degree `k` through the data, with
    derivatives in the places `x`, the data `y` and the knots `t`.

    The coefficients are linear in the data; where `x` or `t` carry a derivative, they solve the
    full system of S(x[i]) = y[i], and not-a-knot knots move with `x`.  Raises `GradientError` for
    derivatives in the values that `bc_type` states, and in `x` or `t` with a `bc_type`.

    >>> from qiudao.scipy import interpolate
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> f = lambda y: interpolate.make_interp_spline(x, y)(1.5)
    >>> qd.grad(f)(x**2).round(9)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """
    if not depends(x, y, t, bc_type):
        curve = theirs.make_interp_spline(x, y, k, t, bc_type, axis, check_finite)
        c = np.moveaxis(curve.c, 0, curve.axis)
        return BSpline(curve.t, c, curve.k, curve.extrapolate, curve.axis)
    k = operator.index(k)
    if depends(bc_type) or (depends(x, t) and bc_type not in (None, "not-a-knot")):
        raise GradientError(
            "make_interp_spline: derivatives in the values of bc_type, and in x or t with a "
            f"bc_type, are not known, and this call has bc_type={bc_type!r}; use CubicSpline, or "
            "let y alone carry the derivative"
        )
    values = np.moveaxis(array(y), axis, 0)
    checked = theirs.make_interp_spline(
        rising(x), stand_in(values), k, None if t is None else rising(t), bc_type
    )
    if depends(x, t):
        x = array(x)
        knots = not_a_knot(x, k) if t is None else array(t)
        basis = BSpline(knots, np.eye(np.shape(knots)[0] - k - 1), k)
        c = solved(basis(x), values)
    else:
        n = np.size(x)
        unit = np.eye(n)
        if bc_type == "periodic":
            unit = unit[np.arange(n) % (n - 1), : n - 1]
            values = values[:-1]
        rest = theirs.make_interp_spline(x, np.zeros((n, *np.shape(values)[1:])), k, t, bc_type)
        found = theirs.make_interp_spline(x, unit, k, t, silent(bc_type, n))
        knots, c = found.t, np.tensordot(found.c, values, 1) + rest.c
    where = axis % np.ndim(y)
    return BSpline(knots, np.moveaxis(c, 0, where), k, checked.extrapolate, where)


def silent(bc_type: Any, n: int) -> Any:
    """The same conditions for the ends, with zeros for `n` columns of data as their values."""
    if bc_type is None or isinstance(bc_type, str):
        return bc_type
    return tuple(
        side if side is None or isinstance(side, str) else [(nu, np.zeros(n)) for nu, _ in side]
        for side in bc_type
    )


def not_a_knot(x: Any, k: int) -> Any:
    """The knots that make a spline of degree `k` through data at `x` unique."""
    if k == 0:
        return np.concatenate([x, x[-1:]])
    half = (k + 1) // 2 if k % 2 else k // 2
    middle = x if k % 2 else 0.5 * (x[1:] + x[:-1])
    inner = x[1:-1] if k == 1 else middle[half:-half]
    first, last = np.broadcast_to(x[:1], (k + 1,)), np.broadcast_to(x[-1:], (k + 1,))
    return np.concatenate([first, inner, last])
