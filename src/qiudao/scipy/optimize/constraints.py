"""Minima under constraints: what holds there, and the derivative that follows from it.

At a minimum x of f under equations e(x) = 0 and inequalities c(x) >= 0 there are multipliers with

    grad f = sum of m_i grad c_i + sum of l_j grad e_j,    m_i >= 0,    m_i c_i = 0

(Karush, Kuhn and Tucker).  Where the gradients of what holds with equality are independent, and
each such inequality has m_i > 0, a small change keeps the same ones at equality, and x and the
multipliers are the solution of a system of equations: the implicit function theorem gives their
derivatives (Fiacco, Sensitivity analysis for nonlinear programming, 1976).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import qiudao as qd
from scipy import optimize as theirs

from ...core.errors import GradientError
from ..operands import array, known, plain, plainly, tupled
from .implicit import differentiable

Function = Callable[..., Any]
NEAR = 1e-5  # how near to 0 an inequality must be, per size of x, to hold with equality
SMALL = 1e-6  # a multiplier, per size of the largest, that is taken to be 0
UNEVEN = 1e-3  # how far from 0 the gradient of the Lagrangian may be, per size of that of f


class Condition(NamedTuple):
    """Values that are 0 at the minimum, or not negative."""

    is_equation: bool
    values: Function  # of x, a vector


def conditions(constraints: Any, bounds: Any, size: int) -> list[Condition]:
    """SciPy's constraints and bounds, each as values that are 0 or not negative."""
    found: list[Condition] = []
    for one in listed(constraints):
        if isinstance(one, dict):
            is_equation = str(one["type"]).lower() == "eq"
            found.append(Condition(is_equation, of_dict(one)))
        else:
            found += between(one, one.lb, one.ub)
    if bounds is not None:
        low, high = limits(bounds, size)
        found += between(None, low, high)
    return found


def listed(constraints: Any) -> Sequence[Any]:
    """SciPy's `constraints`: several, or one alone."""
    return constraints if isinstance(constraints, list | tuple) else [constraints]


def of_dict(one: Any) -> Function:
    """The values of a constraint given as a dictionary."""
    args = tupled(one.get("args", ()))
    return lambda x: vector(one["fun"](x, *args))


def vector(values: Any) -> Any:
    """A number or an array as a vector."""
    return np.reshape(array(values), -1)


def between(one: Any, low: Any, high: Any) -> list[Condition]:
    """The conditions low <= values <= high of a constraint, or of x itself."""

    def values(x: Any) -> Any:
        if one is None:
            return x
        return one.A @ x if isinstance(one, theirs.LinearConstraint) else vector(one.fun(x))

    low, high = np.asarray(low, float), np.asarray(high, float)
    size = max(low.size, high.size)
    low, high = np.broadcast_to(low, size), np.broadcast_to(high, size)
    found = []
    for is_equation, which, sign, limit in [
        (True, low == high, 1.0, low),
        (False, (low != high) & np.isfinite(low), 1.0, low),
        (False, (low != high) & np.isfinite(high), -1.0, high),
    ]:
        rows = np.flatnonzero(which)
        if size == 1 and rows.size and one is not None:  # one limit for all of the values

            def of_all(x: Any, s: float = sign, limit: Any = limit) -> Any:
                return s * (values(x) - limit[0])

            found.append(Condition(is_equation, of_all))
        elif rows.size:

            def of_rows(x: Any, r: Any = rows, s: float = sign, limit: Any = limit) -> Any:
                return s * (values(x)[r] - limit[r])

            found.append(Condition(is_equation, of_rows))
    return found


def limits(bounds: Any, size: int) -> tuple[Any, Any]:
    """The lower and upper bounds of the variables."""
    if isinstance(bounds, theirs.Bounds):
        return np.broadcast_to(bounds.lb, size), np.broadcast_to(bounds.ub, size)
    low = np.array([-np.inf if b[0] is None else b[0] for b in bounds], float)
    return low, np.array([np.inf if b[1] is None else b[1] for b in bounds], float)


def arguments(constraints: Any) -> list[Any]:
    """The `args` of each constraint that has some."""
    rows = listed(constraints)
    return [tupled(one.get("args", ())) if isinstance(one, dict) else () for one in rows]


