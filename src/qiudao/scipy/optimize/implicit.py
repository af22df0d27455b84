"""Derivatives of solutions, by the implicit function theorem.

Where F(x, t) = 0 defines x(t), one step of Newton's method from the solution,

    x <- x - J(x, t)^-1 F(x, t),    J = dF/dx,

leaves its value as it is and gives it the right first derivative with respect to all that F reads;
each further step doubles the order to which derivatives are right.  Two steps are taken: they are
right to the third order.  (Bell and Burke, Algorithmic differentiation of implicit functions and
optimal values, 2008.)
"""

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

import qiudao as qd

from ..operands import Function, depends

STEPS = 2


def differentiable(residual: Function, x: Any) -> Any:
    """The solution `x` of `residual(x) = 0`, with its derivatives with respect to all that the
    residual reads.  Its value stays as it is.
    """
    x = qd.stop_gradient(x if depends(x) else np.asarray(x)[()])
    if not depends(residual(x)):
        return x
    shape = np.shape(x)

    def flat(z: Any) -> Any:
        return np.reshape(residual(np.reshape(z, shape)), -1)

    z = np.reshape(x, -1)
    for _ in range(STEPS):
        step = np.linalg.solve(qd.jacobian(flat)(z), flat(z))
        z = z - (step - qd.stop_gradient(step))
    return np.reshape(z, shape)


def start_of(x0: Any) -> Any:
    """Where a search begins: floats, or a tracer as it is."""
    return x0 if depends(x0) else np.asarray(x0, float)[()]


def report_of(found: list[Any]) -> Any:
    """SciPy's result object; an empty one where a compiled program will only call SciPy later."""
    return found[0] if found else OptimizeResult()
