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
    less accurate than the integral.  Raises `GradientError` for derivatives with `points=` or
    `weight=`, or where limits of infinite intervals carry one.

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
        if not {"points", "weight"}.isdisjoint(options):
            raise GradientError(
                "quad: derivatives with points= or weight= are not known; put the weight into the "
                "function, and integrate piece by piece"
            )
        moving = by_pieces(lambda x: func(x, *args), a, b, low, high, info)
        value = value + (moving - qd.stop_gradient(moving))
    return (value, error, info, *rest) if full_output else (value, error)


def by_pieces(f: Callable[[Any], Any], a: Any, b: Any, low: float, high: float, info: Any) -> Any:
    """The integral by a Gauss rule on each of the intervals that SciPy has come to."""
    last = info["last"]
    starts, ends = np.array(info["alist"][:last]), np.array(info["blist"][:last])
    half = 0.5 * (ends - starts)
    places = (starts + half)[:, None] + half[:, None] * NODES
    weights = half[:, None] * WEIGHTS
    if np.isfinite(low) and np.isfinite(high):
        if low == high:
            return (b - a) * f(a)
        share = (np.ravel(places) - low) / (high - low)
        return np.sum((b - a) * np.ravel(weights) / abs(high - low) * at(f, a + (b - a) * share))
    if depends(a, b):
        raise GradientError(
            "quad: the limits of an infinite interval carry a derivative, which is not known; "
            "substitute, so that the limit stands in the function"
        )
    t, w = np.ravel(places), np.ravel(weights)
    x, w = (1 - t) / t, w / t**2
    sign = 1.0 if high > low else -1.0
    first, last = min(low, high), max(low, high)
    if np.isfinite(first):
        return sign * np.sum(w * at(f, first + x))
    if np.isfinite(last):
        return sign * np.sum(w * at(f, last - x))
    return sign * np.sum(w * (at(f, x) + at(f, -x)))


def at(f: Callable[[Any], Any], points: Any) -> Any:
    """`f` of each of many points: at once, or one by one where it branches on them."""
    try:
        return qd.vmap(f)(points)
    except QiudaoError:
        return np.stack([f(points[k]) for k in range(np.size(points))])
