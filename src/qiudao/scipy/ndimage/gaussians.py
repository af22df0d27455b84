"""Filters with the weights of a Gaussian."""

from typing import Any

import numpy as np

from scipy import ndimage as theirs

from ...core.errors import GradientError
from ..operands import array, depends, known
from .windows import along, chosen, per_axis, refuse_output


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
    """`scipy.ndimage.gaussian_filter`, with derivatives in the image, `sigma` and `cval`: along
    each axis, one after the other, windows of the weights exp(-x^2 / 2 sigma^2) / sum, or of their
    derivative of this `order`.

    The window reaches to `truncate` sigma, rounded, and the derivative in `sigma` is that of a
    window of this size.  Raises `GradientError` for derivatives with `output`, and where `sigma` is
    not at hand, as in `qd.jit` and `qd.vmap`, and no `radius` is given.

    >>> from qiudao.scipy import ndimage
    >>> qd.grad(lambda x: np.sum(ndimage.gaussian_filter(x, 1.0)))(np.ones(3)).round(9)
    array([1., 1., 1.])
    >>> spot = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    >>> qd.grad(lambda s: ndimage.gaussian_filter(spot, s)[2])(1.0).round(3)
    np.float64(-0.399)
    """
    if not depends(input, sigma, cval):
        return theirs.gaussian_filter(
            input, sigma, order, output, mode, cval, truncate, radius=radius, axes=axes
        )
    refuse_output("gaussian_filter", output)
    image: Any = array(input) * 1.0
    ways = chosen(axes, np.ndim(image))
    stated = [per_axis(v, len(ways)) for v in (sigma, order, mode, radius)]
    for d, s, o, m, r in zip(ways, *stated, strict=True):
        width = known(s)
        if width is None and r is None:
            raise GradientError(
                "gaussian_filter: how far the window reaches hangs on sigma, whose value is not "
                "known in qd.jit and qd.vmap; give radius="
            )
        if width is None or width > 1e-15:
            reach = int(truncate * float(width) + 0.5) if r is None else r
            image = along("gaussian_filter", image, of_gaussian(s, o, reach), d, m, cval)
    return image


def of_gaussian(sigma: Any, order: int, reach: int) -> Any:
    """The weights: a Gaussian times the polynomial q that its derivative of this order has, where
    q' - x q / sigma^2 is that of the next.
    """
    x = np.arange(-reach, reach + 1.0)
    variance = sigma * sigma
    bell = np.exp(-0.5 / variance * x**2)
    bell = bell / np.sum(bell)
    q: list[Any] = [1.0]  # the coefficients, from the power 0 on
    for _ in range(order):
        slope = [*[k * c for k, c in enumerate(q)][1:], 0.0, 0.0]
        q = [s - c / variance for s, c in zip(slope, [0.0, *q], strict=True)]
    total: Any = 0.0
    for c in reversed(q):
        total = total * x + c
    return np.flip(total * bell)


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


def parts(
    image: Any, sigma: Any, order: int, mode: Any, cval: Any, axes: Any, options: Any
) -> list[Any]:
    """The derivative of this order along each axis of the image that is filtered."""
    rank = np.ndim(image)
    ways = chosen(axes, rank)
    widths: list[Any] = [0.0] * rank
    for d, s in zip(ways, per_axis(sigma, len(ways)), strict=True):
        widths[d] = s
    found = []
    for d, m in zip(ways, per_axis(mode, len(ways)), strict=True):
        orders = [order if k == d else 0 for k in range(rank)]
        found.append(gaussian_filter(image, widths, orders, None, m, cval, **options))
    return found


def gaussian_laplace(
    input: Any,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
    **options: Any,
) -> Any:
    """`scipy.ndimage.gaussian_laplace`: the sum of the second derivatives of the Gaussian filter,
    with derivatives in the image, `sigma` and `cval`.
    """
    if not depends(input, sigma, cval):
        return theirs.gaussian_laplace(input, sigma, output, mode, cval, axes=axes, **options)
    refuse_output("gaussian_laplace", output)
    found = parts(array(input), sigma, 2, mode, cval, axes, options)
    return sum(found[1:], found[0])


def gaussian_gradient_magnitude(
    input: Any,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
    **options: Any,
) -> Any:
    """`scipy.ndimage.gaussian_gradient_magnitude`: the length of the gradient of the Gaussian
    filter, with derivatives in the image, `sigma` and `cval`; 0 where the gradient is 0.
    """
    if not depends(input, sigma, cval):
        return theirs.gaussian_gradient_magnitude(
            input, sigma, output, mode, cval, axes=axes, **options
        )
    refuse_output("gaussian_gradient_magnitude", output)
    found = parts(array(input), sigma, 1, mode, cval, axes, options)
    return np.linalg.norm(np.stack(found), axis=0)
