"""Making tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arriving import check_class, is_foreign, native, received
from ..core.avals import Value, describe, is_inexact
from ..core.dispatch import Tracer, overrides, snapshot
from ..core.errors import DetachError, DtypeError
from ..core.modes import tape_level
from ..core.node import Leaf
from ..core.outliving import living
from ..tape.tensor import Tensor


def array_of(data: Any, dtype: Any) -> Value:
    """A copy of plain data as an array, or as a number of NumPy's."""
    check_class(data)
    try:
        made = np.array(data, dtype)
    except ValueError as error:
        if isinstance(error.__cause__, DetachError):
            raise error.__cause__ from None
        raise DtypeError(
            f"tensor: the data does not form an array of numbers ({error}); lists must have equal "
            "lengths"
        ) from error
    if made.dtype.kind not in "fciub":
        raise DtypeError(
            f"tensor: the data has dtype {made.dtype}, which no derivative knows; give numbers"
        )
    return native(made)[()]


def tensor(
    data: Any,
    dtype: Any = None,
    *,
    requires_grad: bool | None = None,
    stop_gradient: bool | None = None,
) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, or an array.

    With `requires_grad` (or paddle's `stop_gradient=False`) it is a leaf: operations on it are
    recorded, and `backward` sums its gradient into `.grad`.  The dtype is NumPy's: float64 for
    Python floats.  Raises `DtypeError` when a gradient is wanted of an integer or boolean, and
    `DetachError` for data that carries a gradient already.

    >>> x = qd.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    if stop_gradient is not None:
        if requires_grad is not None and requires_grad is stop_gradient:
            raise DtypeError(
                f"tensor: requires_grad={requires_grad} and stop_gradient={stop_gradient} "
                "contradict each other; give one of them"
            )
        requires_grad = not stop_gradient
    level = tape_level()
    data = living(data)
    if isinstance(data, Tensor) and not data.in_transform:
        if data.node is not None:
            raise DetachError(
                "tensor: the data is a tensor that requires grad, and a copy as a new leaf would "
                "cut it; write x.clone() to stay in the graph, or qd.tensor(x.detach())"
            )
        data = data.value
    value: Value = snapshot(data)
    if isinstance(value, Tracer):
        level = max(level, math.floor(value.level) + 0.5)
        value = value if dtype is None else overrides[np.ndarray.astype](value, dtype)
    elif is_foreign(value):
        value = received(value).copied()
        value = value if dtype is None else value.astype(dtype)
    else:
        value = array_of(value, dtype)
    node = None
    if requires_grad:
        if not is_inexact(value.dtype):
            raise DtypeError(
                f"tensor: a gradient needs a float or complex dtype, and the data is "
                f"{describe(value.shape, value.dtype)}; pass dtype=float"
            )
        node = Leaf(tuple(value.shape), value.dtype)
    return Tensor.make(value, node, level)
