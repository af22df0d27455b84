"""Initial value problems by the older interface."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scipy import integrate as theirs

from ..operands import array, depends, plain, plainly, tupled
from .equations import solve_ivp

Function = Callable[..., Any]

TOLERANCE = 1.49012e-8  # of LSODA in `odeint`


def odeint(
    func: Function,
    y0: Any,
    t: Any,
    args: Any = (),
    tfirst: bool = False,
    rtol: float | None = None,
    atol: float | None = None,
    **options: Any,
) -> Any:
    """`scipy.integrate.odeint`, of shape (times, components), with derivatives with respect to
    `y0`, `args`, and all that `func(y, t, *args)` reads.

    LSODA's own steps are not at hand: where a derivative is wanted, the equation is solved to the
    same tolerance by DOP853, or by Radau where LSODA found it stiff.

    >>> from qiudao.scipy import integrate
    >>> times = np.array([0.0, 0.5, 1.0])
    >>> f = lambda k: integrate.odeint(lambda y, t: -k * y, 1.0, times)[-1, 0]
    >>> qd.grad(f)(2.0).round(6)
    np.float64(-0.135335)
    """
    args = tupled(args)

    def slope(t: Any, y: Any) -> Any:
        return func(t, y, *args) if tfirst else func(y, t, *args)

    start = np.atleast_1d(array(y0))
    bare = plain(start)
    if not depends(start, args, slope(t[0], bare)):
        return theirs.odeint(func, y0, t, args, tfirst=tfirst, rtol=rtol, atol=atol, **options)
    times = np.asarray(t, float)
    _, info = theirs.odeint(plainly(slope), bare, times, tfirst=True, full_output=True)
    stiff = 2 in info["mused"]
    found = solve_ivp(
        slope, (times[0], times[-1]), start * 1.0, "Radau" if stiff else "DOP853", times,
        rtol=rtol or TOLERANCE, atol=atol or TOLERANCE,
    )  # fmt: skip
    return found.y.T
