"""Stochastic gradient descent and its kin, on any nested container of arrays.

Each is called with `grad(x, i)`, the gradient at step i, and with a start; `callback(x, i, g)` is
called before each step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]

Function = Callable[..., Any]


def unflatten_optimizer(optimize: Function) -> Function:
    """An optimizer of vectors as one of nested containers."""

    @functools.wraps(optimize)
    def of_trees(
        grad: Function, x0: Any, callback: Function | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        start, unflatten = flatten(x0)

        def flat_grad(x: Any, i: int) -> Any:
            return flatten(grad(unflatten(x), i))[0]

        def flat_callback(x: Any, i: int, g: Any) -> None:
            if callback is not None:
                callback(unflatten(x), i, unflatten(g))

        return unflatten(optimize(flat_grad, start, flat_callback, *args, **kwargs))

    return of_trees


@unflatten_optimizer
def sgd(
    grad: Function,
    x: Any,
    callback: Function,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Gradient descent with momentum: v <- mass v - (1 - mass) g, x <- x + step_size v.

    >>> from qiudao.interop.autograd.misc.optimizers import sgd
    >>> float(sgd(lambda x, i: 2 * (x - 1), 0.0, num_iters=300).round(6))
    1.0
    """
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        callback(x, i, g)
        velocity = mass * velocity - (1.0 - mass) * g
        x = x + step_size * velocity
    return x


@unflatten_optimizer
def rmsprop(
    grad: Function,
    x: Any,
    callback: Function,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Steps divided by the root of a running mean of squared gradients (Tieleman and Hinton)."""
    mean_square = np.ones(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        callback(x, i, g)
        mean_square = mean_square * gamma + g**2 * (1 - gamma)
        x = x - step_size * g / (np.sqrt(mean_square) + eps)
    return x


@unflatten_optimizer
def adam(
    grad: Function,
    x: Any,
    callback: Function,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Kingma and Ba's Adam (arXiv 1412.6980).

    >>> from qiudao.interop.autograd.misc.optimizers import adam
    >>> {k: float(v.round(3)) for k, v in adam(
    ...     lambda p, i: {"a": 2 * p["a"]}, {"a": 1.0}, num_iters=500, step_size=0.05
    ... ).items()}
    {'a': 0.0}
    """
    first = np.zeros(len(x))
    second = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        callback(x, i, g)
        first = (1 - b1) * g + b1 * first
        second = (1 - b2) * g**2 + b2 * second
        scaled = np.sqrt(second / (1 - b2 ** (i + 1))) + eps
        x = x - step_size * first / (1 - b1 ** (i + 1)) / scaled
    return x
