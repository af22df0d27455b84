"""Tensors of torch as arrays of NumPy and back, sharing memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ...core.errors import DtypeError, GradientError


def array_of(t: torch.Tensor, name: str, where: str = "argument") -> Any:
    """The array that shares a tensor's memory.

    Raises `GradientError` for a tensor that is not in the CPU's memory or not dense; `DtypeError`
    for a dtype that NumPy has not.
    """
    if t.device.type != "cpu" or t.layout is not torch.strided:
        raise GradientError(
            f"{name}: {where} is a {t.layout} tensor on {t.device}, and NumPy reads dense tensors "
            "in the CPU's memory; pass x.cpu(), or x.to_dense() of a sparse one"
        )
    try:
        t = t.detach()
        if t.is_conj() or t.is_neg():
            t = t.resolve_conj().resolve_neg()
        return t.numpy()
    except RuntimeError as error:
        raise GradientError(
            f"{name}: {where} is one of a batch that torch lets no one read ({error}); batch with "
            "torch.func.vmap instead of is_grads_batched=True or vectorize=True"
        ) from error
    except TypeError as error:
        raise DtypeError(
            f"{name}: {where} is {t.dtype}, which NumPy has not; convert it with x.float()"
        ) from error


def tensor_of(array: Any) -> torch.Tensor:
    """The tensor that shares an array's memory; of a copy where torch cannot have it as it is.

    Raises `DtypeError` for a dtype that torch has not.
    """
    array = np.asarray(array)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(n < 0 for n in array.strides):
        array = array.copy()
    try:
        return torch.from_numpy(array)
    except TypeError as error:
        raise DtypeError(
            f"torch: an array has dtype {array.dtype}, which torch has not; convert it with "
            ".astype(float)"
        ) from error


def as_tensor(y: Any) -> torch.Tensor:
    """A tensor as it is; a number as a constant one."""
    return y if isinstance(y, torch.Tensor) else tensor_of(y)
