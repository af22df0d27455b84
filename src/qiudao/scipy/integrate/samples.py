"""Integrals of sampled functions."""

import itertools
from typing import Any

import numpy as np

from scipy import integrate as theirs

from ..operands import depends, tupled


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


def romb(y: Any, dx: Any = 1.0, axis: int = -1, show: bool = False) -> Any:
    """`scipy.integrate.romb`, with derivatives in `y` and `dx`: Romberg's rule for 2^k + 1 samples,
    which removes the errors of the trapezoidal rule one even power of the width after the other.

    >>> from qiudao.scipy import integrate
    >>> qd.grad(integrate.romb)(np.array([0.0, 1.0, 4.0])).round(4)
    array([0.3333, 1.3333, 0.3333])
    """
    if not depends(y, dx):
        return theirs.romb(y, dx, axis, show)
    values = np.moveaxis(y, axis, -1)
    count = np.shape(values)[-1] - 1
    theirs.romb(np.zeros(count + 1))  # which refuses another number of samples
    rows = []
    stride = count
    while stride:
        part = values[..., ::stride]
        sums = np.sum(part, axis=-1) - 0.5 * (part[..., 0] + part[..., -1])
        rows.append(stride * dx * sums)
        stride //= 2
    for j in range(1, len(rows)):
        rows = [
            finer + (finer - coarser) / (4**j - 1) for coarser, finer in itertools.pairwise(rows)
        ]
    return rows[0]


def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> Any:
    """`scipy.integrate.fixed_quad`: (integral, None) by Gauss's rule of `n` points, with
    derivatives with respect to `a`, `b`, `args`, and all that `func` reads.

    >>> from qiudao.scipy import integrate
    >>> qd.grad(lambda b: integrate.fixed_quad(np.cos, 0.0, b)[0])(1.0).round(6)
    np.float64(0.540302)
    """
    args = tupled(args)
    nodes, weights = np.polynomial.legendre.leggauss(n)
    values = func((b - a) * (nodes + 1) / 2.0 + a, *args)
    if not depends(a, b, values):
        return theirs.fixed_quad(func, a, b, args, n)
    return (b - a) / 2.0 * np.sum(weights * values, axis=-1), None
