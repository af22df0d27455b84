"""Integrals of functions."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import integrate as theirs

from ...core.dispatch import concrete
from ...core.errors import GradientError
from ..operands import Watched, as_complex, as_number, depends, plain, tupled
from .rules import by_pieces


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
    watched = Watched(func)
    numbers = as_complex(watched) if options.get("complex_func") else as_number(watched)
    value, error, info, *rest = theirs.quad(numbers, low, high, bare, full_output=1, **options)
    if watched.moves or depends(a, b, args):
        if "weight" in options:
            raise GradientError(
                "quad: derivatives with weight= are not known; put the weight into the function"
            )
        moving = by_pieces(lambda x: func(x, *args), a, b, intervals_of(info, low, high))
        value = value + (moving - qd.stop_gradient(moving))
    return (value, error, info, *rest) if full_output else (value, error)


def intervals_of(info: Any, low: float, high: float) -> Any:
    """The intervals that SciPy has come to; an integral over all numbers is folded at 0 there.

    For complex functions those of both parts, which are integrated one after the other.
    """
    if "imag" in info:
        ends = np.unique([*np.ravel(parted(info["real"][0])), *np.ravel(parted(info["imag"][0]))])
        found = np.stack([ends[:-1], ends[1:]], axis=1)
    else:
        found = parted(info)
    folded = not np.isfinite(low) and not np.isfinite(high)
    return np.concatenate([-found[:, ::-1], found]) if folded else found


def parted(info: Any) -> Any:
    """The intervals of one integral of real numbers, as rows of two ends."""
    last = info["last"]
    return np.stack([info["alist"][:last], info["blist"][:last]], axis=1)
