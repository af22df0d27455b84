"""Functions of matrices: exponential, logarithm, square root."""

from collections.abc import Callable
from typing import Any

import numpy as np

import qiudao as qd
from scipy import linalg as theirs

from ...core.avals import Aval
from ...transforms.foreign import run_foreign
from ..operands import depends


def matrix_function(name: str, summary: str) -> Callable[[Any], Any]:
    """One of SciPy's functions of a matrix, with its derivative L in every direction E.

        f([[A, E], [0, A]]) = [[f(A), L(A, E)], [0, f(A)]]

    (Mathias, A chain rule for matrix functions and applications, 1996; Higham, Functions of
    matrices, theorem 3.6), which is f of a tensor again, and so has derivatives of every order.
    """
    scipy = getattr(theirs, name)

    def value(A: Any) -> Any:
        if not depends(A):
            return scipy(A)
        return run_foreign(name, scipy, [Aval(np.shape(A), A.dtype)], A)

    rule = qd.custom_vjp(value)

    def function(A: Any) -> Any:
        return rule(A) if depends(A) else scipy(A)

    def change(A: Any, E: Any) -> Any:
        n = np.shape(A)[-1]
        top = np.concatenate([A, E], axis=-1)
        below = np.concatenate([np.zeros_like(A), A], axis=-1)
        found = function(np.concatenate([top, below], axis=-2))
        return found[..., :n, n:]

    def turned(A: Any) -> Any:
        return np.conj(np.swapaxes(A, -1, -2))

    rule.defvjp(lambda A: (value(A), A), lambda A, ct: (change(turned(A), ct),))
    rule.defjvp(lambda As, Es: (function(As[0]), change(As[0], Es[0])))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`scipy.linalg.{name}`: {summary}, with derivatives of every order."
    return function


expm = matrix_function("expm", "the exponential of a matrix, or of each of a batch")
logm = matrix_function("logm", "the principal logarithm of a matrix")
sqrtm = matrix_function("sqrtm", "the principal square root of a matrix")
