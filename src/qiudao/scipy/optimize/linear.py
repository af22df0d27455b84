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
    where more rows hold, or fewer, so that the solution is not unique, or a change would leave some
    of them; and inside `qd.jit` and `qd.vmap`, where the rows are not known.

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
    size = np.shape(c)[0]
    x = found.x
    near = NEAR * (1 + np.max(np.abs(x)))
    rows, rights = [], []
    if A_eq is not None:
        rows, rights = [A_eq], [b_eq]
    if A_ub is not None:
        tight = np.flatnonzero(numbers[2] - numbers[1] @ x <= near)
        rows, rights = [*rows, A_ub[tight]], [*rights, b_ub[tight]]
    pairs = np.asarray(bounds, object)
    low, high = limits(np.broadcast_to(pairs, (size, 2)), size)
    at_limit = np.flatnonzero((x - low <= near) | (high - x <= near))
    rows.append(np.eye(size)[at_limit])
    rights.append(x[at_limit])
    held, right = np.concatenate(rows), np.concatenate(rights)
    count = np.shape(held)[0]
    if count != size or np.linalg.matrix_rank(plain(held)) < size:
        raise GradientError(
            f"linprog: {count} rows and bounds hold with equality at the solution of {size} "
            "variables, where a corner that moves with them has as many, independent of each "
            "other; change the parameters a little, or leave out rows that follow from others"
        )
    found.x = differentiable(lambda x: held @ x - right, x)
    found.fun = np.sum(c * found.x)
    if A_ub is not None:
        found.slack = b_ub - A_ub @ found.x
    if A_eq is not None:
        found.con = b_eq - A_eq @ found.x
    return found
