"""Integrals over several variables."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import qiudao as qd
from scipy import integrate as theirs

from ...core.errors import GradientError
from ..operands import as_number, depends, plain, tupled
from .integrals import by_pieces

Function = Callable[..., Any]
Limits = Callable[..., tuple[Any, Any]]  # of the variables further out


def nquad(
    func: Function, ranges: Any, args: Any = None, opts: Any = None, full_output: bool = False
) -> Any:
    """`scipy.integrate.nquad`: (integral, error), with derivatives of the integral with respect to
    `args`, the limits, and all that `func` and the limits read.

    `ranges` has a pair of limits, or a function of the variables further out that gives one, for
    each argument of `func`, the innermost first.  The derivative is that of Gauss's rules of 30
    points on the intervals into which SciPy cuts each variable: 30 times as much work for each more
    variable.  Raises `GradientError` for derivatives with `points` or `weight` among `opts`.

    >>> from qiudao.scipy import integrate
    >>> f = lambda k: integrate.nquad(lambda x, y: k * x * y, [(0.0, 1.0), (0.0, k)])[0]
    >>> qd.grad(f)(2.0).round(9)
    np.float64(3.0)
    """
    args = () if args is None else tupled(args)
    limits = [as_limits(r) for r in ranges]
    stated = opts if isinstance(opts, list | tuple) else [opts or {}] * len(limits)
    bare_limits = [lambda *outer, r=r: tuple(float(plain(v)) for v in r(*outer)) for r in limits]
    bare_args = tuple(plain(a)[()] for a in args)
    value, *rest = theirs.nquad(as_number(func), bare_limits, bare_args, opts, full_output)
    middle = middle_of([lambda *o, r=r: r(*o, *args) for r in limits])
    ends = [limits[k](*middle[k + 1 :], *args) for k in range(len(limits))]
    if depends(args, ends, func(*middle, *args)):
        if any(callable(o) or not {"points", "weight"}.isdisjoint(o) for o in stated):
            raise GradientError(
                "nquad: derivatives with points or weight in opts=, or with a function there, are "
                "not known; put the weight into the function, and integrate piece by piece"
            )
        within = [lambda *outer, r=r: r(*outer, *args) for r in limits]
        moving = nested(lambda *x: func(*x, *args), within, [dict(o) for o in stated])
        value = value + (moving - qd.stop_gradient(moving))
    return (value, *rest)


def as_limits(range_of_one: Any) -> Limits:
    """A pair of limits as a function."""
    if callable(range_of_one):
        found: Limits = range_of_one
        return found
    pair = tuple(range_of_one)
    return lambda *outer: pair


def middle_of(limits: Sequence[Limits]) -> list[Any]:
    """A point within the limits, to ask there what the function depends on."""
    point: list[Any] = []
    for r in reversed(limits):
        a, b = (float(plain(v)) for v in r(*point))
        near = a if np.isfinite(a) else b - 2.0 if np.isfinite(b) else -1.0
        point.insert(0, 0.5 * (a + b) if np.isfinite(a) and np.isfinite(b) else near + 1.0)
    return point


def nested(f: Function, limits: Sequence[Limits], opts: Sequence[dict[str, Any]]) -> Any:
    """The integral by a rule on each interval that SciPy cuts the outermost variable into, of the
    integrals over the others.
    """
    *inner, outer = limits
    a, b = outer()
    low, high = float(plain(a)), float(plain(b))

    def bare(x: Any) -> float:
        if not inner:
            return float(plain(f(x)))
        within = [lambda *o, r=r: tuple(float(plain(v)) for v in r(*o, x)) for r in inner]
        found = theirs.nquad(lambda *y: float(plain(f(*y, x))), within, opts=list(opts[:-1]))
        return float(found[0])

    info = theirs.quad(bare, low, high, full_output=1, **opts[-1])[2]

    def of_one(x: Any) -> Any:
        if not inner:
            return f(x)
        return nested(lambda *y: f(*y, x), [lambda *o, r=r: r(*o, x) for r in inner], opts[:-1])

    return by_pieces(of_one, a, b, low, high, info, at_once=not inner)


def dblquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> Any:
    """`scipy.integrate.dblquad`: the integral of func(y, x) for y from gfun(x) to hfun(x) and x
    from a to b; as `nquad`.

    >>> from qiudao.scipy import integrate
    >>> f = lambda k: integrate.dblquad(lambda y, x: k * x, 0.0, 1.0, 0.0, lambda x: k * x)[0]
    >>> qd.grad(f)(2.0).round(9)
    np.float64(1.333333333)
    """
    low, high = as_curve(gfun), as_curve(hfun)
    return nquad(
        func, [lambda x, *rest: (low(x), high(x)), (a, b)], args,
        {"epsabs": epsabs, "epsrel": epsrel},
    )  # fmt: skip


def tplquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    qfun: Any,
    rfun: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> Any:
    """`scipy.integrate.tplquad`: the integral of func(z, y, x) for z from qfun(x, y) to rfun(x, y),
    y from gfun(x) to hfun(x) and x from a to b; as `nquad`.
    """
    curves, surfaces = [as_curve(g) for g in (gfun, hfun)], [as_curve(q) for q in (qfun, rfun)]
    return nquad(
        func,
        [
            lambda y, x, *rest: (surfaces[0](x, y), surfaces[1](x, y)),
            lambda x, *rest: (curves[0](x), curves[1](x)),
            (a, b),
        ],
        args,
        {"epsabs": epsabs, "epsrel": epsrel},
    )


def as_curve(limit: Any) -> Function:
    """A limit that may be a number, as a function."""
    if callable(limit):
        found: Function = limit
        return found
    return lambda *outer: limit
