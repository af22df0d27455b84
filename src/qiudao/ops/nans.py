"""Reductions that pass over NaN: `np.nansum` and its kin.

A NaN is given the value that changes nothing, or is dropped by `where`, so it neither counts nor
gets a derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value, is_inexact
from ..core.dispatch import implements
from ..core.errors import DtypeError
from .faces import array, axes_from_end, delivered, seen
from .reducing import lowest
from .statistics import count_of, in_whole_numbers, root, std, var


def present(x: Value, where: Any = True) -> Any:
    """The mask of the elements that count; True where all do."""
    if not is_inexact(x.dtype):
        return where
    mask = ~np.isnan(x)
    return mask if where is True else mask & np.broadcast_to(array(where), x.shape)


def filled(a: Any, value: Any) -> Value:
    """`a` with `value` in place of NaN."""
    x = array(a)
    return np.where(np.isnan(x), np.full((), value, x.dtype), x) if is_inexact(x.dtype) else x


def skipping(reduction: Callable[..., Value], value: float, name: str) -> Callable[..., Value]:
    """A reduction in which NaN counts as `value`."""

    def reduce(a: Any, *args: Any, **options: Any) -> Value:
        return reduction(filled(a, value), *args, **options)

    reduce.__name__ = name
    reduce.__doc__ = f"`np.{name}`: as `np.{name[3:]}`, with {value:g} in place of NaN."
    return reduce


nansum = implements(np.nansum)(skipping(np.sum, 0.0, "nansum"))
nanprod = implements(np.nanprod)(skipping(np.prod, 1.0, "nanprod"))
nancumsum = implements(np.nancumsum)(skipping(np.cumsum, 0.0, "nancumsum"))
nancumprod = implements(np.nancumprod)(skipping(np.cumprod, 1.0, "nancumprod"))


def need_inexact(name: str, x: Value, dtype: Any) -> None:
    """Refuse a mean of inexact numbers in integers."""
    if dtype is not None and is_inexact(x.dtype) and not is_inexact(np.dtype(dtype)):
        raise DtypeError(
            f"{name}: dtype={np.dtype(dtype)} cannot hold the mean of {x.dtype} values"
        )


@implements(np.nanmean)
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    *, where: Any = True,
) -> Value:  # fmt: skip
    """The mean of the elements that are not NaN; NaN where there are none."""
    x = array(a)
    need_inexact("nanmean", x, dtype)
    with np.errstate(invalid="ignore"):
        found = np.mean(x, axis=axis, dtype=dtype, keepdims=keepdims, where=present(x, where))
    return delivered("nanmean", found, out)


@implements(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = None, correction: Any = None,
) -> Value:  # fmt: skip
    """The variance of the elements that are not NaN; NaN where fewer than needed are left."""
    x = array(a)
    if not is_inexact(x.dtype):
        return var(
            x, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction
        )
    need_inexact("nanvar", x, dtype)
    mask = present(x, where)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = var(
            x, axis, dtype, None, ddof, keepdims, where=mask, mean=mean, correction=correction
        )
    axes = axes_from_end(axis, x.ndim, "nanvar")
    left = count_of(x, axes, bool(keepdims), mask, "nanvar") - (ddof or correction or 0)
    one = np.ones((), found.dtype)
    return delivered("nanvar", found * np.where(left <= 0, np.nan * one, one), out)


@implements(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = None, correction: Any = None,
) -> Value:  # fmt: skip
    """The square root of `nanvar`; its derivative is 0 where all elements are equal."""
    if in_whole_numbers(array(a), dtype):
        return std(a, axis, dtype, out, ddof, keepdims, where=where, correction=correction)
    spread = nanvar(
        a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction
    )
    return delivered("nanstd", root(spread), out)


def nan_extreme(name: str, reduction: Callable[..., Value], sign: int) -> Callable[..., Value]:
    """`np.nanmax` or `np.nanmin`."""

    def reduce(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
        where: Any = True,
    ) -> Value:  # fmt: skip
        x = array(a)
        found = reduction(
            filled(x, lowest(x.dtype, sign)), axis=axis, keepdims=keepdims, initial=initial,
            where=where,
        )  # fmt: skip
        if initial is None and is_inexact(x.dtype):
            nothing = np.all(np.isnan(x), axis=axis, keepdims=keepdims)
            found = np.where(nothing, np.full((), np.nan, x.dtype), found)
        return delivered(name, found, out)

    reduce.__name__ = name
    reduce.__doc__ = f"The {name[3:]}imum of the elements that are not NaN; NaN where all are."
    return reduce


nanmax = implements(np.nanmax)(nan_extreme("nanmax", np.max, 1))
nanmin = implements(np.nanmin)(nan_extreme("nanmin", np.min, -1))


def nan_search(name: str, search: Callable[..., Value], sign: int) -> Callable[..., Value]:
    """`np.nanargmax` or `np.nanargmin`."""

    def find(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Value:
        x = array(a)
        nothing = seen(np.all(np.isnan(x), axis=axis)) if is_inexact(x.dtype) else None
        if nothing is not None and np.any(nothing):
            raise ValueError(f"{name}: all elements of a slice are NaN, so none is the extreme")
        return search(filled(x, lowest(x.dtype, sign)), axis=axis, out=out, keepdims=keepdims)

    find.__name__ = name
    find.__doc__ = f"The index of the {name[6:]}imum of the elements that are not NaN."
    return find


nanargmax = implements(np.nanargmax)(nan_search("nanargmax", np.argmax, 1))
nanargmin = implements(np.nanargmin)(nan_search("nanargmin", np.argmin, -1))
