"""Gradients held to a size, before a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import DtypeError, GradientError
from ..core.trees import flatten
from ..tape.tensor import Tensor
from .options import at_least, is_number

__all__ = ["clip_by_norm", "clip_by_value", "clip_grad_norm_", "clip_grad_value_", "global_norm"]


def global_norm(gradients: Any, norm_type: Any = 2.0) -> Any:
    """The norm of all numbers in a nested container of arrays: (sum |g|^p)^(1/p), or the largest.

    >>> qd.optim.global_norm({"w": np.array([3.0, 0.0]), "b": np.array(4.0)})
    np.float64(5.0)
    """
    leaves, _ = flatten(gradients)
    norm_type = float(norm_type) if norm_type == "inf" else norm_type
    if not is_number(norm_type) or not norm_type > 0:
        raise GradientError(
            f"clipping: norm_type={norm_type!r} is no norm; give a number above 0, or np.inf"
        )
    if norm_type == np.inf:
        largest = leaves and [np.max(np.abs(g)) for g in leaves if np.size(g)]
        return np.max(np.stack(largest)) if largest else np.float64(0.0)
    if not leaves:
        return np.float64(0.0)
    terms = [np.sum(np.abs(g) ** norm_type) for g in leaves]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total ** (1.0 / norm_type)


def clip_by_norm(gradients: Any, max_norm: Any, norm_type: float = 2.0) -> Any:
    """The gradients times min(1, max_norm / (norm + 1e-6)), where norm is that of all together.

    Takes and returns a nested container of arrays, and works within `qd.jit`.

    >>> qd.optim.clip_by_norm([np.array([30.0, 40.0])], 5.0)
    [array([2.99999994, 3.99999992])]
    """
    at_least("clipping", "max_norm", max_norm, 0)
    factor = np.minimum(max_norm / (global_norm(gradients, norm_type) + 1e-6), 1.0)
    leaves, structure = flatten(gradients)
    return structure.build([g * in_dtype_of(g, factor) for g in leaves])


def in_dtype_of(g: Any, factor: Any) -> Any:
    """A factor that keeps the dtype of floats; whole numbers become floats."""
    is_inexact = hasattr(g, "dtype") and g.dtype.kind in "fc"
    return factor.astype(g.dtype) if is_inexact else factor


def clip_by_value(gradients: Any, limit: Any) -> Any:
    """Each number of a nested container of arrays held between -limit and limit.

    >>> qd.optim.clip_by_value({"w": np.array([-3.0, 0.5])}, 1.0)
    {'w': array([-1. ,  0.5])}
    """
    at_least("clipping", "the limit", limit, 0)
    leaves, structure = flatten(gradients)
    if any(np.result_type(g).kind == "c" for g in leaves):
        raise DtypeError(
            "clipping: a gradient is complex, and complex numbers have no order to clip by; use "
            "clip_by_norm"
        )
    return structure.build([np.clip(g, -limit, limit) for g in leaves])


def clip_grad_norm_(
    params: Iterable[Tensor] | Tensor, max_norm: float, norm_type: float = 2.0
) -> Any:
    """`clip_by_norm` of the `.grad` of parameters, stored there; returns the norm before.

    >>> x = qd.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> qd.optim.clip_grad_norm_([x], 1.0)
    np.float64(10.0)
    >>> x.grad
    tensor([0.59999994, 0.79999992])
    """
    at_least("clipping", "max_norm", max_norm, 0)
    given = with_gradients(params)
    slopes = [p.grad.detach().numpy() for p in given]
    norm = global_norm(slopes, norm_type)
    if not norm + 1e-6 <= max_norm:
        for p, clipped in zip(given, clip_by_norm(slopes, max_norm, norm_type)):
            p.grad = clipped
    return norm


def clip_grad_value_(params: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """`clip_by_value` of the `.grad` of parameters, stored there.

    >>> x = qd.tensor([3.0, -4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> qd.optim.clip_grad_value_([x], 1.0)
    >>> x.grad
    tensor([ 1., -1.])
    """
    for p in with_gradients(params):
        p.grad = clip_by_value(p.grad.detach().numpy(), clip_value)


def with_gradients(params: Iterable[Tensor] | Tensor) -> list[Any]:
    """Those of the parameters that have a gradient."""
    listed = [params] if isinstance(params, Tensor) else params
    if isinstance(listed, Mapping) or not isinstance(listed, Iterable):
        raise GradientError(
            f"clipping: the parameters are a {type(params).__name__}; give a list of tensors"
        )
    listed = list(listed)
    for p in listed:
        if not isinstance(p, Tensor):
            raise GradientError(
                f"clipping: a parameter is a {type(p).__name__}; give tensors, whose .grad is "
                "clipped, or clip gradients themselves by clip_by_norm and clip_by_value"
            )
    return [p for p in listed if p.grad is not None]
