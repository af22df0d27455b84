"""Straight lines through data."""

from typing import Any

import numpy as np

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain


class interp1d:  # noqa: N801
    """`scipy.interpolate.interp1d` of kind 'linear', with derivatives in the places, the knots `x`
    and the data `y`.

    At a knot the derivative is that of the line to its left.  Raises `GradientError` for
    derivatives of another kind, or in `fill_value`.

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
            plain(x), plain(y), kind, axis, copy, bounds_error, fill_value, assume_sorted
        )
        self.kind, self.axis, self.fill_value = kind, axis, fill_value
        self.moving = depends(x, y)
        order = np.arange(np.size(x)) if assume_sorted else np.argsort(plain(x), kind="mergesort")
        self.x, self.y = x, y
        if self.moving or kind == "linear":
            self.x, self.y = array(x)[order], np.moveaxis(y, axis, 0)[order]

    def __call__(self, x: Any) -> Any:
        """The lines at `x`: the places stand in the axis of the data."""
        if not self.moving and not depends(x):
            return self.line(x)
        if self.kind != "linear":
            raise GradientError(
                f"interp1d: derivatives are known for kind='linear', and this one is "
                f"{self.kind!r}; use CubicSpline or PchipInterpolator"
            )
        x = array(x)
        places, knots = plain(x), plain(self.x)
        known = self.line(places)
        k = np.clip(np.searchsorted(knots, places), 1, len(knots) - 1)
        trailing = (1,) * (np.ndim(self.y) - 1)
        share = (x - self.x[k - 1]) / (self.x[k] - self.x[k - 1])
        share = np.reshape(share, (*places.shape, *trailing))
        found = self.y[k - 1] + (self.y[k] - self.y[k - 1]) * share
        ends = range(places.ndim)
        axis = self.axis % np.ndim(self.y)
        found = np.moveaxis(found, ends, [axis + e for e in ends]) if axis else found
        if isinstance(self.fill_value, str):
            return found
        outside = (places < knots[0]) | (places > knots[-1])
        outside = np.reshape(outside, (*places.shape, *(1,) * (np.ndim(self.y) - 1 - axis)))
        return np.where(outside, known, found)
