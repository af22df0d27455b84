"""Making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import describe, is_inexact
from ..core.dispatch import Tracer
from ..core.errors import DetachError, DtypeError
from ..core.modes import TAPE
from ..core.node import Leaf
from ..tape.tensor import Tensor


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
    if isinstance(data, Tensor) and data.node is not None:
        raise DetachError(
            "tensor: the data is a tensor that requires grad, and a copy as a new leaf would cut "
            "it; write x.clone() to stay in the graph, or qd.tensor(x.detach())"
        )
    level = TAPE
    if isinstance(data, Tensor) and data.level == TAPE:
        value = np.array(data.value, dtype)
    elif isinstance(data, Tracer):
        level = data.level + 0.5  # a tape of its own, above the transform that made the data
        value = data if dtype is None else data.astype(dtype)  # type: ignore[attr-defined]
    else:
        value = np.array(data, dtype)
        if value.dtype == object:
            raise DtypeError(
                "tensor: the data does not form an array of numbers (its elements may be tensors, "
                "or lists of unequal lengths); join tensors with np.stack"
            )
    if not isinstance(value, Tracer) and value.ndim == 0:
        value = value[()]
    node = None
    if requires_grad:
        if not is_inexact(value.dtype):
            raise DtypeError(
                f"tensor: a gradient needs a float or complex dtype, and the data is "
                f"{describe(value.shape, value.dtype)}; pass dtype=float"
            )
        node = Leaf(tuple(value.shape), value.dtype)
    return Tensor.make(value, node, level)
