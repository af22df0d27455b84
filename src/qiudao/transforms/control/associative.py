"""`associative_scan`: all running results of an associative function, in log n calls of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.dispatch import Tracer
from ...core.errors import ShapeError, TreeError
from ...core.source import here
from ...core.trees import flatten
from .scans import common_length

Combine = Callable[[list[Value], list[Value]], list[Value]]


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """The running results e_0, fn(e_0, e_1), fn(fn(e_0, e_1), e_2), ... along an axis.

    `fn` must be associative.  It is given many elements at once, pytrees like `elems` with an axis
    of any length in the place of `axis`, and combines them one by one.  With `reverse` the results
    run from the last element to the first.

    >>> associative_scan(np.multiply, np.array([1.0, 2.0, 3.0, 4.0]))
    array([ 1.,  2.,  6., 24.])
    """
    leaves, tree = flatten(elems)
    arrays: list[Value] = [x if isinstance(x, Tracer) else np.asarray(x) for x in leaves]
    for x, path in zip(arrays, tree.paths):
        if not -np.ndim(x) <= axis < np.ndim(x):
            raise ShapeError(
                f"associative_scan: elems{path} has shape {np.shape(x)} and no axis {axis}, at "
                f"{here()}; choose another with axis"
            )
    front = [np.moveaxis(x, axis, 0) for x in arrays]
    common_length("associative_scan", front, tree, None, f"axis {axis} of elems")

    def combine(a: list[Value], b: list[Value]) -> list[Value]:
        back = [tree.build([np.moveaxis(x, 0, axis) for x in each]) for each in (a, b)]
        made, found = flatten(fn(*back))
        if found != tree:
            raise TreeError(
                f"associative_scan: elems are nested as {tree} and what fn returned as {found}, at "
                f"{here()}; both must be nested alike"
            )
        for x, y, path in zip(flatten(back[0])[0], made, tree.paths):
            if np.shape(y) != np.shape(x):
                raise ShapeError(
                    f"associative_scan: elems{path} of shape {np.shape(x)} became {np.shape(y)} "
                    f"when fn combined them, at {here()}; it must combine many at once, each with "
                    "its like"
                )
        return [np.moveaxis(y, axis, 0) for y in made]

    found = running([x[::-1] for x in front] if reverse else front, combine)
    return tree.build([np.moveaxis(y[::-1] if reverse else y, 0, axis) for y in found])


def running(xs: list[Value], combine: Combine) -> list[Value]:
    """The running results along the first axis.

    Those at odd places are the running results of the elements combined in pairs; each at an even
    place is the one before it combined with its element (Ladner and Fischer 1980).
    """
    n = xs[0].shape[0]
    if n < 2:
        return xs
    odd = running(combine([x[: n - 1 : 2] for x in xs], [x[1::2] for x in xs]), combine)
    if n > 2:
        before = [y[: (n - 1) // 2] for y in odd]
        even = combine(before, [x[2::2] for x in xs])
        even = [np.concatenate([x[:1], y]) for x, y in zip(xs, even)]
    else:
        even = [x[:1] for x in xs]
    return [interleaved(a, b) for a, b in zip(even, odd)]


def interleaved(even: Value, odd: Value) -> Value:
    """Two arrays in turn along their first axes; the first may be longer by one."""
    n = odd.shape[0]
    pairs = np.reshape(np.stack([even[:n], odd], axis=1), (2 * n, *odd.shape[1:]))
    return pairs if even.shape[0] == n else np.concatenate([pairs, even[n:]])
