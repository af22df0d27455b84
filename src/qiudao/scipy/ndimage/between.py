"""Values between the points of an image."""

import itertools
from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain

MODES = ("constant", "nearest")


def map_coordinates(
    input: Any,
    coordinates: Any,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: float = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.map_coordinates` of order 0 or 1, with derivatives in the image and, of order
    1, in the coordinates, an array of shape (axes of the image, ...).

    The value of order 1 is that of the 2^d points about a place, each weighted by the volume of the
    part of the box that lies across from it; of order 0 it is that of the nearest point.  Raises
    `GradientError` for derivatives of another order, in modes other than constant and nearest, in
    `cval`, and with `output`.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 5.0])
    >>> qd.grad(lambda p: ndimage.map_coordinates(x, p[None], order=1)[0])(np.array([1.5]))
    array([3.])
    """
    if not depends(input, coordinates, cval):
        return theirs.map_coordinates(input, coordinates, output, order, mode, cval, prefilter)
    if order not in (0, 1) or mode not in MODES or output is not None or depends(cval):
        raise GradientError(
            "map_coordinates: derivatives are known for order=0 and 1 in the modes constant and "
            f"nearest, without output=, and this call has order={order}, mode={mode!r}; use "
            "order=1"
        )
    image, places = array(input) * 1.0, array(coordinates)
    shape = np.shape(image)
    bare = plain(places)
    ends = np.reshape(np.array(shape) - 1, (-1, *(1,) * (bare.ndim - 1)))
    outside = np.any((bare < 0) | (bare > ends), axis=0)
    if mode == "nearest":
        places, outside = np.clip(places, 0, ends), np.zeros_like(outside)
        bare = plain(places)
    if order == 0:
        nearest = np.clip(np.floor(bare + 0.5).astype(int), 0, ends)
        level = 0.0 * np.sum(places, axis=0)  # so that the derivative in the places is there: 0
        return np.where(outside, cval, image[tuple(nearest)] + level)
    low = np.clip(np.floor(bare).astype(int), 0, np.maximum(ends - 1, 0))
    share = places - low
    total: Any = 0.0
    for corner in itertools.product((0, 1), repeat=len(shape)):
        weight: Any = 1.0
        for d, side in enumerate(corner):
            weight = weight * (share[d] if side else 1 - share[d])
        at = tuple(np.minimum(low[d] + s, shape[d] - 1) for d, s in enumerate(corner))
        total = total + weight * image[at]
    return np.where(outside, cval, total)
