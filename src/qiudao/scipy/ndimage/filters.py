"""Filters of images."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from scipy import ndimage as theirs

from ...core.errors import GradientError
from ..operands import array, depends

PADS: dict[str, Any] = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}  # SciPy's names of what lies beyond an image, and NumPy's


def padded(name: str, image: Any, widths: list[tuple[int, int]], mode: str, cval: Any) -> Any:
    """An image with what a mode says lies beyond it."""
    if mode not in PADS:
        raise GradientError(f"{name}: mode={mode!r} is not known; use one of {', '.join(PADS)}")
    if PADS[mode] == "constant":
        return np.pad(image, widths, mode="constant", constant_values=cval)
    return np.pad(image, widths, mode=PADS[mode])


def correlate(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """`scipy.ndimage.correlate`, with derivatives in the image and in the weights: each point of
    the result is the sum of the weights times the window of the image about it.

    Raises `GradientError` for derivatives with `output`, an unknown mode, a `cval` that carries
    one, and weights of another number of axes.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda w: ndimage.correlate(x, w)[0])(np.ones(3))
    array([1., 1., 2.])
    """
    if not depends(input, weights, cval):
        return theirs.correlate(input, weights, output, mode, cval, origin)
    image, weights = checked("correlate", input, weights, output, cval)
    return windows("correlate", image, weights, mode, cval, centre(weights, origin))


def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """`scipy.ndimage.convolve`, with derivatives in the image and in the weights: `correlate` with
    the weights in reverse.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda w: ndimage.convolve(x, w)[0])(np.ones(3))
    array([2., 1., 1.])
    """
    if not depends(input, weights, cval):
        return theirs.convolve(input, weights, output, mode, cval, origin)
    image, weights = checked("convolve", input, weights, output, cval)
    middle = centre(weights, origin, reverse=True)
    return windows("convolve", image, np.flip(weights), mode, cval, middle)


def checked(name: str, image: Any, weights: Any, output: Any, cval: Any) -> tuple[Any, Any]:
    """The image and the weights as arrays of real numbers with as many axes."""
    image, weights = array(image), array(weights)
    if output is not None or depends(cval):
        raise GradientError(
            f"{name}: derivatives with output= and in cval are not known; take the result as it "
            "is returned, and np.pad the image"
        )
    if np.ndim(image) != np.ndim(weights):
        raise GradientError(
            f"{name}: the image has {np.ndim(image)} axes and the weights {np.ndim(weights)}; give "
            "weights with as many axes"
        )
    return image * 1.0, weights


def centre(weights: Any, origin: Any, reverse: bool = False) -> list[int]:
    """Where in the window the point of the result stands, along each axis."""
    shape = np.shape(weights)
    origins = np.broadcast_to(origin, len(shape))
    if reverse:
        return [(n - 1) // 2 - int(o) for n, o in zip(shape, origins, strict=True)]
    return [n // 2 + int(o) for n, o in zip(shape, origins, strict=True)]


def windows(name: str, image: Any, weights: Any, mode: str, cval: Any, middle: list[int]) -> Any:
    """The sums over windows of which the point `middle` lies on the point of the result."""
    shape = np.shape(weights)
    widths = [(c, n - 1 - c) for n, c in zip(shape, middle, strict=True)]
    seen = sliding_window_view(padded(name, image, widths, mode, cval), shape)
    return np.tensordot(seen, weights, len(shape))


def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: Any = None,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.gaussian_filter`, with derivatives in the image: along each axis, one after
    the other, windows of SciPy's own weights.

    Raises `GradientError` for derivatives in `sigma` or `cval`, and with `output`.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: np.sum(ndimage.gaussian_filter(x, 1.0)))(np.ones(3)).round(9)
    array([1., 1., 1.])
    """
    if not depends(input, sigma, cval):
        return theirs.gaussian_filter(
            input, sigma, order, output, mode, cval, truncate, radius=radius, axes=axes
        )
    if output is not None or depends(sigma, cval):
        raise GradientError(
            "gaussian_filter: derivatives in sigma and cval, and with output=, are not known; for "
            "sigma, correlate with np.exp(-x**2 / (2 * sigma**2))"
        )
    image: Any = array(input) * 1.0
    rank = np.ndim(image)
    chosen = [int(d) % rank for d in (range(rank) if axes is None else np.atleast_1d(axes))]
    per_axis = [
        list(v) if isinstance(v, list | tuple | np.ndarray) else [v] * len(chosen)
        for v in (sigma, order, mode, radius)
    ]
    for d, s, o, m, r in zip(chosen, *per_axis, strict=True):
        if s > 1e-15:
            weights = of_gaussian(s, o, int(truncate * float(s) + 0.5) if r is None else r)
            shape = [1] * rank
            shape[d] = len(weights)
            weights = weights.reshape(shape)
            image = windows("gaussian_filter", image, weights, m, cval, centre(weights, 0))
    return image


def of_gaussian(sigma: float, order: int, reach: int) -> Any:
    """The weights of SciPy's filter, as what it makes of single points of light."""
    lights = np.zeros(4 * reach + 1)
    lights[2 * reach] = 1.0
    seen = theirs.gaussian_filter1d(lights, sigma, order=order, mode="constant", radius=reach)
    return seen[reach : 3 * reach + 1][::-1]


def gaussian_filter1d(
    input: Any,
    sigma: Any,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: Any = None,
) -> Any:
    """`scipy.ndimage.gaussian_filter1d`: `gaussian_filter` along one axis."""
    return gaussian_filter(
        input, sigma, order, output, mode, cval, truncate, radius=radius, axes=(axis,)
    )
