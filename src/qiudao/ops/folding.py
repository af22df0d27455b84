"""The methods of every ufunc that has a rule: `reduce`, `accumulate`, `reduceat` and `at`.

The common sums, products and extremes have primitives of their own; whatever is left is folded
step by step with the ufunc itself, in NumPy's order.  NumPy computes a pattern of ones first: it
says what the arguments are worth, the shape and the dtype, and raises what it raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import concrete, implements_method
from .faces import array, axes_from_end, from_end, whole
from .indexing import getitem
from .reducing import foreseen, kept, reduced, truths, unit
from .shaping import astype, broadcast_to, moveaxis, reshape, stack
from .writing import target


def pattern(x: Value) -> Any:
    """Ones of the shape and dtype of an operand, which take no memory."""
    return np.broadcast_to(unit(x), x.shape)


def settled(x: Value, dtype: Any) -> Value:
    """A value in the dtype of the result; what a logical ufunc starts from is a truth."""
    return truths(x) if dtype == np.bool_ else astype(x, dtype)


def folded(ufunc: np.ufunc, lanes: Sequence[Value], masks: Any, start: Value | None) -> Value:
    """The lanes taken together one after the other, those that a mask drops left out."""
    total = start
    for k, lane in enumerate(lanes):
        if total is None:
            total = lane
        elif masks is None:
            total = ufunc(total, lane)
        else:
            total = np.where(masks[k], ufunc(total, lane), total)
    return total


@implements_method(None, "reduce")
def reduce(
    ufunc: np.ufunc,
    a: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Value:
    """`ufunc.reduce`: all elements along `axis` taken together, the first two first."""
    x = array(a)
    options: dict[str, Any] = {"keepdims": keepdims}
    if initial is not np._NoValue:
        options["initial"] = initial
    if where is not True:
        options["where"] = where
    like = foreseen(ufunc, x, axis, dtype, options)
    axes = axes_from_end(axis, x.ndim, f"{ufunc.__name__}.reduce")
    shape = reduced(tuple(x.shape), axes, False)
    x = x if dtype is None else astype(x, dtype)
    start = None if initial is None else ufunc.identity if initial is np._NoValue else initial
    lanes = flat_lanes(x, axes)
    if start is not None:
        start = array(start)
        start = broadcast_to(settled(start, like.dtype), shape)
    masks = None if where is True else flat_lanes(kept(where, x, ufunc.__name__), axes)
    return reshape(settled(folded(ufunc, lanes, masks, start), like.dtype), np.shape(like))


def flat_lanes(x: Value, axes: tuple[int, ...]) -> list[Value]:
    """The slices of `x` along several axes, in the order of memory."""
    if not axes:
        return [x]
    x = moveaxis(x, axes, range(len(axes)))
    rest = x.shape[len(axes) :]
    size = int(np.prod(x.shape[: len(axes)]))
    x = reshape(x, (size, *rest))
    return [x[k] for k in range(size)]


@implements_method(None, "accumulate")
def accumulate(
    ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Value:
    """`ufunc.accumulate`: each element taken together with those before it."""
    x = array
    with np.errstate(all="ignore"):
        like = ufunc.accumulate(pattern(x), axis=axis, dtype=dtype)
    at = from_end(axis, x.ndim, f"{ufunc.__name__}.accumulate")
    lanes = flat_lanes(x if dtype is None else astype(x, dtype), (at,))
    if not lanes:
        return np.zeros(like.shape, like.dtype)
    found = [settled(lanes[0], like.dtype)]
    for lane in lanes[1:]:
        found.append(ufunc(found[-1], lane))
    return settled(stack(found, at), like.dtype)


@implements_method(None, "reduceat")
def reduceat(
    ufunc: np.ufunc, a: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Value:
    """`ufunc.reduceat`: the elements from each index to the next; one that does not grow: one."""
    x = array(a)
    starts = concrete(array(indices))
    with np.errstate(all="ignore"):
        like = ufunc.reduceat(pattern(x), starts, axis=axis, dtype=dtype)
    at = from_end(axis, x.ndim, f"{ufunc.__name__}.reduceat")
    lanes = flat_lanes(x if dtype is None else astype(x, dtype), (at,))
    first = [whole(k) for k in starts.tolist()]
    spans = zip(first, [*first[1:], len(lanes)], strict=True)
    found = [
        settled(folded(ufunc, lanes[i : max(i + 1, j)], None, None), like.dtype) for i, j in spans
    ]
    if not found:
        return np.zeros(like.shape, like.dtype)
    return stack(found, at)


@implements_method(None, "at")
def at(ufunc: np.ufunc, a: Any, indices: Any, b: Any = None) -> None:
    """`ufunc.at`: in place, and as often as an index occurs."""
    x = target(f"{ufunc.__name__}.at", a)
    index = plain_index(indices)
    values = () if b is None else (array(b),)
    with np.errstate(all="ignore"):
        ufunc.at(np.ones(x.shape, x.dtype), index, *map(pattern, values))
    places = np.arange(x.size).reshape(x.shape)[index]
    values = tuple(reshape(broadcast_to(v, places.shape), (-1,)) for v in values)
    flat = reshape(x, (-1,))
    for turn in occurrences(places.reshape(-1)):
        where = places.reshape(-1)[turn]
        new = ufunc(getitem(flat, where), *(getitem(v, turn) for v in values))
        flat = np.copy(flat)
        flat[where] = astype(new, x.dtype)
    x[...] = reshape(flat, x.shape)


def plain_index(index: Any) -> Any:
    """An index with the values of the tracers in it."""
    return tuple(map(concrete, index)) if isinstance(index, tuple) else concrete(index)


def occurrences(places: Any) -> list[Any]:
    """The positions in `places` of every first occurrence, every second one, and so on."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    fresh = np.r_[True, ordered[1:] != ordered[:-1]] if places.size else np.zeros(0, bool)
    begins = np.maximum.accumulate(np.where(fresh, np.arange(places.size), 0))
    turn = np.empty(places.size, np.intp)
    turn[order] = np.arange(places.size) - begins
    return [np.flatnonzero(turn == k) for k in range(int(turn.max(initial=-1)) + 1)]
