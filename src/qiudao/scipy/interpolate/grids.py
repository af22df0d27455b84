"""Tables over a grid."""

import itertools
from typing import Any

import numpy as np

import qiudao as qd
from scipy import interpolate as theirs

from ...core.errors import GradientError
from ..operands import array, at, depends, known, rising, stand_in
from .bsplines import make_interp_spline
from .pieces import interval
from .splines import PchipInterpolator

DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}


class RegularGridInterpolator:
    """`scipy.interpolate.RegularGridInterpolator`, with derivatives in the places, the values, the
    points of the grid and `fill_value`, by every method but SciPy's "..._legacy" ones.

    By "linear" a place within a box of the grid takes the values of its 2^d corners, each weighted
    by the volume of the part of the box that lies across from it; by "nearest" that of a corner.
    By "slinear", "cubic" and "quintic" the table is the tensor product of the splines of
    `make_interp_spline`, solved exactly where SciPy stops an iteration at its tolerance; by "pchip"
    the curves run along one axis after the other.  Under `qd.jit` and `qd.vmap` a place beyond the
    grid gives `fill_value`, since no error can be raised there.

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
        points = [array(p) for p in points]
        self.method, self.fill_value = method, fill_value
        self.moving = depends(points, values, fill_value)
        checked = method if not self.moving or method not in (*DEGREES, "pchip") else "linear"
        self.table = theirs.RegularGridInterpolator(
            tuple(map(rising, points)), stand_in(values), checked, bounds_error,
            np.nan if depends(fill_value) else fill_value, **options,
        )  # fmt: skip
        falling = [p is not None and len(p) > 1 and p[0] > p[-1] for p in map(known, points)]
        down = tuple(d for d, falls in enumerate(falling) if falls)
        self.grid = [np.flip(p) if f else p for p, f in zip(points, falling, strict=True)]
        self.values = np.flip(array(values), down) if down else array(values)

    def __call__(self, xi: Any, method: str | None = None, *, nu: Any = None) -> Any:
        """The table at the places `xi` of shape (..., d), or d arrays that broadcast; with `nu`,
        by a spline, its derivative of that order along each axis.
        """
        if not self.moving and not depends(xi):
            return self.table(xi, method, nu=nu)
        chosen = method or self.method
        if nu is not None and chosen not in DEGREES:
            raise ValueError(
                f"RegularGridInterpolator: nu= is for the methods {', '.join(DEGREES)}, and this "
                f"call has method={chosen!r}; use qd.grad for derivatives in the places"
            )
        if isinstance(xi, tuple):
            xi = np.stack(np.broadcast_arrays(*xi), -1)
        xi = array(xi)
        xi = xi[:, None] if np.ndim(xi) == 1 and len(self.grid) == 1 else xi
        xi = xi[None] if np.ndim(xi) == 1 else xi
        places = known(xi)
        if places is not None and self.table.bounds_error:
            self.table(places, "nearest")  # which raises for a place beyond the grid
        columns = [xi[..., d] for d in range(len(self.grid))]
        if chosen in DEGREES:
            total = self.products(columns, DEGREES[chosen], nu or [0] * len(columns))
        elif chosen == "pchip":
            total = self.curves(xi)
        elif chosen in ("linear", "nearest"):
            total = self.corners(columns, chosen)
        else:
            raise GradientError(
                f"RegularGridInterpolator: method={chosen!r} has no derivative here; use linear, "
                f"nearest, pchip, {', '.join(DEGREES)}"
            )
        if self.fill_value is None:
            return total
        outside: Any = False
        for x, knots in zip(columns, self.grid, strict=True):
            outside = outside | (x < knots[0]) | (x > knots[-1])
        return np.where(self.beside(outside), self.fill_value, total)

    def beside(self, share: Any) -> Any:
        """A number for each place, beside the axes of the values that are not the grid's."""
        trailing = (1,) * (np.ndim(self.values) - len(self.grid))
        return np.reshape(share, (*np.shape(share), *trailing))

    def corners(self, columns: list[Any], method: str) -> Any:
        """The values at the corners about each place, weighted."""
        boxes = [interval(knots, x) for knots, x in zip(self.grid, columns, strict=True)]
        shares = []
        for k, knots, x in zip(boxes, self.grid, columns, strict=True):
            low = at(knots, k)
            shares.append((x - low) / (at(knots, k + 1) - low))
        if method == "nearest":
            nearest = [k + (s > 0.5) for k, s in zip(boxes, shares, strict=True)]
            level: Any = sum(0.0 * x for x in columns)  # the derivative in the places is 0
            return self.of(nearest) + self.beside(level)
        total: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(self.grid)):
            weight: Any = 1.0
            for share, side in zip(shares, corner, strict=True):
                weight = weight * (share if side else 1 - share)
            found = self.of([k + s for k, s in zip(boxes, corner, strict=True)])
            total = total + self.beside(weight) * found
        return total

    def of(self, numbers: list[Any]) -> Any:
        """The values at one point of the grid for each place."""
        sizes = np.shape(self.values)
        rest = sizes[len(self.grid) :]
        flat: Any = 0
        for number, size in zip(numbers, sizes, strict=False):
            flat = flat * size + number
        return at(np.reshape(self.values, (-1, *rest)), flat)

    def products(self, columns: list[Any], degree: int, nu: Any) -> Any:
        """A spline along each axis: each value times a weight for each axis."""
        total = self.values
        for d, (knots, x) in enumerate(zip(self.grid, columns, strict=True)):
            unit = np.eye(np.shape(knots)[0])
            weights = make_interp_spline(knots, unit, degree)(np.reshape(x, -1), int(nu[d]))
            if d == 0:
                total = np.tensordot(weights, total, 1)
            else:
                others = (1,) * (np.ndim(total) - 2)
                total = np.sum(np.reshape(weights, (*np.shape(weights), *others)) * total, axis=1)
        return np.reshape(total, (*np.shape(columns[0]), *np.shape(total)[1:]))

    def curves(self, xi: Any) -> Any:
        """Monotone curves through the table along the last axis, then through what these give."""

        def of_one(place: Any) -> Any:
            found = self.values
            for d in reversed(range(len(self.grid))):
                found = PchipInterpolator(self.grid[d], found, axis=d)(place[d])
            return found

        found = qd.vmap(of_one)(np.reshape(xi, (-1, len(self.grid))))
        return np.reshape(found, (*np.shape(xi)[:-1], *np.shape(found)[1:]))
