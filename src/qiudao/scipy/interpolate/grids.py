"""Tables over a grid."""

import itertools
from typing import Any

import numpy as np

from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain


class RegularGridInterpolator:
    """`scipy.interpolate.RegularGridInterpolator`, method 'linear', with derivatives in the places
    and in the values.

    A place within a box of the grid takes the values of its 2^d corners, each weighted by the
    volume of the part of the box that lies across from it.  Raises `GradientError` for derivatives
    of another method, in the points of the grid, or in `fill_value`.

    >>> from qiudao.scipy import interpolate
    >>> axes = (np.array([0.0, 1.0]), np.array([0.0, 2.0]))
    >>> table = interpolate.RegularGridInterpolator(axes, np.array([[0.0, 2.0], [1.0, 5.0]]))
    >>> qd.grad(lambda p: table(p)[0])(np.array([0.5, 1.0]))
    array([2. , 1.5])
    """

    def __init__(
        self,
        points: Any,
        values: Any,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: Any = np.nan,
        **options: Any,
    ) -> None:
        if depends(list(points), fill_value):
            raise GradientError(
                "RegularGridInterpolator: derivatives in points and in fill_value are not known; "
                "let the places carry the derivative"
            )
        self.table = theirs.RegularGridInterpolator(
            points, plain(values), method, bounds_error, fill_value, **options
        )
        self.method, self.fill_value, self.moving = method, fill_value, depends(values)
        down = [d for d, p in enumerate(points) if len(p) > 1 and p[0] > p[-1]]
        self.grid, self.values = self.table.grid, np.flip(values, tuple(down)) if down else values

    def __call__(self, xi: Any, method: str | None = None, **options: Any) -> Any:
        """The table at the places `xi` of shape (..., d), or d arrays that broadcast."""
        if not self.moving and not depends(xi):
            return self.table(xi, method, **options)
        if (method or self.method) != "linear" or options.get("nu") is not None:
            raise GradientError(
                "RegularGridInterpolator: derivatives are known for method='linear' without nu=, "
                f"and this one is {method or self.method!r}; use 'linear'"
            )
        if isinstance(xi, tuple):
            xi = np.stack(np.broadcast_arrays(*xi), -1)
        xi = array(xi)
        xi = xi[:, None] if np.ndim(xi) == 1 and len(self.grid) == 1 else xi
        xi = xi[None] if np.ndim(xi) == 1 else xi
        places = plain(xi)
        known = self.table(places)
        boxes, shares, outside = [], [], np.zeros(places.shape[:-1], bool)
        for d, knots in enumerate(self.grid):
            at = places[..., d]
            k = np.clip(np.searchsorted(knots, at, "right") - 1, 0, len(knots) - 2)
            boxes.append(k)
            shares.append((xi[..., d] - knots[k]) / (knots[k + 1] - knots[k]))
            outside |= (at < knots[0]) | (at > knots[-1])
        trailing = (1,) * (np.ndim(self.values) - len(self.grid))
        total: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(self.grid)):
            weight: Any = 1.0
            for share, side in zip(shares, corner, strict=True):
                weight = weight * (share if side else 1 - share)
            at_corner = self.values[tuple(k + s for k, s in zip(boxes, corner, strict=True))]
            total = total + np.reshape(weight, (*np.shape(weight), *trailing)) * at_corner
        if self.fill_value is None or not outside.any():
            return total
        return np.where(np.reshape(outside, (*outside.shape, *trailing)), known, total)
