"""Derivatives of solutions, by the implicit function theorem.

Where F(x, t) = 0 defines x(t), one step of Newton's method from the solution,

    x <- x - J(x, t)^-1 F(x, t),    J = dF/dx,

leaves its value as it is (what is left of F in a solution by numbers counts as constant) and gives
it the right first derivative with respect to all that F reads; each further step doubles the order
to which derivatives are right.  Two steps are taken: they are right to the third order.  (Bell and
Burke, Algorithmic differentiation of implicit functions and optimal values, 2008.)
"""

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

import qiudao as qd

from ...core.avals import Aval
from ...core.errors import GradientError
from ..operands import Function, depends, known, solve

STEPS = 2
FAR = 0.1  # a step of Newton's so long, per size of x, does not come from a solution


def differentiable(name: str, residual: Function, x: Any) -> Any:
    """The solution `x` of `residual(x) = 0`, with its derivatives with respect to all that the
    residual reads.  Its value stays as it is.  Raises `GradientError` for a point that is no
    solution, where a search gave up.
    """
    x = qd.stop_gradient(x if depends(x) else np.asarray(x)[()])
    if not depends(residual(x)):
        return x
    shape = np.shape(x)

    def flat(z: Any) -> Any:
        return np.reshape(residual(np.reshape(z, shape)), -1)

    z = np.reshape(x, -1)
    for k in range(STEPS):
        slopes, left = qd.jacobian(flat)(z), flat(z)
        if k == 0:
            check_arrival(name, known(z), known(slopes), known(left))
        # What is left of the residual is none of the derivative's: at a root of several the change
        # of the slopes times it is as large as the residual's own.
        z = z - np.linalg.solve(slopes, left - qd.stop_gradient(left))
    return np.reshape(z, shape)


def check_arrival(name: str, z: Any, slopes: Any, left: Any) -> None:
    """Refuse a point that a step of Newton's leaves far behind, or from which there is none, where
    the numbers are at hand.
    """
    if z is None or slopes is None or left is None:
        return
    try:
        step = np.linalg.solve(slopes, left)
    except np.linalg.LinAlgError as error:
        raise GradientError(
            f"{name}: the Jacobian of the equation at the solution is singular, so the solution "
            "has no one derivative: it is a root of several, or not all unknowns are determined"
        ) from error
    away = np.abs(step) / (1 + np.abs(z))
    if np.any(away > FAR):
        k = int(np.nanargmax(away))
        raise GradientError(
            f"{name}: what was found is no solution yet: from {z[k]:.6g} the next step of Newton's "
            f"method is {abs(step[k]):.2g} long, so no derivative is known; look at the report's "
            "success, give a smaller tol= or more iterations, or another start"
        )


def start_of(x0: Any) -> Any:
    """Where a search begins: floats, or a tracer as it is."""
    return x0 if depends(x0) else np.asarray(x0, float)[()]


NUMBERS = {"success": bool, "status": int, "nit": int, "nfev": int, "njev": int}


def reported(
    name: str, scipy: Function, operands: Any, size: tuple[int, ...], of: str = "x",
    numbers: dict[str, type] = NUMBERS,
) -> tuple[Any, Any]:  # fmt: skip
    """The solution, a constant, that `scipy(*operands)` reports as `of`, and SciPy's result object.

    Inside `qd.vmap` and `qd.jit` that has the solution and `numbers` alone, each a batch where the
    solution is one; -1 stands for what the method does not count.
    """
    box: list[Any] = []

    def call(*operands: Any) -> Any:
        box[:] = [scipy(*operands)]
        counts = (kind(box[0].get(key, -1)) for key, kind in numbers.items())
        return (box[0][of], *counts)

    kinds = [Aval((), np.dtype(kind)) for kind in numbers.values()]
    x, *found = solve(name, call, operands, [Aval(size, np.dtype(float)), *kinds])
    if box and known(x) is not None:
        return x, box[0]
    return x, OptimizeResult({of: x}, **dict(zip(numbers, found, strict=True)))
