"""Losses, as functions of what a model computes and what it should.

Each is stable: at extreme values it gives neither NaN nor infinity, and the right gradient.
`reduction` is "mean", "sum", or "none" for the losses one by one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dispatch import Tracer
from ..core.errors import DtypeError, ShapeError
from ..ops.networks.entropy import CrossEntropy
from .activations import log_softmax
from .given import number, real, whole
from .parts import as_array, as_given


def reduced(losses: Any, reduction: str, name: str, weight: Any = None) -> Any:
    """The mean or the sum of losses; a mean is over the sum of the weights."""
    if reduction == "mean":
        return np.mean(losses) if weight is None else np.sum(losses) / np.sum(weight)
    if reduction == "sum":
        return np.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"{name}: reduction={reduction!r} is unknown; use 'mean', 'sum' or 'none'")


def alike(name: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Two arrays that must have one shape: broadcasting would average over pairs unasked."""
    prediction, target = real(name, as_array(prediction)), real(name, as_array(target))
    if tuple(prediction.shape) != tuple(target.shape):
        raise ShapeError(
            f"{name}: a prediction of shape {tuple(prediction.shape)} and a target of shape "
            f"{tuple(target.shape)} differ; reshape one of them"
        )
    return prediction, target


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """-Σ q log softmax(logits) over the last axis, where q is the target.

    `logits` is (..., classes).  `target` is integers of shape (...), the numbers of the classes, or
    probabilities of shape (..., classes).  `label_smoothing` s makes q into (1 - s) q + s/classes.
    `weight` has a factor for each class; the mean is then over the weights of the labels (of
    probabilities: over the rows, as in torch).  Rows whose label is `ignore_index` do not count.

    >>> logits = np.array([[2.0, 1.0, 0.0], [0.0, 1000.0, 0.0]])
    >>> cross_entropy(logits, np.array([0, 2]), reduction="none")
    array([4.07605964e-01, 1.00000000e+03])
    >>> qd.grad(cross_entropy)(logits, np.array([0, 0]))[1]
    array([-0.5,  0.5,  0. ])
    """
    logits = real("cross_entropy", as_array(logits))
    if not logits.ndim:
        raise ShapeError(
            "cross_entropy: the logits are one number, and have no axis of classes; give (..., "
            "classes)"
        )
    number("cross_entropy", "label_smoothing", label_smoothing, 0, 1)
    if weight is not None:
        weight = as_array(weight)
        if tuple(weight.shape) != tuple(logits.shape[-1:]):
            raise ShapeError(
                f"cross_entropy: a weight of shape {tuple(weight.shape)} does not fit "
                f"{logits.shape[-1]} classes; give one factor for each"
            )
    target = as_given(target)
    if target.dtype.kind in "iu":
        return of_labels(logits, target, weight, ignore_index, label_smoothing, reduction)
    if target.dtype.kind != "f":
        raise DtypeError(
            f"cross_entropy: a target of dtype {target.dtype} is neither labels nor probabilities; "
            "give integers or floats"
        )
    if ignore_index is not None:
        raise DtypeError(
            f"cross_entropy: ignore_index={ignore_index} is a label, and the target has "
            "probabilities; leave it out, or multiply rows of reduction='none' by 0"
        )
    _, target = alike("cross_entropy", logits, target)
    if label_smoothing:
        target = (1.0 - label_smoothing) * target + label_smoothing / logits.shape[-1]
    logs = log_softmax(logits)
    terms = weighed(target, logs)
    terms = terms if weight is None else terms * weight
    return reduced(-np.sum(terms, axis=-1), reduction, "cross_entropy")


def weighed(p: Any, logs: Any) -> Any:
    """P log q, which is 0 where both probabilities are, as of classes that are masked out."""
    gone = (p == 0) & (logs == -np.inf)
    return p * np.where(gone, np.zeros((), logs.dtype), logs)


