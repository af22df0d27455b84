"""Arrays from data: what the namespace makes are tensors, and what has a gradient keeps it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import is_inexact
from ..core.dispatch import Tracer, overrides
from ..core.standard import check_device
from ..ops.stopping import stop_gradient
from ..transforms.lifting.arrays import from_lists
from ..transforms.lifting.standing import holds_tracer
from .results import tensors


def asarray(obj: Any, /, dtype: Any = None, *, device: Any = None, copy: bool | None = None) -> Any:
    """`obj` as a tensor: an array, a number, nested lists, tensors among them too.

    Gradients flow on through it.  A plain array is copied, so that whoever changes it later
    changes no gradient, unless `copy=False`, which raises `ValueError` where a copy is needed.

    >>> from qiudao import numpy as xp
    >>> x = qd.tensor(2.0, requires_grad=True)
    >>> xp.asarray([x, x * x])
    tensor([2., 4.], requires_grad=True)
    """
    check_device(device)
    if isinstance(obj, Tracer):
        same = dtype is None or np.dtype(dtype) == obj.dtype
        if copy is False and not same:
            raise ValueError(
                f"asarray: a {obj.dtype} tensor becomes {np.dtype(dtype)} by a copy, which "
                "copy=False rules out; leave copy out"
            )
        if copy and same:
            return overrides[np.copy](obj)
        return obj if same else cast(obj, np.dtype(dtype))
    if holds_tracer(obj):
        if copy is False:
            raise ValueError(
                "asarray: a list of tensors becomes one tensor by a copy, which copy=False rules "
                "out; leave copy out"
            )
        return from_lists(copies=False)(obj, dtype)
    return tensors(np.asarray(obj, dtype, copy=copy is not False)[()])


def array(obj: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Any:
    """`np.array` with a tensor for result: a copy, unless told otherwise."""
    made = asarray(obj, dtype, copy=copy)
    return made if made.ndim >= ndmin else made[(np.newaxis,) * (ndmin - made.ndim)]


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """Another library's array as a tensor, without its gradient.

    It is copied, as by `asarray`, unless `copy=False`.
    """
    check_device(device)
    shared = np.from_dlpack(x)
    return tensors(shared if copy is False else shared.copy())


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """`x` in another dtype.  With `copy=False` a tensor that has it already is given back.

    Code for any library makes masks and counts by it, so integers and truth values of a tensor
    are constants here, where its method `x.astype(int)` refuses to lose the gradient.
    """
    check_device(device)
    found = asarray(x)
    if found.dtype == np.dtype(dtype):
        return overrides[np.copy](found) if copy else found
    return cast(found, np.dtype(dtype))


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """A tensor in another dtype; whole numbers and truth values of it are level, as its floor."""
    if is_inexact(x.dtype) and not is_inexact(dtype):
        x = stop_gradient(x)
    return overrides[np.ndarray.astype](x, dtype)
