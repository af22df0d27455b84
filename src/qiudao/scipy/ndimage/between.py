"""Values between the points of an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ..operands import array, at, depends
from .prefilter import coefficients, double
from .windows import padded, refuse_output

PAD = 12  # points put around an image of which the filter knows no exact end
ENDING = ("constant", "mirror", "wrap")  # modes in which places go up to the last point
SYMMETRIC = {"constant": "mirror", "wrap": "mirror"}  # what the spline takes to be beyond the ends


def map_coordinates(
    input: Any,
    coordinates: Any,
    output: Any = None,
    order: int = 3,
    mode: str = "constant",
    cval: Any = 0.0,
    prefilter: bool = True,
) -> Any:
    """`scipy.ndimage.map_coordinates`, of every order and mode, with derivatives in the image, the
    coordinates (an array of shape (axes of the image, ...)) and `cval`.

    The value is the sum over the (order + 1)^d coefficients about a place, each times a product of
    B-splines of its distance; the coefficients of order 2 and more are a linear filter of the
    image, whose exact transpose the reverse mode takes (Unser, Splines: a perfect fit for signal
    and image processing, 1999).  Of order 1, the derivative at a point is that to its right, and in
    the modes constant, mirror and wrap at the last point that to its left; of order 0 it is 0.
    Raises `GradientError` for derivatives with `output`.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 5.0])
    >>> qd.grad(lambda p: ndimage.map_coordinates(x, p[None], order=1)[0])(np.array([1.5]))
    array([3.])
    """
    if not depends(input, coordinates, cval):
        return theirs.map_coordinates(input, coordinates, output, order, mode, cval, prefilter)
    image, places = admitted("map_coordinates", input, order, mode, output), array(coordinates)
    if np.shape(places)[0] != np.ndim(image) or np.ndim(places) < 2:
        raise ValueError(
            f"map_coordinates: coordinates of shape {np.shape(places)} for an image of "
            f"{np.ndim(image)} axes; give an array of shape ({np.ndim(image)}, ...)"
        )
    columns = [places[d] for d in range(np.ndim(image))]
    return taken(image, columns, order, mode, cval, prefilter)


def admitted(name: str, input: Any, order: int, mode: str, output: Any) -> Any:
    """The image as an array; what SciPy refuses, and `output`, are refused."""
    refuse_output(name, output)
    theirs.map_coordinates(np.zeros(2), np.zeros((1, 1)), order=order, mode=mode)
    return array(input)


def taken(
    image: Any, places: Sequence[Any], order: int, mode: str, cval: Any, prefilter: bool
) -> Any:
    """The image at places, one array for each of its leading axes."""
    ready, pad = prepared(image, range(len(places)), order, mode, cval, prefilter)
    return like(image, sampled(ready, places, order, mode, cval, pad))


def like(image: Any, found: Any) -> Any:
    """The result in single precision where the image is."""
    return found.astype(image.dtype) if image.dtype in (np.float32, np.complex64) else found


def prepared(
    image: Any, axes: Sequence[int] | range, order: int, mode: str, cval: Any, prefilter: bool
) -> tuple[Any, int]:
    """The coefficients along these axes, and how many points have been put before the image."""
    image = double(image)
    if not prefilter or order < 2:
        return image, 0
    pad = PAD if mode in ("nearest", "grid-constant") else 0
    widths = [(pad, pad) if d in axes else (0, 0) for d in range(np.ndim(image))]
    if pad:
        image = padded(image, widths, mode, cval)
    return coefficients(image, order, axes, mode), pad


def sampled(image: Any, places: Sequence[Any], order: int, mode: str, cval: Any, pad: int) -> Any:
    """The spline of coefficients at places, one array for each of the leading axes; the result has
    the shape of the places and then that of the axes which are left.
    """
    count, shape = len(places), np.shape(places[0])
    sizes = np.shape(image)[:count]
    rest = np.shape(image)[count:]
    flat: Any = 0
    outside: Any = False
    idle: Any = False
    weights = []
    for d, (place, n) in enumerate(zip(places, sizes, strict=True)):
        place, beyond = folded(place + pad, n, mode)
        first, share = start(place, order, n, mode)
        taps = first + np.reshape(np.arange(order + 1), (-1, *(1,) * len(shape)))
        if mode == "grid-constant":
            beside = (taps < 0) | (taps >= n)
            idle = idle | np.reshape(beside, spread(np.shape(beside), d, count))
        outside = outside | beyond
        taps = inside(taps, n, mode)
        flat = flat * n + np.reshape(taps, spread(np.shape(taps), d, count))
        weights.append(b_splines(share, order))
    used = at(np.reshape(image, (-1, *rest)), flat)
    trailing = (1,) * len(rest)
    if mode == "grid-constant":
        used = np.where(np.reshape(idle, (*np.shape(idle), *trailing)), cval, used)
    for d, row in enumerate(weights):
        others = (1,) * (count - 1 - d)
        row = [np.reshape(w, (*others, *np.shape(w), *trailing)) for w in row]
        total: Any = row[0] * used[0]
        for w, part in zip(row[1:], range(1, order + 1), strict=True):
            total = total + w * used[part]
        used = total
    if mode == "constant":
        used = np.where(np.reshape(outside, (*shape, *trailing)), cval, used)
    return used


def spread(shape: tuple[int, ...], d: int, count: int) -> tuple[int, ...]:
    """The shape (taps, places...) with the taps of axis `d` among `count` axes of taps."""
    return (*(1,) * d, shape[0], *(1,) * (count - 1 - d), *shape[1:])


def folded(x: Any, n: int, mode: str) -> tuple[Any, Any]:
    """Places brought to where the image is, and which of them lie beyond it."""
    last = n - 1
    nothing = np.zeros(np.shape(x), bool)
    if mode == "constant":
        return np.clip(x, 0, last), (x < 0) | (x > last)
    if mode in ("nearest", "grid-constant"):  # whose points beyond the ends are known one by one
        return x, nothing
    if n == 1:
        return 0.0 * x, nothing
    if mode == "wrap":
        up = x + last * (np.floor(-x / last) + 1)
        return np.where(x < 0, up, np.where(x > last, x - last * np.floor(x / last), x)), nothing
    if mode == "grid-wrap":
        return x - n * np.floor(x / n), nothing
    period, turn = (2 * last, 0) if mode == "mirror" else (2 * n, 1)
    x = x - period * np.floor(x / period)
    return np.where(x > last + 0.5 * turn, period - turn - x, x), nothing


def start(place: Any, order: int, n: int, mode: str) -> tuple[Any, Any]:
    """The first of the points that a place takes its value from, and how far the place is past the
    knot before it.
    """
    if order % 2 == 0:
        knot = np.floor(place + 0.5)
        return as_index(knot) - order // 2, place + 0.5 - knot
    knot = np.floor(place)
    if order == 1 and n > 1 and mode in ENDING:
        knot = np.minimum(knot, n - 2.0)
    return as_index(knot) - order // 2, place - knot


def as_index(knot: Any) -> Any:
    """Whole numbers as indices."""
    return knot.astype(np.intp)


def inside(taps: Any, n: int, mode: str) -> Any:
    """The points of the image that stand for points beyond its ends."""
    kind = SYMMETRIC.get(mode, mode)
    if n == 1 or kind in ("nearest", "grid-constant"):
        return np.clip(taps, 0, n - 1)
    if kind == "grid-wrap":
        return np.mod(taps, n)
    period, turn = (2 * n - 2, 0) if kind == "mirror" else (2 * n, 1)
    taps = np.mod(taps, period)
    return np.where(taps >= n, period - turn - taps, taps)


def b_splines(share: Any, order: int) -> list[Any]:
    """The order + 1 B-splines on whole-numbered knots that are not 0 at `share` past a knot, by
    the recursion of Cox and de Boor.
    """
    row: list[Any] = [1.0 + 0.0 * share]
    for k in range(1, order + 1):
        before, after = [0.0, *row], [*row, 0.0]
        row = [
            ((share + (k - j)) * before[j] + ((j + 1) - share) * after[j]) / k for j in range(k + 1)
        ]
    return row
