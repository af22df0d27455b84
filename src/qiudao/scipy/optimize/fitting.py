"""Least squares."""

from typing import Any

import numpy as np

import qiudao as qd
from scipy import optimize as theirs

from ...core.avals import Aval
from ...core.errors import GradientError
from ...core.signatures import signature
from ..operands import Function, depends, plainly, solve, tupled
from .implicit import differentiable, reported, start_of
from .minimizing import at_bounds


def least_squares(
    fun: Function,
    x0: Any,
    jac: Any = "exact",
    bounds: Any = (-np.inf, np.inf),
    args: Any = (),
    kwargs: Any = None,
    loss: Any = "linear",
    **options: Any,
) -> Any:
    """`scipy.optimize.least_squares` with our exact Jacobian (`jac="2-point"` and the like are
    SciPy's); `x` of the result has derivatives with respect to `args`, and all that `fun` reads.

    At the minimum of |r(x)|^2 / 2 the residual J^T r is zero, and its derivative is the full
    Hessian, not J^T J: right for fits that do not go through the data too.  Raises `GradientError`
    for derivatives with another `loss`.

    >>> from qiudao.scipy import optimize
    >>> f = lambda a: optimize.least_squares(lambda x: np.stack([x[0] - a, x[0] - 3 * a]), [0.0]).x
    >>> qd.jacobian(f)(1.0).round(6)
    array([2.])
    """
    names = kwargs or {}
    args = tupled(args)

    def residuals(x: Any, *args: Any) -> Any:
        return fun(x, *args, **names)

    def scipy(x0: Any, args: Any) -> Any:
        exact = plainly(qd.jacobian(residuals)) if jac == "exact" else jac
        return theirs.least_squares(
            plainly(residuals), x0, exact, bounds, args=args, loss=loss, **options
        )

    start = np.atleast_1d(start_of(x0))
    x, found = reported("least_squares", scipy, (start, args), np.shape(start))
    if not depends(residuals(qd.stop_gradient(x), *args)):
        return found
    if loss != "linear":
        raise GradientError(
            f"least_squares: derivatives of a fit with loss={loss!r} are not known; use "
            "loss='linear', or qd.scipy.optimize.minimize of the loss"
        )
    found.x = fitted("least_squares", lambda x: residuals(x, *args), x, bounds)
    found.fun = residuals(found.x, *args)
    found.cost = 0.5 * np.sum(found.fun**2)
    return found


def fitted(name: str, residuals: Function, x: Any, bounds: Any) -> Any:
    """A minimum of the sum of squares, with its derivatives."""
    gradient = qd.grad(lambda x: 0.5 * np.sum(residuals(x) ** 2))
    if isinstance(bounds, theirs.Bounds):
        limits: Any = bounds
    else:
        low, high = (np.broadcast_to(np.asarray(b, float), np.shape(x)) for b in bounds)
        limits = theirs.Bounds(low, high)
    return differentiable(name, at_bounds(name, gradient, x, limits), x)


def curve_fit(
    f: Function,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Any = (-np.inf, np.inf),
    jac: Any = None,
    **options: Any,
) -> Any:
    """`scipy.optimize.curve_fit` with our exact Jacobian: (popt, pcov), both with derivatives with
    respect to the data, and all that `f` reads.  `sigma` is None or one standard deviation for each
    datum.  Raises `GradientError` for derivatives with a covariance matrix as `sigma`, or with
    `full_output`.

    >>> from qiudao.scipy import optimize
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> line = lambda x, a, b: a * x + b
    >>> qd.jacobian(lambda y: optimize.curve_fit(line, x, y)[0])(np.array([1.0, 2.0, 3.5])).round(6)
    array([[-0.5     ,  0.      ,  0.5     ],
           [ 0.833333,  0.333333, -0.166667]])
    """
    by_parameters = len(np.shape(p0)) and np.size(p0)

    def exact(x: Any, *p: Any) -> Any:
        return qd.jacobian(lambda p: f(x, *p))(np.asarray(p, float))

    box: list[Any] = []

    def scipy(xdata: Any, ydata: Any, p0: Any, sigma: Any) -> Any:
        box[:] = [
            theirs.curve_fit(
                plainly(f), xdata, ydata, p0, sigma, absolute_sigma, bounds=bounds,
                jac=plainly(exact) if jac is None else jac, **options,
            )
        ]  # fmt: skip
        return box[0][0]

    count = by_parameters or number_of_parameters(f)
    popt = solve("curve_fit", scipy, (xdata, ydata, p0, sigma), [Aval((count,), np.dtype(float))])
    if not depends(f(xdata, *qd.stop_gradient(popt)), ydata, sigma):
        return box[0]
    if options.get("full_output") or np.ndim(0.0 if sigma is None else sigma) > 1:
        raise GradientError(
            "curve_fit: derivatives are known for (popt, pcov) with one sigma for each datum; "
            "leave out full_output, and whiten the residuals for a covariance matrix"
        )

    def residuals(p: Any) -> Any:
        r = np.reshape(f(xdata, *p) - ydata, -1)
        return r if sigma is None else r / sigma

    popt = fitted("curve_fit", residuals, popt, bounds)
    slopes = qd.jacobian(residuals)(popt)
    pcov = np.linalg.inv(slopes.T @ slopes)
    if sigma is None or not absolute_sigma:
        r = residuals(popt)
        pcov = pcov * np.sum(r**2) / (np.shape(r)[0] - count)
    return popt, pcov


def number_of_parameters(f: Function) -> int:
    """How many parameters `f(x, a, b, ...)` has."""
    return len(signature(f).parameters) - 1
