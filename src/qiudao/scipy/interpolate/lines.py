"""Lines, steps and splines through data, in any order."""

from typing import Any

import numpy as np

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, at, depends, known, rising, stand_in
from .bsplines import make_interp_spline
from .curves import in_place
from .pieces import interval

DEGREES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
STEPS = ("nearest", "nearest-up", "previous", "next")


class interp1d:  # noqa: N801
    """`scipy.interpolate.interp1d`, of every kind, with derivatives in the places, the data `y` and
    (all kinds but zero) the knots `x`.

    At a knot the derivative of a line is that of the line to its left; the steps of nearest,
    nearest-up, previous, next and zero have the derivative 0 in the places.  Under `qd.jit` and
    `qd.vmap` a place beyond the data gives `fill_value`, since no error can be raised there.
    Raises `GradientError` for derivatives in `fill_value`.

    >>> from qiudao.scipy import interpolate
    >>> x, y = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0])
    >>> qd.grad(lambda p: interpolate.interp1d(x, y)(p))(2.0)
    np.float64(0.5)
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: Any = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        if depends(fill_value):
            raise GradientError(
                "interp1d: fill_value carries a derivative, which is not known; put it in with "
                "np.where"
            )
        self.line = theirs.interp1d(
            rising(x), stand_in(y), kind, axis, copy, bounds_error, fill_value, assume_sorted
        )
        self.kind, self.axis, self.fill_value = kind, axis % np.ndim(y), fill_value
        self.moving = depends(x, y)
        order = np.arange(np.size(x)) if assume_sorted else np.argsort(array(x), kind="stable")
        self.x, self.y = at(array(x), order), at(np.moveaxis(array(y), axis, 0), order)
        degree = DEGREES.get(kind, kind)
        self.spline = None
        if isinstance(degree, int | np.integer):
            self.spline = make_interp_spline(self.x, self.y, int(degree))

    def __call__(self, x: Any) -> Any:
        """The curve at `x`: the places stand in the axis of the data."""
        if not self.moving and not depends(x):
            return self.line(x)
        x = array(x)
        places = known(x)
        if places is not None and known(self.x) is not None and known(self.y) is not None:
            self.line(places)  # which raises for a place beyond the data
        if self.spline is not None:
            found = self.spline(x)
        else:
            found = self.steps(x) if self.kind in STEPS else self.lines(x)
        return in_place(self.filled(x, found), np.ndim(x), self.axis)

    def lines(self, x: Any) -> Any:
        """Straight lines between neighbours."""
        k = interval(self.x, x, "left")
        start, low = at(self.x, k), at(self.y, k)
        share = (x - start) / (at(self.x, k + 1) - start)
        return low + (at(self.y, k + 1) - low) * self.beside(share)

    def steps(self, x: Any) -> Any:
        """The value of one of the neighbours."""
        last = np.shape(self.x)[0] - 1
        if self.kind == "previous":
            k = np.searchsorted(self.x, x, "right") - 1
        elif self.kind == "next":
            k = np.searchsorted(self.x, x, "left")
        else:
            middles = self.x[1:] / 2.0 + self.x[:-1] / 2.0
            k = np.searchsorted(middles, x, "left" if self.kind == "nearest" else "right")
        level = 0.0 * self.beside(x)  # so that the derivative in the places is there: 0
        return at(self.y, np.clip(k, 0, last)) + level

    def beside(self, share: Any) -> Any:
        """A value for each place, beside the other axes of the data."""
        return np.reshape(share, (*np.shape(share), *(1,) * (np.ndim(self.y) - 1)))

    def filled(self, x: Any, found: Any) -> Any:
        """The values, with what `fill_value` states beyond the data."""
        fill: Any = self.fill_value
        if isinstance(fill, str):
            if self.kind not in ("previous", "next"):
                return found
            fill = (np.nan, self.y[-1]) if self.kind == "previous" else (self.y[0], np.nan)
        below, above = fill if isinstance(fill, tuple) and len(fill) == 2 else (fill, fill)
        found = np.where(self.beside(x < self.x[0]), below, found)
        return np.where(self.beside(x > self.x[-1]), above, found)
