"""Batches of convolutions: an axis of examples folded into one of the operands' own."""

from __future__ import annotations

import numpy as np

from ...core.avals import Shape, Value


def into(x: Value, axis: int) -> Value:
    """The leading axis folded into another, which then counts it first."""
    x = np.moveaxis(x, 0, axis)
    shape = x.shape
    return np.reshape(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def out_of(x: Value, axis: int, size: int, one: Shape) -> Value:
    """The inverse, for results of the shape `one`: the axis of examples leads again."""
    return np.moveaxis(np.reshape(x, (*one[:axis], size, *one[axis:])), axis, 0)


def within_groups(x: Value, axis: int, groups: int) -> Value:
    """The leading axis folded into channels along `axis`, within each group of them."""
    x = np.moveaxis(x, 0, axis)
    size, own = x.shape[axis : axis + 2]
    lead, rest = x.shape[:axis], x.shape[axis + 2 :]
    x = np.reshape(x, (*lead, size, groups, own // groups, *rest))
    x = np.moveaxis(x, axis, axis + 1)
    return np.reshape(x, (*lead, size * own, *rest))


def out_of_groups(x: Value, axis: int, groups: int, size: int, one: Shape) -> Value:
    """The inverse, for results of the shape `one`: the axis of examples leads again."""
    own = one[axis] // groups if groups else 0
    x = np.reshape(x, (*one[:axis], groups, size, own, *one[axis + 1 :]))
    return np.reshape(np.moveaxis(x, axis + 1, 0), (size, *one))
