"""Draws of one of several: a relaxation whose derivative exists."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.errors import ShapeError
from ..ops.faces import array, known
from ..ops.reducing import Share
from ..ops.stopping import stop_gradient
from .drawing import generator, parameters, precision, sizes_of


def gumbel_softmax(
    rng: Any, logits: Any, temperature: Any = 1.0, shape: Any = (), hard: bool = False
) -> Value:
    """Weights that come near to one of the n outcomes, softmax((logits + g) / temperature).

    The largest of logits + g, with g Gumbel draws, is outcome i with the probability that the
    softmax of the logits gives it (Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017).  As the
    temperature falls the weights come near to 0 and 1.  With `hard` they are 0 and 1, and the
    derivative is that of the weights: straight through, a biased estimate.  `logits` is (..., n);
    `shape` comes before its axes.

    >>> w = qd.random.gumbel_softmax(0, np.log([0.2, 0.3, 0.5]), hard=True, shape=4)
    >>> w.sum(axis=-1)
    array([1., 1., 1., 1.])
    """
    source = generator("gumbel_softmax", rng)
    logits, temperature = parameters("gumbel_softmax", logits, temperature)
    logits = array(logits)
    if not logits.ndim:
        raise ShapeError("gumbel_softmax: logits is one number; give one for each outcome")
    plain = known(temperature)
    if plain is not None and np.any(plain <= 0):
        raise ValueError(f"gumbel_softmax: temperature={plain} is not positive")
    given = sizes_of("gumbel_softmax", shape)
    g = source.gumbel(size=(*given, *logits.shape)).astype(precision(logits))
    soft = Share((-1,))((logits + g) / temperature)
    if not hard:
        return soft
    fixed = stop_gradient(soft)
    best = np.argmax(fixed, axis=-1, keepdims=True)
    one_hot = np.where(np.arange(logits.shape[-1]) == best, 1.0, 0.0).astype(soft.dtype)
    return one_hot + (soft - fixed)


def categorical(rng: Any, logits: Any, temperature: Any = 1.0, shape: Any = ()) -> Value:
    """Outcomes as rows of 0 and 1, with the derivative of `gumbel_softmax`: straight through.

    For the number of the outcome take `np.argmax(..., axis=-1)`, which has no derivative.

    >>> draws = qd.random.categorical(0, np.log([0.1, 0.9]), shape=1000)
    >>> bool(abs(draws.mean(axis=0)[1] - 0.9) < 0.05)
    True
    """
    return gumbel_softmax(rng, logits, temperature, shape, hard=True)
