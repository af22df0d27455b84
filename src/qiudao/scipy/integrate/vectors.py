"""Integrals of functions whose values are arrays."""

from collections.abc import Callable
from typing import Any

import qiudao as qd
from scipy import integrate as theirs

from ..operands import Watched, depends, plain, plainly, tupled
from .rules import by_pieces


def quad_vec(
    f: Callable[..., Any], a: Any, b: Any, *rest: Any, args: Any = (), **options: Any
) -> Any:
    """`scipy.integrate.quad_vec`: (integral, error), with derivatives of the integral with respect
    to `a`, `b`, `args`, and all that `f` reads; the values of `f` are numbers or arrays.

    The derivative is that of a Gauss rule of 30 points on each interval into which SciPy has cut
    [a, b]; limits may be infinite.

    >>> from qiudao.scipy import integrate
    >>> f = lambda k: integrate.quad_vec(lambda x: np.exp(-k * x * np.array([1.0, 2.0])), 0, 1)[0]
    >>> qd.jacobian(f)(1.0).round(6)
    array([-0.264241, -0.296997])
    """
    args = tupled(args)
    low, high = float(plain(a)), float(plain(b))
    names = ("epsabs", "epsrel", "norm", "cache_size", "limit", "workers", "points", "quadrature")
    stated = dict(zip((*names, "full_output"), rest, strict=False)) | options
    full = stated.pop("full_output", False)
    watched = Watched(lambda x: f(x, *args))
    bare = plainly(watched)
    value, error, info = theirs.quad_vec(
        lambda x: bare(x)[()], low, high, full_output=True, **stated
    )
    if watched.moves or depends(a, b):
        moving = by_pieces(watched, a, b, info.intervals)
        value = value + (moving - qd.stop_gradient(moving))
    return (value, error, info) if full else (value, error)
