"""Linear programs, and linear least squares within bounds."""

from typing import Any

import numpy as np

from scipy import optimize as theirs

from ...core.avals import Aval
from ...core.errors import GradientError
from ..operands import array, depends, known, plain, solve
from .constraints import limits
from .fitting import fitted
from .implicit import differentiable, reported

NEAR = 1e-9  # how near to equality an inequality must be, per size of x, to hold with it


def nnls(A: Any, b: Any, **options: Any) -> Any:
    """`scipy.optimize.nnls`: (x, |A x - b|) for the x >= 0 with the least sum of squares, with
    derivatives in `A` and `b`: those of the least squares of the variables that are not 0.

    Raises `GradientError` where a variable that is 0 has a slope of 0 too.

    >>> from qiudao.scipy import optimize
    >>> A = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
    >>> qd.jacobian(lambda b: optimize.nnls(A, b)[0])(np.array([2.0, -3.0, 1.0])).round(6)
    array([[0.5, 0. , 0.5],
           [0. , 0. , 0. ]])
    """
    if not depends(A, b):
        return theirs.nnls(A, b, **options)
    A, b = array(A), array(b)
    size = Aval((np.shape(A)[1],), np.dtype(float))
    x = solve("nnls", lambda A, b: theirs.nnls(A, b, **options)[0], (A, b), [size])
    x = fitted("nnls", lambda x: A @ x - b, x, (0.0, np.inf))
    return x, np.linalg.norm(A @ x - b)


def lsq_linear(A: Any, b: Any, bounds: Any = (-np.inf, np.inf), **options: Any) -> Any:
    """`scipy.optimize.lsq_linear`: `x`, `cost` and `fun` of the result have derivatives in `A` and
    `b`; a variable that is held at a bound does not move.

    >>> from qiudao.scipy import optimize
    >>> f = lambda b: optimize.lsq_linear(np.eye(2), b, bounds=(0.0, 1.0)).x
    >>> qd.jacobian(f)(np.array([0.5, 3.0])).round(6)
    array([[1., 0.],
           [0., 0.]])
    """
    if not depends(A, b):
        return theirs.lsq_linear(A, b, bounds, **options)
    A, b = array(A), array(b)

    def scipy(A: Any, b: Any) -> Any:
        return theirs.lsq_linear(A, b, bounds, **options)

    x, found = reported("lsq_linear", scipy, (A, b), (np.shape(A)[1],))
    found.x = fitted("lsq_linear", lambda x: A @ x - b, x, bounds)
    found.fun = A @ found.x - b
    found.cost = 0.5 * np.sum(found.fun**2)
    return found


def linprog(
    c: Any,
    A_ub: Any = None,
    b_ub: Any = None,
    A_eq: Any = None,
    b_eq: Any = None,
    bounds: Any = (0, None),
    **options: Any,
) -> Any:
    """`scipy.optimize.linprog`: `x`, `fun`, `slack` and `con` of the result have derivatives in
    `c`, the matrices and the right sides.

    The solution is the corner in which as many rows hold with equality as there are variables, and
    it moves as the solution of these equations; with `c` it does not move.  Raises `GradientError`
    where more rows hold, so that a change would leave some of them, where fewer do or the objective
    is level along an edge, so that the solution is not unique, and inside `qd.jit` and `qd.vmap`,
    where the rows are not known.

    >>> from qiudao.scipy import optimize
    >>> A, c = np.array([[1.0, 1.0], [1.0, 3.0]]), np.array([-1.0, -2.0])
    >>> qd.jacobian(lambda b: optimize.linprog(c, A, b).x)(np.array([4.0, 6.0]))
    array([[ 1.5, -0.5],
           [-0.5,  0.5]])
    """
    given = [None if v is None else array(v) for v in (c, A_ub, b_ub, A_eq, b_eq)]
    if not depends([v for v in given if v is not None]):
        return theirs.linprog(c, A_ub, b_ub, A_eq, b_eq, bounds, **options)
    numbers = [None if v is None else known(v) for v in given]
    if any((v is None) != (n is None) for v, n in zip(given, numbers, strict=True)):
        raise GradientError(
            "linprog: which rows hold with equality hangs on numbers that are not known in qd.jit "
            "and qd.vmap; call it outside, one program at a time"
        )
    c, A_ub, b_ub, A_eq, b_eq = given
    found = theirs.linprog(*numbers, bounds, **options)
    if not found.success:
        return found
    x = found.x
    held, right, is_equation = corner(x, (A_ub, b_ub, A_eq, b_eq), numbers, bounds)
    check(plain(held), is_equation, plain(c))
    found.x = differentiable("linprog", lambda x: held @ x - right, x)
    found.fun = np.sum(c * found.x)
    if A_ub is not None:
        found.slack = b_ub - A_ub @ found.x
    if A_eq is not None:
        found.con = b_eq - A_eq @ found.x
    return found


def corner(x: Any, rows: Any, numbers: Any, bounds: Any) -> tuple[Any, Any, Any]:
    """The rows and bounds that hold with equality at `x`: their matrix, their right side, and which
    of them are equations.
    """
    A_ub, b_ub, A_eq, b_eq = rows
    size = x.size
    near = NEAR * (1 + np.max(np.abs(x)))
    matrices, rights, equations = [], [], 0
    if A_eq is not None:
        matrices, rights, equations = [A_eq], [b_eq], np.shape(A_eq)[0]
    if A_ub is not None:
        tight = np.flatnonzero(numbers[2] - numbers[1] @ x <= near)
        matrices, rights = [*matrices, A_ub[tight]], [*rights, b_ub[tight]]
    low, high = limits(np.broadcast_to(np.asarray(bounds, object), (size, 2)), size)
    at_limit = np.flatnonzero((x - low <= near) | (high - x <= near))
    held = np.concatenate([*matrices, np.eye(size)[at_limit]])
    is_equation = np.arange(np.shape(held)[0]) < equations
    return held, np.concatenate([*rights, x[at_limit]]), is_equation


def check(held: Any, is_equation: Any, c: Any) -> None:
    """Refuse a corner in which not exactly as many rows meet as there are variables, or in which
    the objective is level along an edge.
    """
    count, size = held.shape
    if count != size or np.linalg.matrix_rank(held) < size:
        raise GradientError(
            f"linprog: {count} rows and bounds hold with equality at the solution of {size} "
            "variables, where a corner that moves with them has as many, independent of each "
            "other; change the parameters a little, or leave out rows that follow from others"
        )
    prices = np.linalg.solve(held.T, c)
    level = ~is_equation & (np.abs(prices) <= NEAR * (1 + np.max(np.abs(prices))))
    if level.any():
        raise GradientError(
            "linprog: the objective is the same along an edge of what is allowed, so the solution "
            "is not unique and has no derivative; change c a little"
        )
