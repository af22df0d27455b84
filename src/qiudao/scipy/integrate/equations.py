"""Ordinary differential equations."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import integrate as theirs

from ...core.dispatch import concrete
from ...core.errors import GradientError
from ..operands import depends, plain, tupled
from .steppers import METHODS

Function = Callable[..., Any]


def solve_ivp(
    fun: Function,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """`scipy.integrate.solve_ivp`: `y` of the result has derivatives with respect to `y0`, `args`,
    the ends of `t_span`, and all that `fun(t, y, *args)` reads.

    SciPy chooses the steps, and the derivative is that of those steps: exact for the numbers that
    come out, in every mode and to every order.  Methods RK23, RK45, DOP853 and Radau (for stiff
    equations).  Raises `GradientError` for derivatives with another method, events or dense output.

    >>> from qiudao.scipy import integrate
    >>> end = lambda k: integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], rtol=1e-9).y[0, -1]
    >>> qd.grad(end)(2.0).round(4)
    np.float64(-0.1353)
    """
    given = () if args is None else tuple(args)
    span = tuple(float(plain(t)) for t in t_span)

    def slope(t: Any, y: Any) -> Any:
        found = fun(t, y, *given)
        return np.stack(found) if isinstance(found, list | tuple) else found

    start = np.stack(y0) if isinstance(y0, list | tuple) and depends(y0) else y0
    start = start if depends(start) else np.atleast_1d(np.asarray(start, float))

    def plainly(t: Any, y: Any) -> Any:
        return np.asarray(concrete(slope(t, y)), start.dtype)

    moves = depends(start, given, list(t_span), slope(span[0], qd.stop_gradient(start)))
    if not moves:
        return theirs.solve_ivp(
            plainly, span, start, method, t_eval, dense_output, events, vectorized, **options
        )
    if method not in METHODS or events is not None or dense_output:
        raise GradientError(
            f"solve_ivp: derivatives are known for the methods {', '.join(METHODS)}, without "
            f"events and dense output, and this call has method={method!r}; use 'Radau' for stiff "
            "equations"
        )
    found = theirs.solve_ivp(plainly, span, plain(start), method, **options)
    width = t_span[1] - t_span[0]
    shares = (found.t - span[0]) / (span[1] - span[0])
    times = t_span[0] + width * shares
    ys = [start]
    outs: list[Any] = []
    wanted = None if t_eval is None else np.asarray(t_eval, float)
    forward = span[1] >= span[0]
    for k in range(len(shares) - 1):
        t, h = times[k], width * (shares[k + 1] - shares[k])
        step = METHODS[method](slope, t, ys[-1], h)
        if wanted is not None:
            a, b = found.t[k], found.t[k + 1]
            inside = (wanted > a) & (wanted <= b) if forward else (wanted < a) & (wanted >= b)
            if k == 0:
                inside |= wanted == a
            outs += [step.within((w - a) / (b - a)) for w in wanted[inside]]
        ys.append(step.y)
    found.t = found.t if wanted is None else wanted[: len(outs)]
    found.y = np.stack(ys if wanted is None else outs, axis=1)
    return found


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

    def plainly(t: Any, y: Any) -> Any:
        return plain(slope(t, y))

    start = np.atleast_1d(np.stack(y0) if isinstance(y0, list | tuple) and depends(y0) else y0)
    bare = plain(start)
    if not depends(start, args, slope(t[0], bare)):
        return theirs.odeint(func, y0, t, args, tfirst=tfirst, rtol=rtol, atol=atol, **options)
    times = np.asarray(t, float)
    _, info = theirs.odeint(plainly, bare, times, tfirst=True, full_output=True)
    stiff = 2 in info["mused"]
    found = solve_ivp(
        slope, (times[0], times[-1]), start * 1.0, "Radau" if stiff else "DOP853", times,
        rtol=rtol or TOLERANCE, atol=atol or TOLERANCE,
    )  # fmt: skip
    return found.y.T
