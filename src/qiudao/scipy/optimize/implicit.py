"""Derivatives of solutions, by the implicit function theorem.

Where F(x, t) = 0 defines x(t), one step of Newton's method from the solution,

    x <- x - J(x, t)^-1 F(x, t),    J = dF/dx,

leaves its value as it is and gives it the right first derivative with respect to all that F reads;
each further step doubles the order to which derivatives are right.  Two steps are taken: they are
right to the third order.  (Bell and Burke, Algorithmic differentiation of implicit functions and
optimal values, 2008.)
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import qiudao as qd

from ...core.avals import Aval
from ...core.dispatch import Tracer, concrete
from ...core.trees import flatten
from ...transforms.foreign import run_foreign

STEPS = 2
Function = Callable[..., Any]


def plain(value: Any) -> Any:
    """The numbers of a value that SciPy's own code is to go on with."""
    return np.asarray(concrete(value))


def array(value: Any) -> Any:
    """A value as an array: a tracer as it is, a list of tracers stacked."""
    if isinstance(value, Tracer):
        return value
    return np.stack(value) if depends(value) else np.asarray(value)


def plainly(f: Function) -> Function:
    """A function whose results are plain arrays, whatever it closes over."""

    @functools.wraps(f, updated=())
    def called(*args: Any, **kwargs: Any) -> Any:
        return plain(f(*args, **kwargs))

    return called


def solve(
    name: str,
    scipy: Callable[..., Any],
    operands: Any,
    like: Sequence[Aval],
) -> Any:
    """What `scipy(*operands)` gives, the tracers among the operands as plain arrays; a constant."""
    leaves, tree = flatten(operands)
    places = [k for k, x in enumerate(leaves) if isinstance(x, Tracer)]

    def call(*arrays: Any) -> Any:
        filled = list(leaves)
        for k, a in zip(places, arrays, strict=True):
            filled[k] = a
        return scipy(*tree.build(filled))

    if not places:
        return call()
    return run_foreign(name, call, like, *(leaves[k] for k in places))


def depends(*values: Any) -> bool:
    """Whether any of these is a tracer, and so a derivative may be wanted."""
    return any(isinstance(x, Tracer) for x in flatten(values)[0])


def differentiable(residual: Function, x: Any) -> Any:
    """The solution `x` of `residual(x) = 0`, with its derivatives with respect to all that the
    residual reads.  Its value stays as it is.
    """
    x = qd.stop_gradient(x)
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
