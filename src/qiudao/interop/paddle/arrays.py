"""Between paddle's tensors and NumPy's arrays, on the CPU in the same memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
from paddle import Tensor

UNKNOWN_TO_NUMPY = (paddle.bfloat16,)


def array_of(x: Tensor) -> np.ndarray[Any, Any]:
    """The values of a tensor; those of a CPU tensor in its own memory, read only."""
    bare = x.detach()
    if bare.dtype in UNKNOWN_TO_NUMPY:
        bare = bare.astype(paddle.float32)
    if not bare.place.is_cpu_place() or not bare.size or not bare.is_contiguous():
        return np.asarray(bare.numpy())
    found = np.from_dlpack(bare)
    found.flags.writeable = False  # a rule of ours must not write into the user's tensor
    return found


def tensor_of(value: Any, like: Tensor | None = None) -> Tensor:
    """An array as a tensor where `like` is, in the array's memory if paddle may write to that."""
    array = np.asarray(value)
    on_cpu = like is None or like.place.is_cpu_place()
    own = array.flags.owndata and array.flags.writeable and array.flags.c_contiguous
    if on_cpu and own and array.size and array.ndim and array.dtype != bool:
        return paddle.from_dlpack(array)
    return paddle.to_tensor(array, place=None if like is None else like.place)
