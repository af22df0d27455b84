"""`autograd.scipy.integrate`: `odeint`, differentiated by the adjoint equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate as plain

from ..core import defvjp_argnums, make_vjp, primitive
from ..misc.flatten import flatten
from ..numpy.making import asarray

odeint = primitive(plain.odeint)


def _odeint_vjps(argnums: Sequence[int], ans: Any, args: Any, kwargs: Any) -> Callable[..., Any]:
    """The cotangents of the start, the times and the parameters.

    With a(t) the cotangent of y(t), a' = -a^T df/dy is integrated backwards from one observation
    to the one before, where that one's cotangent is added; along the way the parameters collect
    -a^T df/dp.  A time moves its own observation by f, and the first time the whole solution.
    """
    func, _, t, *rest = args
    parameters, unflatten = flatten(tuple(rest[0]) if rest else ())
    steps, size = ans.shape

    def flat_func(y: Any, t: Any, p: Any) -> Any:
        return np.atleast_1d(asarray(func(y, t, *unflatten(p))))

    def augmented(state: Any, t: Any, p: Any) -> Any:
        y, a = state[:size], state[size : 2 * size]
        vjp, slope = make_vjp(lambda given: flat_func(*given), (y, t * 1.0, p))
        return np.concatenate([slope, *(np.ravel(part) for part in vjp(-a))])

    def vjp(g: Any) -> list[Any]:
        a, moved = g[-1], 0.0
        of_parameters: Any = np.zeros(np.shape(parameters))
        of_times: list[Any] = []
        for i in range(steps - 1, 0, -1):
            moves = np.dot(flat_func(ans[i], t[i], parameters), g[i])
            of_times.append(moves)
            moved = moved - moves
            start = np.concatenate([ans[i], a, np.reshape(moved, (1,)), of_parameters])
            times = np.stack([t[i], t[i - 1]])
            state = odeint(augmented, start, times, (parameters,), **kwargs)[1]
            a, moved = state[size : 2 * size] + g[i - 1], state[2 * size]
            of_parameters = state[2 * size + 1 :]
        found = {1: a, 2: np.stack([*of_times, moved][::-1]), 3: unflatten(of_parameters)}
        return [found.get(n) for n in argnums]

    return vjp


defvjp_argnums(odeint, _odeint_vjps)

__all__ = sorted(set(plain.__all__))


def __getattr__(name: str) -> Any:
    """A name of SciPy's."""
    return getattr(plain, name)
