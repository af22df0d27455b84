"""A network that reads digits, and its loss: plain NumPy, on arrays and on Tensors alike."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qiudao.tour.digits import CLASSES, PIXELS

__all__ = ["SIZES", "cross_entropy", "initial_weights", "probabilities", "scores"]

Value: TypeAlias = Any  # an array or a Tensor
FloatArray: TypeAlias = NDArray[np.float64]

SIZES = (PIXELS, 64, 32, CLASSES)


def initial_weights(rng: np.random.Generator) -> list[FloatArray]:
    """A matrix and a row of offsets for each layer: [W1, b1, W2, b2, ...].

    Scaled by 1/√inputs, so that a signal neither grows nor fades on its way through.
    """
    weights = []
    for inputs, outputs in pairwise(SIZES):
        weights.append(rng.normal(scale=inputs**-0.5, size=(inputs, outputs)))
        weights.append(np.zeros(outputs))
    return weights


def scores(images: FloatArray, weights: Sequence[Value]) -> Value:
    """One score for each digit: layers of x @ W + b, with tanh between them."""
    x: Value = images
    for W, b in zip(weights[:-2:2], weights[1:-2:2]):
        x = np.tanh(x @ W + b)
    return x @ weights[-2] + weights[-1]


def cross_entropy(scores: Value, labels: NDArray[np.int64]) -> Value:
    """Mean of -log p(label), where p = exp(scores) / Σ exp(scores).

    Each row is shifted so that its largest score is 0 and no exp can overflow. The shift cancels
    in p, and so needs no derivative: it is taken from the bare values.
    """
    shifted = scores - scores.detach().max(axis=1, keepdims=True)
    log_total = np.log(np.sum(np.exp(shifted), axis=1))
    of_label = shifted[np.arange(len(labels)), labels]
    return np.mean(log_total - of_label)


def probabilities(images: FloatArray, weights: Sequence[FloatArray]) -> FloatArray:
    """How sure the network is of each digit; a row sums to 1."""
    exps = np.exp(scores(images, weights))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))
