"""Minima."""

from typing import Any

import numpy as np

import qiudao as qd
from scipy import optimize as theirs

from ...core.errors import GradientError
from ..operands import Function, as_number, depends, known, plain, plainly, tupled
from .constraints import arguments, conditions, for_scipy, limits, under
from .implicit import differentiable, reported, start_of

FREE = {"nelder-mead", "powell", "cobyla", "cobyqa"}  # methods that take no gradient
BESIDE, NEARBY = 1e-7, 1e-3  # how near to a bound, per size of x, is on it, and may be held by it
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

    Under `constraints` the derivative is that of the conditions of Karush, Kuhn and Tucker with the
    same inequalities at equality.  Where `jac`, `hess` and `hessp` are not given, the method gets
    exact ones of ours: the gradient, the Hessian where it takes one, and the Jacobians of
    constraints.  Raises `GradientError` where an inequality or bound holds with equality and has a
    multiplier of 0, where the gradients of those that hold are not independent, and where the
    conditions do not hold at what was found.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.minimize(lambda x: (x[0] - a) ** 2 + (x[1] - a**2) ** 2, [0, 0]).x
    >>> qd.jacobian(f)(3.0).round(6)
    array([1., 6.])
    >>> near = lambda a: optimize.minimize(
    ...     lambda x: np.sum((x - a) ** 2), [0.0, 0.0],
    ...     constraints={"type": "eq", "fun": lambda x: x[0] + x[1] - 1.0},
    ... ).x
    >>> qd.jacobian(near)(np.array([1.0, 2.0])).round(6)
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    args = tupled(args)
    chosen = method.lower() if isinstance(method, str) else method

    def scipy(x0: Any, args: Any, more: Any) -> Any:
        stated = {"jac": jac, "hess": hess, "hessp": hessp}
        given = {k: plainly(v) if callable(v) else v for k, v in stated.items() if v is not None}
        objective = as_number(fun)
        if jac is None and chosen not in FREE:
            both = qd.value_and_grad(fun)
            objective = lambda x, *a: values(both(x, *a))  # noqa: E731
            given["jac"] = True
        if chosen in SECOND and hess is None and hessp is None:
            given["hess"] = plainly(qd.hessian(fun))
        bare = for_scipy(constraints, more, chosen not in FREE) if constraints else ()
        return theirs.minimize(
            objective, x0, args, method, bounds=bounds, constraints=bare, **given, **options
        )

    start = np.atleast_1d(start_of(x0))
    more = arguments(constraints) if constraints else []
    x, found = reported("minimize", scipy, (start, args, more), np.shape(start))
    gradient = qd.grad(fun)
    held = conditions(constraints, bounds, np.size(x)) if constraints else []
    bare = qd.stop_gradient(x)
    if not depends(fun(bare, *args), [c.values(bare) for c in held]):
        return found
    if held:
        found.x = under(lambda x: fun(x, *args), held, x)
    else:
        still = at_bounds("minimize", lambda x: gradient(x, *args), x, bounds)
        found.x = differentiable("minimize", still, x)
    found.fun = fun(found.x, *args)
    return found


def values(pair: tuple[Any, Any]) -> tuple[float, Any]:
    """Value and gradient as SciPy takes them."""
    value, gradient = pair
    return float(plain(value)), np.asarray(plain(gradient), float)


def at_bounds(name: str, gradient: Function, x: Any, bounds: Any) -> Function:
    """The residual of a minimum within bounds: the gradient, or for a variable that is held at a
    bound the distance from it.

    A method that stays inside ends a little way from a bound: it holds a variable which the slope
    pulls there from nearby, and along which a step of Newton's would pass it.
    """
    if bounds is None:
        return gradient
    x = qd.stop_gradient(x)
    low, high = limits(bounds, np.shape(x)[0])
    size = 1 + np.abs(x)
    slope = qd.stop_gradient(gradient(x))
    room = np.where(slope > 0, x - low, high - x)
    pulled = (slope != 0) & (room <= NEARBY * size)
    is_inside = known(np.any(pulled & (room > BESIDE * size)))
    if is_inside is None or is_inside:
        curve = np.diagonal(qd.stop_gradient(qd.jacobian(gradient)(x)))
        pulled = pulled & (np.abs(slope) >= curve * room)
    at_low, at_high = pulled & (slope > 0), pulled & (slope < 0)
    beside_low, beside_high = x - low <= BESIDE * size, high - x <= BESIDE * size
    level = known(
        (beside_low | beside_high) & (np.abs(slope) <= 1e-9 * (1 + np.max(np.abs(slope))))
    )
    if level is not None and level.any():
        raise GradientError(
            f"{name}: variable {int(np.argmax(level))} is at a bound, and the slope there is 0: "
            "the solution moves to one side only, and has no derivative; leave the bound out, or "
            "change the parameters a little"
        )
    low, high = (np.where(np.isfinite(v), v, 0.0) for v in (low, high))

    def residual(z: Any) -> Any:
        held = np.where(at_low, z - low, z - high)
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

    def scipy(args: Any) -> Any:
        return theirs.minimize_scalar(as_number(fun), bracket, bounds, args, **options)

    x, found = reported("minimize_scalar", scipy, (args,), ())
    slope = qd.grad(lambda x: fun(x[0], *args))
    one = np.reshape(x, 1)
    if depends(slope(qd.stop_gradient(one))):
        still = at_bounds("minimize_scalar", slope, one, None if bounds is None else [bounds])
        found.x = differentiable("minimize_scalar", still, one)[0]
    if depends(found.x):
        found.fun = fun(found.x, *args)
    return found
