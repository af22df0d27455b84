"""Integrals over several variables."""

from collections.abc import Callable, Sequence
from typing import Any

import qiudao as qd
from scipy import integrate as theirs

from ...core.errors import GradientError
from ..operands import Watched, as_number, depends, plain, tupled
from .integrals import intervals_of
from .rules import by_pieces

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
    integrand, limits = Watched(func), [Watched(as_function(r)) for r in ranges]
    stated = opts if isinstance(opts, list | tuple) else [opts or {}] * len(limits)
    bare_args = tuple(plain(a)[()] for a in args)
    value, *rest = theirs.nquad(
        as_number(integrand), [bare(r) for r in limits], bare_args, opts, full_output
    )
    if depends(args) or any(f.moves for f in (integrand, *limits)):
        if any(callable(o) or not {"points", "weight"}.isdisjoint(o) for o in stated):
            raise GradientError(
                "nquad: derivatives with points or weight in opts=, or with a function there, are "
                "not known; put the weight into the function, and integrate piece by piece"
            )
        within = [lambda *outer, r=r: r(*outer, *args) for r in limits]
        moving = nested(lambda *x: func(*x, *args), within, [dict(o) for o in stated])
        value = value + (moving - qd.stop_gradient(moving))
    return (value, *rest)


def as_function(value: Any) -> Function:
    """A limit, or a pair of them, as a function of the variables further out."""
    found: Function = value if callable(value) else lambda *outer: value
    return found


def bare(limits: Limits) -> Limits:
    """Limits as pairs of Python floats."""
    return lambda *outer: tuple(float(plain(v)) for v in limits(*outer))


def nested(f: Function, limits: Sequence[Limits], opts: Sequence[dict[str, Any]]) -> Any:
    """The integral by a rule on each interval that SciPy cuts the outermost variable into, of the
    integrals over the others.
    """
    *inner, outer = limits
    a, b = outer()
    low, high = float(plain(a)), float(plain(b))

    def within(x: Any) -> tuple[Function, list[Limits]]:
        return lambda *y: f(*y, x), [lambda *o, r=r: r(*o, x) for r in inner]

    def value(x: Any) -> Any:
        g, ranges = within(x)
        return theirs.nquad(as_number(g), [bare(r) for r in ranges], opts=list(opts[:-1]))[0]

    def moving(x: Any) -> Any:
        return nested(*within(x), opts[:-1])

    info = theirs.quad(value if inner else as_number(f), low, high, full_output=1, **opts[-1])[2]
    intervals = intervals_of(info, low, high)
    return by_pieces(moving if inner else f, a, b, intervals, at_once=not inner)


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
    low, high = as_function(gfun), as_function(hfun)
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
    front, back, bottom, top = map(as_function, (gfun, hfun, qfun, rfun))
    return nquad(
        func,
        [
            lambda y, x, *rest: (bottom(x, y), top(x, y)),
            lambda x, *rest: (front(x), back(x)),
            (a, b),
        ],
        args,
        {"epsabs": epsabs, "epsrel": epsrel},
    )
