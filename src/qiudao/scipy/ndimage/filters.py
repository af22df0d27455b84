"""Filters that weigh the windows of an image."""

from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ...core.errors import GradientError
from ..operands import array, depends
from .windows import along, centre, chosen, per_axis, refuse_output, windows


def correlate(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """`scipy.ndimage.correlate`, with derivatives in the image, the weights and `cval`: each point
    of the result is the sum of the weights (their conjugates) times the window about it.

    Raises `GradientError` for derivatives with `output`, an unknown mode, and weights of another
    number of axes.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda w: ndimage.correlate(x, w)[0])(np.ones(3))
    array([1., 1., 2.])
    """
    if not depends(input, weights, cval):
        return theirs.correlate(input, weights, output, mode, cval, origin)
    image, weights = checked("correlate", input, weights, output)
    shape = np.shape(weights)
    seen = windows("correlate", image, shape, centre(shape, origin), mode, cval)
    return np.tensordot(seen, conjugate(weights), len(shape))


def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    """`scipy.ndimage.convolve`, with derivatives in the image, the weights and `cval`: the sum of
    the weights in reverse times the window about each point.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> qd.grad(lambda w: ndimage.convolve(x, w)[0])(np.ones(3))
    array([2., 1., 1.])
    """
    if not depends(input, weights, cval):
        return theirs.convolve(input, weights, output, mode, cval, origin)
    image, weights = checked("convolve", input, weights, output)
    shape = np.shape(weights)
    origins = np.broadcast_to(origin, len(shape))
    middle = [(n - 1) // 2 - int(o) for n, o in zip(shape, origins, strict=True)]
    seen = windows("convolve", image, shape, middle, mode, cval)
    return np.tensordot(seen, np.flip(weights), len(shape))


def checked(name: str, image: Any, weights: Any, output: Any) -> tuple[Any, Any]:
    """The image and the weights as arrays of numbers with as many axes."""
    image, weights = array(image), array(weights)
    refuse_output(name, output)
    if np.ndim(image) != np.ndim(weights):
        raise GradientError(
            f"{name}: the image has {np.ndim(image)} axes and the weights {np.ndim(weights)}; give "
            "weights with as many axes"
        )
    return image * 1.0, weights


def conjugate(weights: Any) -> Any:
    """The conjugate of complex weights."""
    return np.conj(weights) if weights.dtype.kind == "c" else weights


def correlate1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.correlate1d`: `correlate` with a row of weights along an axis.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> qd.grad(lambda w: ndimage.correlate1d(x, w)[1])(np.ones(3))
    array([1., 2., 4.])
    """
    if not depends(input, weights, cval):
        return theirs.correlate1d(input, weights, axis, output, mode, cval, origin)
    refuse_output("correlate1d", output)
    row = conjugate(array(weights))
    return along("correlate1d", array(input) * 1.0, row, axis, mode, cval, origin)


def convolve1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.convolve1d`: `convolve` with a row of weights along an axis.

    >>> from qiudao.scipy import ndimage
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> qd.grad(lambda w: ndimage.convolve1d(x, w)[1])(np.ones(3))
    array([4., 2., 1.])
    """
    if not depends(input, weights, cval):
        return theirs.convolve1d(input, weights, axis, output, mode, cval, origin)
    refuse_output("convolve1d", output)
    row = np.flip(array(weights))
    even = np.shape(row)[0] % 2 == 0
    return along("convolve1d", array(input) * 1.0, row, axis, mode, cval, -origin - even)


def uniform_filter1d(
    input: Any,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> Any:
    """`scipy.ndimage.uniform_filter1d`: the mean of the `size` points about each, along an axis.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: ndimage.uniform_filter1d(x, 2)[1])(np.ones(3))
    array([0.5, 0.5, 0. ])
    """
    if not depends(input, cval):
        return theirs.uniform_filter1d(input, size, axis, output, mode, cval, origin)
    refuse_output("uniform_filter1d", output)
    row = np.full(size, 1 / size)
    return along("uniform_filter1d", array(input) * 1.0, row, axis, mode, cval, origin)


def uniform_filter(
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> Any:
    """`scipy.ndimage.uniform_filter`: the mean of the window about each point.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: ndimage.uniform_filter(x)[1, 1])(np.ones((2, 2))).round(4)
    array([[0.1111, 0.2222],
           [0.2222, 0.4444]])
    """
    if not depends(input, cval):
        return theirs.uniform_filter(input, size, output, mode, cval, origin, axes=axes)
    refuse_output("uniform_filter", output)
    image: Any = array(input) * 1.0
    ways = chosen(axes, np.ndim(image))
    stated = zip(ways, *(per_axis(v, len(ways)) for v in (size, mode, origin)), strict=True)
    for d, n, m, o in stated:
        image = uniform_filter1d(image, int(n), d, None, m, cval, o)
    return image


def laplace(
    input: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *, axes: Any = None
) -> Any:
    """`scipy.ndimage.laplace`: the sum of the second differences along the axes.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: ndimage.laplace(x)[1])(np.ones(4))
    array([ 1., -2.,  1.,  0.])
    """
    if not depends(input, cval):
        return theirs.laplace(input, output, mode, cval, axes=axes)
    refuse_output("laplace", output)
    image: Any = array(input) * 1.0
    ways = chosen(axes, np.ndim(image))
    row = np.array([1.0, -2.0, 1.0])
    parts = [
        along("laplace", image, row, d, m, cval)
        for d, m in zip(ways, per_axis(mode, len(ways)), strict=True)
    ]
    return sum(parts[1:], parts[0]) if parts else image


def edges(name: str, beside: list[float]) -> Any:
    """A filter of edges: differences along an axis, weighted sums along the others."""
    scipy = getattr(theirs, name)

    def filtered(
        input: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
    ) -> Any:
        if not depends(input, cval):
            return scipy(input, axis, output, mode, cval)
        refuse_output(name, output)
        image: Any = array(input) * 1.0
        rank = np.ndim(image)
        modes = per_axis(mode, rank)
        image = along(name, image, np.array([-1.0, 0.0, 1.0]), axis, modes[axis], cval)
        for d in range(rank):
            if d != axis % rank:
                image = along(name, image, np.array(beside), d, modes[d], cval)
        return image

    filtered.__name__ = filtered.__qualname__ = name
    filtered.__doc__ = (
        f"`scipy.ndimage.{name}`, with derivatives in the image and `cval`: the differences -1, 0, "
        f"1 along `axis`, and along the other axes the sums with weights {beside}."
    )
    return filtered


sobel = edges("sobel", [1.0, 2.0, 1.0])
prewitt = edges("prewitt", [1.0, 1.0, 1.0])
