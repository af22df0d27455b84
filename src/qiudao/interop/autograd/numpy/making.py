"""What NumPy cannot hand to a tracer: arrays made from Python lists of traced values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ....core.dispatch import Tracer
from ....core.trees import flatten
from ..registered import holds_tracer

Function = Callable[..., Any]

# Functions whose first argument is a sequence of arrays, which NumPy hands on by itself.
SEQUENCES = {
    *("block", "broadcast_arrays", "choose", "column_stack", "concat", "concatenate", "dstack"),
    *("einsum", "einsum_path", "hstack", "ix_", "lexsort", "meshgrid", "multi_dot", "row_stack"),
    *("select", "stack", "vstack"),
}


def array(A: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **options: Any) -> Any:
    """`np.array`, of nested lists with traced numbers and arrays too.

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.numpy import array
    >>> float(grad(lambda x: np.sum(array([x, [2.0, x][1]])))(3.0))
    2.0
    """
    if isinstance(A, np.ndarray) and A.dtype == object and any(map(holds_tracer, A.flat)):
        A = A.tolist()
    if not holds_tracer(A):
        return np.array(A, dtype, copy=copy, ndmin=ndmin, **options)
    made: Any = np.stack([asarray(a) for a in A]) if isinstance(A, list | tuple) else np.copy(A)
    if dtype is not None and made.dtype != np.dtype(dtype):
        made = made.astype(dtype)
    while made.ndim < ndmin:
        made = made[None]
    return made


def asarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asarray`, of nested lists with traced numbers and arrays too.

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.numpy import asarray
    >>> float(grad(lambda x: np.prod(asarray([x, x])))(3.0))
    6.0
    """
    if isinstance(a, Tracer):
        traced: Any = a
        return a if dtype is None or a.dtype == np.dtype(dtype) else traced.astype(dtype)
    if isinstance(a, list | tuple | np.ndarray) and (
        a.dtype == object if isinstance(a, np.ndarray) else holds_tracer(a)
    ):
        return array(a, dtype)
    return np.asarray(a, dtype, **options)


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.full`, with a traced number too.

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.numpy import full
    >>> float(grad(lambda x: np.sum(full(3, x)))(1.0))
    3.0
    """
    if not holds_tracer(fill_value):
        return np.full(shape, fill_value, dtype, **options)
    return np.copy(np.broadcast_to(asarray(fill_value, dtype), shape))


def full_like(a: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.full_like`, with a traced number too."""
    if not holds_tracer(fill_value):
        return np.full_like(a, fill_value, dtype, **options)
    return full(np.shape(a), fill_value, dtype)


@functools.wraps(np.where)
def where(condition: Any, *choices: Any) -> Any:
    """`np.where`, of lists with traced numbers too."""
    return np.where(ready(condition), *map(ready, choices))


def ready(x: Any) -> Any:
    """An argument, as an array where it is a list with traced values."""
    return asarray(x) if type(x) in (list, tuple) and holds_tracer(x) else x


class Concatenator:
    """`np.r_[...]` and `np.c_[...]`, of traced values too."""

    def __init__(self, plain: Any, columns: bool) -> None:
        self.plain = plain
        self.columns = columns

    def __getitem__(self, items: Any) -> Any:
        if not holds_tracer(items):
            return self.plain[items]
        parts = [
            np.r_[item] if isinstance(item, slice) else np.atleast_1d(asarray(item))
            for item in (items if isinstance(items, tuple) else (items,))
        ]
        if self.columns:
            return np.concatenate([p[:, None] if p.ndim == 1 else p for p in parts], axis=-1)
        return np.concatenate(parts)


c_ = Concatenator(np.c_, columns=True)
r_ = Concatenator(np.r_, columns=False)


def adapted(function: Function) -> Function:
    """A function of NumPy's that takes lists with traced values where it takes arrays."""
    if function.__name__ in SEQUENCES:
        return of_sequences(function)

    @functools.wraps(function)
    def of_arrays(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if type(a) is list or type(a) is tuple:
                return function(*map(ready, args), **kwargs)
        return function(*args, **kwargs)

    return of_arrays


def of_sequences(function: Function) -> Function:
    """The same for a function of a sequence of arrays, some of which may be lists."""

    @functools.wraps(function)
    def of_parts(*args: Any, **kwargs: Any) -> Any:
        parts = [
            [ready(part) for part in a] if type(a) in (list, tuple) and holds_tracer(a) else a
            for a in args
        ]
        return function(*parts, **kwargs)

    return of_parts


def adapt(module: Any, name: str) -> Any:
    """What NumPy's `module` has under this name, taking lists with traced values."""
    found = getattr(module, name)
    return adapted(found) if hasattr(found, "_implementation") else found


def metadata(A: Any) -> tuple[Any, int, Any, bool]:
    """The shape, the number of axes, the dtype, and whether that is complex."""
    return np.shape(A), np.ndim(A), flatten_dtype(A), bool(np.iscomplexobj(A))


def flatten_dtype(A: Any) -> Any:
    """The dtype of an array or a number."""
    leaves, _ = flatten(A)
    return np.result_type(*[x.dtype if hasattr(x, "dtype") else x for x in leaves])
