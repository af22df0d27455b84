"""Minima."""

from typing import Any

import numpy as np

import qiudao as qd
from scipy import optimize as theirs

from ...core.avals import Aval
from ...core.errors import GradientError
from ..operands import Function, as_number, depends, plain, plainly, solve, tupled
from .implicit import differentiable, report_of, start_of

FREE = {"nelder-mead", "powell", "cobyla", "cobyqa"}  # methods that take no gradient
SECOND = {"newton-cg", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"}


def minimize(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    **options: Any,
) -> Any:
    """`scipy.optimize.minimize`; `x` and `fun` of the result have derivatives with respect to
    `args`, and all that `fun` reads: dx = -H^-1 d(grad f), on the variables that are at no bound.

    Where `jac`, `hess` and `hessp` are not given, the method gets exact ones of ours: the gradient,
    and the Hessian where it takes one.  Raises `GradientError` for derivatives under `constraints`.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.minimize(lambda x: (x[0] - a) ** 2 + (x[1] - a**2) ** 2, [0, 0]).x
    >>> qd.jacobian(f)(3.0).round(6)
    array([1., 6.])
    """
    args = tupled(args)
    chosen = method.lower() if isinstance(method, str) else method
    box: list[Any] = []

    def scipy(x0: Any, args: Any) -> Any:
        stated = {"jac": jac, "hess": hess, "hessp": hessp}
        given = {k: plainly(v) if callable(v) else v for k, v in stated.items() if v is not None}
        objective = as_number(fun)
        if jac is None and chosen not in FREE:
            both = qd.value_and_grad(fun)
            objective = lambda x, *a: values(both(x, *a))  # noqa: E731
            given["jac"] = True
        if chosen in SECOND and hess is None and hessp is None:
            given["hess"] = plainly(qd.hessian(fun))
        box[:] = [
            theirs.minimize(
                objective, x0, args, method, bounds=bounds, constraints=constraints, **given,
                **options,
            )
        ]  # fmt: skip
        return box[0].x

    start = np.atleast_1d(start_of(x0))
    x = solve("minimize", scipy, (start, args), [Aval(np.shape(start), np.dtype(float))])
    found = report_of(box)
    gradient = qd.grad(fun)
    if not depends(fun(qd.stop_gradient(x), *args)):
        return found
    if constraints:
        raise GradientError(
            "minimize: derivatives of a minimum under constraints= are not known; use bounds=, or "
            "put the constraints into the function"
        )
    found.x = differentiable(at_bounds(lambda x: gradient(x, *args), x, bounds), x)
    found.fun = fun(found.x, *args)
    return found


def values(pair: tuple[Any, Any]) -> tuple[float, Any]:
    """Value and gradient as SciPy takes them."""
    value, gradient = pair
    return float(plain(value)), np.asarray(plain(gradient), float)


def at_bounds(gradient: Function, x: Any, bounds: Any) -> Function:
    """The residual of a minimum within bounds: the gradient, or for a variable that is held at a
    bound the distance from it.
    """
    if bounds is None:
        return gradient
    if isinstance(bounds, theirs.Bounds):
        low, high = np.broadcast_to(bounds.lb, np.shape(x)), np.broadcast_to(bounds.ub, np.shape(x))
    else:
        low = np.array([-np.inf if b[0] is None else b[0] for b in bounds], float)
        high = np.array([np.inf if b[1] is None else b[1] for b in bounds], float)
    near = 1e-7 * (1 + np.abs(plain(x)))
    slope = plain(gradient(qd.stop_gradient(x)))
    at_low = (plain(x) - low <= near) & (slope > 0)
    at_high = (high - plain(x) <= near) & (slope < 0)

    def residual(z: Any) -> Any:
        held = np.where(at_low, z - np.where(at_low, low, 0.0), z - np.where(at_high, high, 0.0))
        return np.where(at_low | at_high, held, gradient(z))

    return residual


def minimize_scalar(
    fun: Function, bracket: Any = None, bounds: Any = None, args: Any = (), **options: Any
) -> Any:
    """`scipy.optimize.minimize_scalar`; `x` and `fun` of the result have derivatives with respect
    to `args`, and all that `fun` reads.

    >>> from qiudao.scipy import optimize
    >>> qd.grad(lambda a: optimize.minimize_scalar(lambda x: (x - a**2) ** 2).x)(3.0).round(6)
    np.float64(6.0)
    """
    args = tupled(args)
    box: list[Any] = []

    def scipy(args: Any) -> Any:
        box[:] = [theirs.minimize_scalar(as_number(fun), bracket, bounds, args, **options)]
        return box[0].x

    x = solve("minimize_scalar", scipy, (args,), [Aval((), np.dtype(float))])
    found = report_of(box)
    slope = qd.grad(fun)
    found.x = differentiable(lambda x: slope(x, *args), x)
    if depends(found.x):
        found.fun = fun(found.x, *args)
    return found
