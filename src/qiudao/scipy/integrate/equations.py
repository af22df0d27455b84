"""Initial value problems of ordinary differential equations."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import integrate as theirs

from ...core.errors import GradientError
from ..operands import array, depends, plain, plainly
from .paths import Path, crossing
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
    """`scipy.integrate.solve_ivp`: `y`, `sol`, `t_events` and `y_events` of the result have
    derivatives with respect to `y0`, `args`, the ends of `t_span`, and all that `fun(t, y, *args)`
    and the events read.

    SciPy chooses the steps.  Of RK23, RK45, DOP853 and Radau the derivative is that of those steps:
    exact for the numbers that come out, in every mode and to every order.  Of BDF and LSODA the
    values are SciPy's, and the derivatives those of Radau IIA of order 5 over the same steps, along
    SciPy's values: as near to the equation's own as such steps are.  The time t of an event with
    g(t, y(t)) = 0 moves by dt = -dg / (dg/dt), y(t) the interpolant of the method.

    Raises `GradientError` for derivatives with a method of another class.

    >>> from qiudao.scipy import integrate
    >>> end = lambda k: integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], rtol=1e-9).y[0, -1]
    >>> qd.grad(end)(2.0).round(4)
    np.float64(-0.1353)
    >>> def half(k):
    ...     level = lambda t, y: y[0] - 0.5
    ...     path = integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], events=level, rtol=1e-9)
    ...     return path.t_events[0][0]
    >>> qd.grad(half)(2.0).round(4)
    np.float64(-0.1733)
    """
    given = () if args is None else tuple(args)
    span = tuple(float(plain(t)) for t in t_span)

    def slope(t: Any, y: Any) -> Any:
        return array(fun(t, y, *given))

    start = array(y0) if depends(y0) else np.atleast_1d(np.asarray(y0, float))
    watched = [] if events is None else [events] if callable(events) else list(events)

    def value_of(k: int) -> Function:
        return lambda t, y: watched[k](t, y, *given)

    values = [value_of(k) for k in range(len(watched))]
    if callable(options.get("jac")):
        of_user = options["jac"]
        options["jac"] = plainly(lambda t, y: of_user(t, y, *given))

    def bare_slope(t: Any, y: Any) -> Any:
        return np.asarray(plain(slope(t, y)), start.dtype)

    ask = {"events": [bare_event(e, v) for e, v in zip(watched, values, strict=True)] or None}
    still = qd.stop_gradient(start)
    moves = depends(start, given, list(t_span), slope(span[0], still))
    if not moves and not depends([value(span[0], still) for value in values]):
        return theirs.solve_ivp(
            bare_slope, span, start, method, t_eval, dense_output, vectorized=vectorized,
            **ask, **options,
        )  # fmt: skip
    if method not in METHODS:
        raise GradientError(
            f"solve_ivp: derivatives are known for the methods {', '.join(METHODS)}, and this call "
            f"has method={method!r}; name one of these"
        )
    wanted = None if t_eval is None else asked(t_eval, span)
    found = theirs.solve_ivp(
        bare_slope, span, plain(start), method, dense_output=True, **ask, **options
    )
    path = Path(found.sol, METHODS[method], slope, start, t_span)
    crossings = [
        [crossing(path, value, t) for t in times]
        for value, times in zip(values, found.t_events or [], strict=True)
    ]
    if found.status == 1:  # an event has ended the path
        path.stop(*next(c for row in crossings for c in row if plain(c[0]) == found.t[-1]))
    if found.t_events is not None:
        found.t_events = [stacked([c[0] for c in row]) for row in crossings]
        found.y_events = [stacked([c[1] for c in row]) for row in crossings]
    found.t, found.y = path.ends() if wanted is None else path.chosen(wanted)
    found.sol = path if dense_output else None
    return found


def bare_event(event: Any, value: Function) -> Any:
    """An event for SciPy, with what it states of itself."""
    bare: Any = plainly(value)
    for name in ("terminal", "direction"):
        if hasattr(event, name):
            setattr(bare, name, getattr(event, name))
    return bare


def asked(t_eval: Any, span: tuple[float, ...]) -> Any:
    """The times that are asked for, if they are ones that SciPy takes."""
    theirs.solve_ivp(lambda t, y: 0.0 * y, span, [0.0], t_eval=t_eval)
    return np.asarray(t_eval, float)


def stacked(values: list[Any]) -> Any:
    """Values as an array, which is empty where there are none."""
    return np.stack(values) if values else np.zeros(0)
