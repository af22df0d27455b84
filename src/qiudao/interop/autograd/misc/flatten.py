"""Nested containers as one vector and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["flatten", "flatten_func"]

Unflatten = Callable[[Any], Any]


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of tuples, lists and dicts (whose keys are sorted), one after another."""
    if type(value) in (list, tuple):
        for part in value:
            yield from leaves(part)
    elif type(value) is dict:
        for key in sorted(value):
            yield from leaves(value[key])
    else:
        yield value


def flatten(value: Any) -> tuple[Any, Unflatten]:
    """One vector of all numbers in nested tuples, lists and dicts, and its inverse.

    >>> from qiudao.interop.autograd.misc import flatten
    >>> vector, unflatten = flatten({"w": np.ones(2), "b": 3.0})
    >>> vector
    array([3., 1., 1.])
    >>> unflatten(np.arange(3.0))["w"]
    array([1., 2.])
    """
    parts = [np.ravel(leaf) for leaf in leaves(value)]

    def unflatten(vector: Any) -> Any:
        """The container with these numbers."""
        start = 0

        def filled(part: Any) -> Any:
            nonlocal start
            if type(part) in (list, tuple):
                return type(part)([filled(each) for each in part])
            if type(part) is dict:
                found = {key: filled(part[key]) for key in sorted(part)}
                return {key: found[key] for key in part}
            shape, size = np.shape(part), int(np.size(part))
            piece = vector[start : start + size]
            start += size
            return np.reshape(piece, shape)

        return filled(value)

    if not parts:
        return np.array([]), unflatten
    whole: Any = np.concatenate(parts)
    return whole if whole.dtype.kind in "fc" else whole * 1.0, unflatten


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Any, Unflatten, Any]:
    """`func` between vectors in place of containers; the inverse of `flatten`; and the vector."""
    vector, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, vector
