"""Initial values, drawn from a generator that is given: nothing here is random by itself.

For a weight of shape (outputs, inputs, *window) the fan-in is inputs * prod(window) and the fan-out
outputs * prod(window).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ShapeError
from .given import size

Rng = np.random.Generator | int
Array = NDArray[Any]


def generator(rng: Any, name: str) -> np.random.Generator:
    """A generator from itself or from a seed."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, np.random.SeedSequence):
        return np.random.default_rng(rng)
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise TypeError(
        f"{name}: rng={rng!r} is neither a generator nor a seed; pass np.random.default_rng(seed) "
        "or an integer >= 0, so that a run can be repeated"
    )


def fans(shape: Any, name: str) -> tuple[int, int]:
    """The fan-in and the fan-out of a weight, 1 at least: one without elements has no scale."""
    shape = tuple(size(name, "shape", n) for n in (shape if np.iterable(shape) else (shape,)))
    if len(shape) < 2:
        raise ShapeError(
            f"{name}: a weight of shape {shape} has no inputs and outputs to scale by; give "
            "(outputs, inputs, ...)"
        )
    window = math.prod(shape[2:])
    return max(shape[1] * window, 1), max(shape[0] * window, 1)


def xavier_uniform(shape: tuple[int, ...], rng: Rng, gain: float = 1.0, dtype: Any = None) -> Array:
    """Uniform within ±gain √(6 / (fan-in + fan-out)) (Glorot and Bengio, 2010).

    >>> np.abs(qd.nn.xavier_uniform((2, 4), rng=0)).max() <= 1.0
    np.True_
    """
    bound = gain * math.sqrt(6.0 / sum(fans(shape, "xavier_uniform")))
    return generator(rng, "xavier_uniform").uniform(-bound, bound, shape).astype(dtype or float)


def xavier_normal(shape: tuple[int, ...], rng: Rng, gain: float = 1.0, dtype: Any = None) -> Array:
    """Normal with deviation gain √(2 / (fan-in + fan-out)) (Glorot and Bengio, 2010).

    >>> qd.nn.xavier_normal((2, 4), rng=0).shape
    (2, 4)
    """
    deviation = gain * math.sqrt(2.0 / sum(fans(shape, "xavier_normal")))
    return generator(rng, "xavier_normal").normal(0.0, deviation, shape).astype(dtype or float)


Fan = Literal["in", "out"]


def kaiming_scale(name: str, shape: tuple[int, ...], fan: Fan, slope: float) -> float:
    """√(2 / ((1 + slope²) fan)): keeps the size of signals through leaky rectifiers."""
    if fan not in ("in", "out"):
        raise ValueError(f"{name}: fan={fan!r} is unknown; use 'in' or 'out'")
    return math.sqrt(2.0 / ((1.0 + slope**2) * fans(shape, name)[fan == "out"]))


def kaiming_uniform(
    shape: tuple[int, ...], rng: Rng, slope: float = 0.0, fan: Fan = "in", dtype: Any = None
) -> Array:
    """Uniform within ±√(6 / ((1 + slope²) fan)), for rectifiers with `slope` below 0 (He, 2015).

    >>> np.abs(qd.nn.kaiming_uniform((2, 6), rng=0)).max() <= 1.0
    np.True_
    """
    bound = math.sqrt(3.0) * kaiming_scale("kaiming_uniform", shape, fan, slope)
    return generator(rng, "kaiming_uniform").uniform(-bound, bound, shape).astype(dtype or float)


def kaiming_normal(
    shape: tuple[int, ...], rng: Rng, slope: float = 0.0, fan: Fan = "in", dtype: Any = None
) -> Array:
    """Normal with deviation √(2 / ((1 + slope²) fan)), for rectifiers with `slope` below 0.

    >>> qd.nn.kaiming_normal((2, 6), rng=0).shape
    (2, 6)
    """
    deviation = kaiming_scale("kaiming_normal", shape, fan, slope)
    return generator(rng, "kaiming_normal").normal(0.0, deviation, shape).astype(dtype or float)


def orthogonal(shape: tuple[int, ...], rng: Rng, gain: float = 1.0, dtype: Any = None) -> Array:
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    Axes after the first count as one.  The factor Q of normal draws is made uniform by the signs of
    R's diagonal (Mezzadri, 2007).

    >>> q = qd.nn.orthogonal((3, 3), rng=0)
    >>> np.allclose(q @ q.T, np.eye(3))
    True
    """
    fans(shape, "orthogonal")
    rows, columns = shape[0], math.prod(shape[1:])
    draws = generator(rng, "orthogonal").normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q = q * np.sign(np.diag(r))
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype or float)
