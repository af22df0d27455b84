"""Helpers that rules of other libraries import from `autograd.numpy.numpy_vjps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....core.sweep import fit
from .making import flatten_dtype, metadata

__all__ = ["match_complex", "repeat_to_match_shape", "replace_zero", "unbroadcast", "unbroadcast_f"]


class Target:
    """A shape and a dtype to bring a cotangent to."""

    def __init__(self, shape: Any, dtype: Any) -> None:
        self.shape = shape
        self.dtype = dtype


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """`x` summed over the axes along which an operand of that `metadata` was stretched."""
    shape, _, dtype, is_complex = target_meta
    if not is_complex:
        x = np.real(x)
    return fit(x, Target(tuple(shape), np.result_type(dtype, flatten_dtype(x))))


def unbroadcast_f(target: Any, g_fun: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A rule whose cotangents are summed to the shape of `target`."""
    meta = metadata(target)
    return lambda g: unbroadcast(g_fun(g), meta)


def repeat_to_match_shape(g: Any, shape: Any, dtype: Any, axis: Any, keepdims: bool) -> Any:
    """The cotangent of a sum, repeated over the axes summed; and how many terms each sum has."""
    if shape == ():
        return g, 1
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {a % len(shape) for a in axes}
    kept = tuple(1 if k in reduced else n for k, n in enumerate(shape))
    count = int(np.prod([shape[k] for k in reduced], dtype=int))
    return np.reshape(g, kept) + np.zeros(shape, dtype=dtype), count


def match_complex(target: Any, x: Any) -> Any:
    """`x`, complex where `target` is and real where it is not."""
    if np.iscomplexobj(target):
        return x if np.iscomplexobj(x) else x + 0j
    return np.real(x) if np.iscomplexobj(x) else x


def replace_zero(x: Any, val: Any) -> Any:
    """`x`, with `val` in place of zeros."""
    return np.where(x, x, val)
