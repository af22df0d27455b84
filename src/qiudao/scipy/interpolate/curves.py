"""What curves of all kinds have in common."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.errors import GradientError
from ..operands import array, depends


def in_place(found: Any, rank: int, axis: int) -> Any:
    """Values of shape (places..., others...) with the `rank` axes of the places at `axis`."""
    return np.moveaxis(found, range(rank), range(axis, axis + rank)) if axis else found


class Curve:
    """A curve made of data: `curve` is SciPy's, and `moving` says whether the data carry a
    derivative.

    A kind of curve states `values`, `ends` and `antiderivative`.
    """

    moving: bool
    curve: Any
    axis: int  # of the data, along which the places stand in the result
    extrapolate: Any

    def be(self, curve: Any, moving: bool) -> None:
        """Be SciPy's curve, whose data carry a derivative or do not."""
        self.moving, self.curve = moving, curve
        self.axis, self.extrapolate = curve.axis, curve.extrapolate

    def __getattr__(self, name: str) -> Any:
        """What SciPy's object has, where its data carry no derivative."""
        if name.startswith("_") or "curve" not in vars(self):
            raise AttributeError(name)
        if self.moving:
            raise GradientError(
                f"{type(self).__name__}.{name}: its derivative with respect to the data is not "
                "known; call the curve, or its derivative(), antiderivative() or integrate()"
            )
        return getattr(self.curve, name)

    def values(self, x: Any, nu: int) -> Any:
        """The derivative of order `nu` at places of any shape, which come first in the result."""
        raise NotImplementedError

    def ends(self) -> tuple[Any, Any]:
        """The ends of the interval that the data say all about."""
        raise NotImplementedError

    def antiderivative(self, nu: int = 1) -> Any:
        """The curve of which this one is the derivative of order `nu`."""
        raise NotImplementedError

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The curve at `x`, or its derivative of order `nu`: the places stand in the axis of the
        data.
        """
        if not self.moving and not depends(x):
            return self.curve(x, nu, extrapolate)
        if nu < 0:
            raise ValueError(
                f"{type(self).__name__}: nu={nu} is negative; use antiderivative({-nu})"
            )
        x, beyond = array(x), self.extrapolate if extrapolate is None else extrapolate
        first, last = self.ends()
        if beyond == "periodic":
            x, beyond = first + np.mod(x - first, last - first), False
        found, rank = self.values(x, nu), np.ndim(x)
        if not beyond:
            outside = (x < first) | (x > last)
            lanes = (*np.shape(x), *(1,) * (np.ndim(found) - rank))
            found = np.where(np.reshape(outside, lanes), np.nan, found)
        return in_place(found, rank, self.axis)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The integral from `a` to `b`, both of which may carry derivatives."""
        if not self.moving and not depends(a, b):
            return self.curve.integrate(a, b, extrapolate)
        beyond = self.extrapolate if extrapolate is None else extrapolate
        if beyond != "periodic":
            return self.total(a, b, beyond)
        up_to = self.in_rounds()
        return up_to(b) - up_to(a)

    def total(self, a: Any, b: Any, beyond: Any) -> Any:
        """The integral of a curve that is not periodic."""
        whole = self.antiderivative()
        return whole(b, extrapolate=beyond) - whole(a, extrapolate=beyond)

    def in_rounds(self) -> Callable[[Any], Any]:
        """The integral up to a place, of a periodic curve."""
        whole = self.antiderivative()
        first, last = self.ends()
        start = whole(first, extrapolate=True)

        def up_to(x: Any) -> Any:
            rounds = np.floor((x - first) / (last - first))
            over = whole(x - rounds * (last - first), extrapolate=True)
            return rounds * (whole(last, extrapolate=True) - start) + over

        return up_to