def for_scipy(constraints: Any, args: list[Any], exact: bool) -> list[Any]:
    """The constraints on plain numbers, where none is given with our exact Jacobian; `args` are
    the plain arguments of each.
    """
    found: list[Any] = []
    for one, given in zip(listed(constraints), args, strict=True):
        if isinstance(one, dict):
            bare = one | {"fun": plainly(one["fun"]), "args": given}
            if callable(one.get("jac")):
                bare["jac"] = plainly(one["jac"])
            elif exact:
                bare["jac"] = jacobian_of(one["fun"])
            found.append(bare)
        else:
            is_curved = isinstance(one, theirs.NonlinearConstraint)
            found.append(on_numbers(one, exact) if is_curved else one)
    return found


def on_numbers(one: Any, exact: bool) -> Any:
    """A `NonlinearConstraint` of a function whose values are plain."""
    jac = plainly(one.jac) if callable(one.jac) else jacobian_of(one.fun) if exact else one.jac
    made: Any = theirs.NonlinearConstraint
    return made(
        plainly(one.fun), one.lb, one.ub, jac, one.hess, one.keep_feasible,
        one.finite_diff_rel_step, one.finite_diff_jac_sparsity,
    )  # fmt: skip


def jacobian_of(fun: Function) -> Function:
    """The exact Jacobian of the values of a constraint, on plain numbers."""

    def jacobian(x: Any, *args: Any) -> Any:
        is_number = np.ndim(plain(fun(x, *args))) == 0
        found = plain(qd.jacobian(lambda x: vector(fun(x, *args)))(np.asarray(x, float)))
        return found[0] if is_number else found

    return jacobian


def under(objective: Function, held: Sequence[Condition], x: Any) -> Any:
    """The minimum `x` with its derivatives."""
    x = qd.stop_gradient(x)
    size = np.shape(x)[0]
    is_equation = np.concatenate([np.full(np.shape(c.values(x))[0], c.is_equation) for c in held])

    def values(x: Any) -> Any:
        return np.concatenate([c.values(x) for c in held])

    bare = qd.stop_gradient(values(x))
    active = is_equation | (bare <= NEAR * (1 + np.max(np.abs(x))))
    slope = qd.stop_gradient(qd.grad(objective)(x))
    slopes = np.where(active[:, None], qd.stop_gradient(qd.jacobian(values)(x)), 0.0)
    multipliers = np.linalg.pinv(slopes.T) @ slope
    numbers = [known(v) for v in (active, multipliers, slope, slopes)]
    if all(n is not None for n in numbers):
        check(is_equation, *numbers)

    def residual(z: Any) -> Any:
        x, m = z[:size], z[size:]
        lagrangian = qd.grad(lambda x: objective(x) - np.sum(m * values(x)))
        return np.concatenate([lagrangian(x), np.where(active, values(x), m)])

    return differentiable("minimize", residual, np.concatenate([x, multipliers]))[:size]


def check(is_equation: Any, active: Any, multipliers: Any, slope: Any, slopes: Any) -> None:
    """Refuse a minimum whose derivative is not known."""
    count = int(np.sum(active))
    if np.linalg.matrix_rank(slopes[active], tol=1e-9 * (1 + np.abs(slopes).max())) < count:
        raise GradientError(
            f"minimize: the gradients of the {count} constraints that hold with equality at the "
            "minimum are not independent, so the multipliers are not unique and no derivative is "
            "known; leave out what follows from the others"
        )
    left = np.max(np.abs(slope - slopes.T @ multipliers))
    if left > UNEVEN * (1 + np.max(np.abs(slope))):
        raise GradientError(
            "minimize: what was found is no minimum yet, since the gradient of the Lagrangian is "
            f"{left:.2g} there, so no derivative is known; give a smaller tol=, or another x0"
        )
    tight = active & ~is_equation
    weak = tight & (multipliers <= SMALL * (1 + np.max(np.abs(multipliers))))
    if weak.any():
        k = int(np.argmax(weak))
        raise GradientError(
            f"minimize: inequality {k} of the constraints and bounds holds with equality at the "
            f"minimum, but its multiplier is {multipliers[k]:.2g}: the minimum moves differently "
            "to each side, and has no derivative there; leave this constraint out, or change the "
            "parameters a little"
        )
