"""Integrals of functions."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import integrate as theirs

from ...core.dispatch import concrete
from ...core.errors import GradientError, QiudaoError
from ..operands import as_number, depends, plain, tupled

NODES, WEIGHTS = np.polynomial.legendre.leggauss(30)


def quad(
    func: Callable[..., Any],
    a: Any,
    b: Any,
    args: Any = (),
    full_output: int = 0,
    **options: Any,
) -> Any:
    """`scipy.integrate.quad`: (integral, error), with derivatives of the integral with respect to
    `a`, `b`, `args`, and all that `func` reads.

    The derivative of the integral is that of a Gauss rule of 30 points on each interval into which
    SciPy has cut [a, b]; limits may be infinite.  Where `func` has an integrable singularity, it is
    less accurate than the integral.  Raises `GradientError` for derivatives with `weight=`.

    >>> from qiudao.scipy import integrate
    >>> qd.grad(lambda k: integrate.quad(lambda x: np.exp(-k * x), 0.0, np.inf)[0])(2.0).round(9)
    np.float64(-0.25)
    """
    args = tupled(args)
    low, high = float(plain(a)), float(plain(b))
    bare = tuple(concrete(x) for x in args)
    value, error, info, *rest = theirs.quad(
        as_number(func), low, high, bare, full_output=1, **options
    )
    if depends(a, b, args, func(0.5 * low + 0.5 * high if np.isfinite(low + high) else 1.0, *args)):
        if "weight" in options:
            raise GradientError(
                "quad: derivatives with weight= are not known; put the weight into the function"
            )
        moving = by_pieces(lambda x: func(x, *args), a, b, low, high, info)
        value = value + (moving - qd.stop_gradient(moving))
    return (value, error, info, *rest) if full_output else (value, error)


def by_pieces(
    f: Callable[[Any], Any], a: Any, b: Any, low: float, high: float, info: Any,
    at_once: bool = True,
) -> Any:  # fmt: skip
    """The integral by a Gauss rule on each of the intervals that SciPy has come to."""
    last = info["last"]
    starts, ends = np.array(info["alist"][:last]), np.array(info["blist"][:last])
    half = 0.5 * (ends - starts)
    t = np.ravel((starts + half)[:, None] + half[:, None] * NODES)
    w = np.ravel(half[:, None] * WEIGHTS)
    if np.isfinite(low) and np.isfinite(high):
        if low == high:
            return (b - a) * f(a)
        points = a + (b - a) * ((t - low) / (high - low))
        return np.sum((b - a) * (w / abs(high - low)) * at(f, points, at_once))
    x, w = (1 - t) / t, w / t**2
    sign = 1.0 if high > low else -1.0
    if np.isfinite(low):
        return sign * np.sum(w * at(f, a + sign * x, at_once))
    if np.isfinite(high):
        return sign * np.sum(w * at(f, b - sign * x, at_once))
    return sign * np.sum(w * (at(f, x, at_once) + at(f, -x, at_once)))


def at(f: Callable[[Any], Any], points: Any, at_once: bool = True) -> Any:
    """`f` of each of many points: at once, or one by one where it branches on them."""
    if at_once:
        try:
            return qd.vmap(f)(points)
        except QiudaoError:
            pass
    return np.stack([f(points[k]) for k in range(np.size(points))])
