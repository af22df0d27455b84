"""Batches for what takes one example at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import Aval, Value, aval_of
from ..core.primitive import Primitive


def each(f: Callable[..., Any], size: int, mapped: Sequence[bool], xs: Sequence[Any]) -> list[Any]:
    """What `f` gives for each of `size` examples in turn; an operand that is not `mapped` is the
    same for all.
    """
    return [f(*(x[k] if m else x for x, m in zip(xs, mapped, strict=True))) for k in range(size)]


def one_by_one(primitive: Primitive, size: int, mapped: Sequence[bool], xs: Sequence[Value]) -> Any:
    """The `batch` of a primitive that takes one example at a time: its results, stacked."""
    if not size:
        avals = [aval_of(x) for x in xs]
        one = [
            a._replace(shape=a.shape[1:]) if m else a for a, m in zip(avals, mapped, strict=True)
        ]
        out = primitive.shape(*one)
        return none_of(out) if isinstance(out, Aval) else tuple(map(none_of, out))
    rows = each(primitive, size, mapped, xs)
    if not isinstance(rows[0], tuple):
        return np.stack(rows)
    return tuple(np.stack(column) for column in zip(*rows, strict=True))


def none_of(aval: Aval) -> Value:
    """A batch of no examples."""
    return np.zeros((0, *aval.shape), aval.dtype)
