"""Roots of equations."""

from typing import Any

import numpy as np

import qiudao as qd
from scipy import optimize as theirs

from ...core.avals import Aval
from ..operands import Function, array, as_number, plainly, solve, tupled
from .implicit import differentiable, reported, start_of


def root(fun: Function, x0: Any, args: Any = (), method: str = "hybr", **options: Any) -> Any:
    """`scipy.optimize.root`; `x` has derivatives with respect to `args`, and all that `fun` reads.

    dx = -(dF/dx)^-1 dF.  Where `jac` is not given, ours is exact.  Raises `GradientError` for the
    derivative of what is no solution: where the next step of Newton's method would be long.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.root(lambda x, a: x**2 - a, np.array([1.0]), args=(a,)).x[0]
    >>> qd.grad(f)(4.0).round(9)
    np.float64(0.25)
    """
    args = tupled(args)

    def scipy(x0: Any, args: Any) -> Any:
        given = dict(options)
        if method in ("hybr", "lm") and "jac" not in given:
            given["jac"] = plainly(qd.jacobian(fun))
        return theirs.root(plainly(fun), x0, args, method, **given)

    start = start_of(x0)
    x, found = reported("root", scipy, (start, args), np.shape(start))
    found.x = differentiable("root", lambda x: fun(x, *args), x)
    return found


def searched(name: str, scipy: Function, start: Any, args: Any) -> Any:
    """Where `scipy(start, args)` ends, which has the shape of the start; a constant."""
    return solve(name, scipy, (start, args), [Aval(np.shape(start), np.dtype(float))])


def scalar(name: str) -> Function:
    """One of SciPy's functions for the root of a function of one number."""
    solver = getattr(theirs, name)

    def find(f: Function, a: Any, b: Any, args: Any = (), **options: Any) -> Any:
        args = tupled(args)

        def scipy(a: Any, b: Any, args: Any) -> Any:
            return solver(as_number(f), float(a), float(b), args, **options)

        if options.get("full_output"):
            x, report = scipy(a, b, args)
            return differentiable(name, lambda x: f(x, *args), x), report
        x = solve(name, scipy, (a, b, args), [Aval((), np.dtype(float))])
        return differentiable(name, lambda x: f(x, *args), x)

    find.__name__ = find.__qualname__ = name
    find.__doc__ = (
        f"`scipy.optimize.{name}`: the root of `f` between `a` and `b`, with derivatives with "
        "respect to `args` and all that `f` reads."
    )
    return find


bisect = scalar("bisect")
brenth = scalar("brenth")
brentq = scalar("brentq")
ridder = scalar("ridder")
toms748 = scalar("toms748")


def newton(
    func: Function, x0: Any, fprime: Function | None = None, args: Any = (), **options: Any
) -> Any:
    """`scipy.optimize.newton`; where `fprime` is not given, ours is exact.

    >>> from qiudao.scipy import optimize
    >>> qd.grad(lambda a: optimize.newton(lambda x: x**3 - a, 1.5))(8.0).round(9)
    np.float64(0.083333333)
    """

    def slope(x: Any, *args: Any) -> Any:
        return qd.jvp(lambda x: func(x, *args), (x,), (np.ones(np.shape(x)),))[1]

    def scipy(x0: Any, args: Any) -> Any:
        return theirs.newton(plainly(func), x0, plainly(fprime or slope), args, **options)

    start = start_of(x0)
    x = searched("newton", scipy, start, args)
    return differentiable("newton", lambda x: func(x, *args), x)


def fixed_point(func: Function, x0: Any, args: Any = (), **options: Any) -> Any:
    """`scipy.optimize.fixed_point`: x with x = func(x), differentiable.

    >>> from qiudao.scipy import optimize
    >>> qd.grad(lambda a: optimize.fixed_point(lambda x: np.cos(a * x), 0.5))(1.0).round(6)
    np.float64(-0.297474)
    """

    def scipy(x0: Any, args: Any) -> Any:
        return theirs.fixed_point(plainly(func), x0, args, **options)

    start = start_of(x0)
    x = searched("fixed_point", scipy, start, args)
    return differentiable("fixed_point", lambda x: func(x, *args) - x, x)


def root_scalar(f: Function, args: Any = (), method: str | None = None, **options: Any) -> Any:
    """`scipy.optimize.root_scalar`; `root` has derivatives with respect to `args` and all that `f`
    reads.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.root_scalar(lambda x: x**3 - a, bracket=(0.0, 9.0)).root
    >>> qd.grad(f)(8.0).round(9)
    np.float64(0.083333333)
    """
    args = tupled(args)

    def scipy(args: Any) -> Any:
        stated = {k: plainly(v) if callable(v) else v for k, v in options.items()}
        return theirs.root_scalar(as_number(f), args, method, **stated)

    numbers = {"converged": bool, "iterations": int, "function_calls": int}
    x, found = reported("root_scalar", scipy, (args,), (), "root", numbers)
    found.root = differentiable("root_scalar", lambda x: f(x, *args), x)
    return found


def fsolve(
    func: Function,
    x0: Any,
    args: Any = (),
    fprime: Function | None = None,
    full_output: bool = False,
    **options: Any,
) -> Any:
    """`scipy.optimize.fsolve`, with derivatives with respect to `args` and all that `func` reads;
    where `fprime` is not given, ours is exact.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.fsolve(lambda x, a: x**2 - a, np.array([1.0]), args=(a,))[0]
    >>> qd.grad(f)(4.0).round(9)
    np.float64(0.25)
    """
    args = tupled(args)
    start = np.atleast_1d(start_of(x0))
    box: list[Any] = []

    def residual(x: Any, *args: Any) -> Any:
        return array(func(x, *args))

    def scipy(x0: Any, args: Any) -> Any:
        exact = qd.jacobian(residual) if fprime is None else fprime
        found = theirs.fsolve(plainly(residual), x0, args, plainly(exact), full_output, **options)
        box[:] = [found[1:] if full_output else ()]
        return found[0] if full_output else found

    x = searched("fsolve", scipy, start, args)
    x = differentiable("fsolve", lambda x: residual(x, *args), x)
    return (x, *box[0]) if full_output else x
