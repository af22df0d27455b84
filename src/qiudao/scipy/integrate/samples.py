"""Integrals of sampled functions."""

from typing import Any

import numpy as np

from scipy import integrate as theirs

from ..operands import depends


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """`scipy.integrate.trapezoid`, with derivatives in `y`, `x` and `dx`."""
    return np.trapezoid(y, x, dx, axis)


def steps(x: Any, dx: Any, count: int, axis: int) -> Any:
    """The distances between samples, along the last axis."""
    if x is None:
        return dx * np.ones(count - 1)
    return np.diff(x) if np.ndim(x) == 1 else np.diff(np.moveaxis(x, axis, -1))


def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """`scipy.integrate.cumulative_trapezoid`, with derivatives in `y`, `x` and `dx`.

    >>> from qiudao.scipy import integrate
    >>> integrate.cumulative_trapezoid(np.array([1.0, 2.0, 3.0]))
    array([1.5, 4. ])
    """
    if not depends(y, x, dx, initial):
        return theirs.cumulative_trapezoid(y, x, dx, axis, initial)
    moved = np.moveaxis(y, axis, -1)
    widths = steps(x, dx, moved.shape[-1], axis)
    sums = np.cumsum(widths * (moved[..., 1:] + moved[..., :-1]) / 2, axis=-1)
    if initial is not None:
        start = np.broadcast_to(initial, (*sums.shape[:-1], 1))
        sums = np.concatenate([start * np.ones(start.shape), sums], axis=-1)
    return np.moveaxis(sums, -1, axis)


def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """`scipy.integrate.simpson`, with derivatives in `y`, `x` and `dx`.

    Through each pair of intervals, of widths h and k, goes a parabola; an odd last interval takes
    the parabola through the last three samples (Cartwright, Simpson's rule cumulative integration,
    2017).

    >>> from qiudao.scipy import integrate
    >>> integrate.simpson(np.array([0.0, 1.0, 4.0]))
    np.float64(2.6666666666666665)
    """
    if not depends(y, x, dx):
        return theirs.simpson(y, x, dx=dx, axis=axis)
    values = np.moveaxis(y, axis, -1)
    count = values.shape[-1]
    widths = steps(x, dx, count, axis)
    if count < 3:
        return np.sum(widths * (values[..., 1:] + values[..., :-1]) / 2, axis=-1)
    even = count if count % 2 else count - 1
    h, k = widths[..., 0 : even - 1 : 2], widths[..., 1 : even - 1 : 2]
    a, b, c = values[..., 0 : even - 2 : 2], values[..., 1 : even - 1 : 2], values[..., 2:even:2]
    total = np.sum(
        (h + k) / 6 * ((2 - k / h) * a + (h + k) ** 2 / (h * k) * b + (2 - h / k) * c), axis=-1
    )
    if even < count:
        h, k = widths[..., -2], widths[..., -1]
        total = total + (
            values[..., -1] * (2 * k**2 + 3 * h * k) / (6 * (h + k))
            + values[..., -2] * (k**2 + 3 * h * k) / (6 * h)
            - values[..., -3] * k**3 / (6 * h * (h + k))
        )
    return total
