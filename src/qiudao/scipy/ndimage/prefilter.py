"""The filter that makes spline coefficients of an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ...core.avals import Aval, Value
from ...core.families import Linear
from ...core.primitive import primitive
from ...core.samples import sample
from ..operands import array, depends

SHORT = 64  # an axis on which SciPy's filter of a reflected image is not yet its own transpose
HALVED = ("mirror", "constant", "grid-constant", "wrap")  # modes that count the end points once


@primitive
class SplineFilter(Linear):
    """`scipy.ndimage.spline_filter1d` along an axis counted from the end, or, `turned`, its
    transpose.

    It inverts the matrix B that takes coefficients to values.  B is symmetric where every
    coefficient has equally many mirror images; in the modes that count the end points once, B S is,
    with S twice the identity at the end points: so the transpose is S^-1 B^-1 S.
    """

    order: int = 3
    axis: int = -1
    mode: str = "mirror"
    turned: bool = False
    samples = (
        sample("f64[2,5]", order=2, axis=-1),
        sample("c128[5,2]", order=3, axis=-2, mode="grid-wrap"),
        sample("f64[66]", order=3, mode="constant", turned=True),
        sample("f64[66]", order=3, mode="reflect", turned=True),
    )

    def shape(self, *avals: Aval) -> Aval:
        return avals[0]

    def evaluate(self, *xs: Value) -> Value:
        x = xs[0]
        if not self.turned:
            return self.filtered(x)
        n = x.shape[self.axis]
        if n <= SHORT:
            matrix = theirs.spline_filter1d(np.eye(n), self.order, 0, mode=self.mode)
            last = np.moveaxis(x, self.axis, -1)
            return np.moveaxis(last @ matrix.astype(x.dtype), -1, self.axis)
        if self.mode not in HALVED:
            return self.filtered(x)
        ends = np.ones(n, x.dtype)
        ends[[0, -1]] = 2.0
        ends = ends.reshape(-1, *(1,) * (-1 - self.axis))
        return self.filtered(x * ends) / ends

    def filtered(self, x: Value) -> Value:
        """SciPy's filter, in double precision."""
        return theirs.spline_filter1d(x, self.order, self.axis, x.dtype, self.mode)

    def transpose(self, i: int, ct: Value, *xs: Value) -> Value:
        return SplineFilter(self.order, self.axis, self.mode, not self.turned)(ct)


def double(x: Any) -> Any:
    """An array in double precision."""
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def spline_filter1d(
    input: Any, order: int = 3, axis: int = -1, output: Any = np.float64, mode: str = "mirror"
) -> Any:
    """`scipy.ndimage.spline_filter1d`: the coefficients of the spline through an image, along one
    axis, with their derivative; where that is wanted, `output` is not read and the result is in
    double precision.

    >>> from qiudao.scipy import ndimage
    >>> qd.jacobian(lambda x: ndimage.spline_filter1d(x, 2)[0])(np.ones(3)).round(4)
    array([ 1.4167, -0.5   ,  0.0833])
    """
    if not depends(input):
        return theirs.spline_filter1d(input, order, axis, output, mode)
    return coefficients(array(input), order, [axis], mode)


def spline_filter(
    input: Any, order: int = 3, output: Any = np.float64, mode: str = "mirror"
) -> Any:
    """`scipy.ndimage.spline_filter`: `spline_filter1d` along each axis."""
    if not depends(input):
        return theirs.spline_filter(input, order, output, mode)
    return coefficients(array(input), order, range(np.ndim(input)), mode)


def coefficients(image: Any, order: int, axes: Sequence[int] | range, mode: str) -> Any:
    """The coefficients along these axes."""
    theirs.spline_filter1d(np.zeros(2), order, mode=mode)  # which refuses what it does not know
    found = double(image)
    rank = np.ndim(image)
    for d in axes if order > 1 else ():
        if np.shape(image)[d] > 1:
            found = SplineFilter(order, d % rank - rank, mode)(found)
    return found
