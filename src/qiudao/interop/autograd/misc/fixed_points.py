"""Fixed points, differentiated implicitly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import defvjp, make_vjp, primitive, vspace

__all__ = ["fixed_point"]

Function = Callable[..., Any]


@primitive
def fixed_point(f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Any:
    """The x with x = f(a)(x), by iteration from `x0` until `distance(x, previous) <= tol`.

    The derivative in `a` is that of the fixed point, found by another fixed point: with J the
    Jacobian of f(a) at x, the cotangent w = J^T w + g is pulled through f in `a`.

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.misc.fixed_points import fixed_point
    >>> babylon = lambda a: lambda x: (x + a / x) / 2
    >>> root = lambda a: fixed_point(babylon, a, 1.0, lambda x, y: abs(x - y), 1e-12)
    >>> float(grad(root)(4.0).round(10))
    0.25
    """
    step = f(a)
    x, previous = step(x0), x0
    while distance(x, previous) > tol:
        x, previous = step(x), x
    return x


def _fixed_point_vjp(
    ans: Any, f: Function, a: Any, x0: Any, distance: Function, tol: float
) -> Function:
    def iteration(given: Any) -> Function:
        parameters, x, g = given
        vjp, _ = make_vjp(f(parameters), x)
        space = vspace(x)
        return lambda w: space.add(vjp(w), g)

    vjp_a, _ = make_vjp(lambda parameters: f(parameters)(ans), a)

    def vjp(g: Any) -> Any:
        start = vspace(x0).zeros()
        return vjp_a(fixed_point(iteration, (a, ans, g), start, distance, tol))

    return vjp


defvjp(fixed_point, None, _fixed_point_vjp, None)
