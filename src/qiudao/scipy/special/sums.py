"""Sums of exponentials: logsumexp, softmax, log_softmax, softplus."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import reducing
from ...ops.stopping import stop_gradient
from ..operands import array
from .standing import on_tensors


def level(a: Any, axis: Any) -> Any:
    """The largest element along an axis, 0 where that is infinite; no derivative passes it."""
    most = np.max(stop_gradient(a), axis=axis, keepdims=True)
    return np.where(np.isfinite(most), most, 0.0).astype(most.dtype)


@on_tensors
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log(sum(b e^a)), whose derivative by a is the softmax."""
    b = None if b is None else array(b)
    return reducing.logsumexp(array(a), axis, b, keepdims, return_sign)


@on_tensors
def softmax(x: Any, axis: Any = None) -> Any:
    """e^x over its sum along an axis."""
    x = array(x)
    e = np.exp(x - level(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


@on_tensors
def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of softmax."""
    x = array(x)
    lower = x - level(x, axis)
    return lower - np.log(np.sum(np.exp(lower), axis=axis, keepdims=True))


@on_tensors
def softplus(x: Any, **kwargs: Any) -> Any:
    """log(1 + e^x)."""
    return np.logaddexp(array(x), 0.0, **kwargs)


@on_tensors
def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), 1 at 0."""
    return np.sinc(array(x))


__all__ = ["log_softmax", "logsumexp", "sinc", "softmax", "softplus"]