def of_labels(
    logits: Any,
    labels: Any,
    weight: Any,
    ignore_index: int | None,
    smoothing: float,
    reduction: str,
) -> Any:
    """The cross entropy of labels."""
    if tuple(labels.shape) != tuple(logits.shape[:-1]):
        raise ShapeError(
            f"cross_entropy: labels of shape {tuple(labels.shape)} do not fit logits of shape "
            f"{tuple(logits.shape)}; give one label for each row of the last axis"
        )
    if ignore_index is not None and whole(ignore_index) is None:
        raise DtypeError(
            f"cross_entropy: ignore_index={ignore_index!r} is no label; give an integer"
        )
    counted = None if ignore_index is None else labels != ignore_index
    chosen = labels if counted is None else np.where(counted, labels, 0)
    check_labels(chosen, logits.shape[-1])
    rows = None
    if weight is None and not isinstance(smoothing, Tracer):
        losses = CrossEntropy(float(smoothing))(logits, chosen)
    else:
        losses = CrossEntropy()(logits, chosen)
        if weight is not None:
            rows = weight[chosen]
            losses = losses * rows
        if isinstance(smoothing, Tracer) or smoothing:
            logs = log_softmax(logits)
            spread = np.mean(logs if weight is None else logs * weight, axis=-1)
            losses = (1.0 - smoothing) * losses - smoothing * spread
    if counted is not None:
        losses = np.where(counted, losses, np.zeros((), losses.dtype))
        rows = counted.astype(losses.dtype) if rows is None else np.where(counted, rows, 0.0)
    return reduced(losses, reduction, "cross_entropy", rows)


def check_labels(labels: Any, classes: int) -> None:
    """Refuse labels that number no class, where they are known: -1 would count from the end."""
    if isinstance(labels, np.ndarray) and labels.size:
        low, high = labels.min(), labels.max()
        if low < 0 or high >= classes:
            raise ValueError(
                f"cross_entropy: the label {low if low < 0 else high} is not the number of one of "
                f"{classes} classes, which count from 0; mend it, or pass it as ignore_index"
            )


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """-(t log σ(x) + (1 - t) log(1 - σ(x))) for each logit x and probability t.

    `weight` multiplies the losses, `pos_weight` the term of t; both broadcast.

    >>> binary_cross_entropy_with_logits(np.array([1000.0, -1000.0]), np.array([1.0, 1.0]))
    np.float64(500.0)
    """
    name = "binary_cross_entropy_with_logits"
    logits, target = alike(name, logits, target)
    zero = np.zeros((), logits.dtype)
    if pos_weight is None:  # one softplus in place of two
        losses = np.logaddexp(logits, zero) - target * logits
    else:
        losses = pos_weight * target * np.logaddexp(-logits, zero)
        losses = losses + (1.0 - target) * np.logaddexp(logits, zero)
    return reduced(losses if weight is None else weight * losses, reduction, name)


def mse(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """(prediction - target)².

    >>> mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    """
    prediction, target = alike("mse", prediction, target)
    return reduced(np.square(prediction - target), reduction, "mse")


def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """d²/2 for a difference |d| up to `delta`, and delta (|d| - delta/2) beyond.

    >>> huber(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    prediction, target = alike("huber", prediction, target)
    number("huber", "delta", delta, 0, math.inf, "(]")
    difference = prediction - target
    near = np.abs(difference) <= delta
    inner = np.where(near, difference, np.zeros((), difference.dtype))  # no square overflows
    outer = delta * (np.abs(difference) - 0.5 * delta)
    return reduced(np.where(near, 0.5 * inner * inner, outer), reduction, "huber")


def kl_div(
    log_prediction: Any, target: Any, *, log_target: bool = False, reduction: str = "batchmean"
) -> Any:
    """T (log t - log p) for probabilities t and logarithms of probabilities log p; 0 where t is 0.

    `log_target` says that the target is logarithms too.  Besides the reductions of all losses there
    is "batchmean", the sum over the length of the first axis, which is the divergence proper.

    >>> logs = qd.nn.log_softmax(np.zeros((1, 2)))
    >>> kl_div(logs, np.array([[1.0, 0.0]]))
    np.float64(0.69314718...)
    """
    log_prediction, target = alike("kl_div", log_prediction, target)
    if log_target:
        zero = np.zeros((), target.dtype)
        present = target > -np.inf
        logs = np.where(present, target, zero)
        losses = np.where(present, np.exp(logs) * (logs - log_prediction), zero)
    else:
        present = target > 0
        one = np.ones((), target.dtype)
        entropy = target * np.log(np.where(present, target, one))
        losses = entropy - weighed(target, log_prediction)
    if reduction == "batchmean":
        return np.sum(losses) / (log_prediction.shape[0] if log_prediction.ndim else 1)
    return reduced(losses, reduction, "kl_div")
