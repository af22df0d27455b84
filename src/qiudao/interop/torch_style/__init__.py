"""qiudao with torch's names and defaults.

    import qiudao.interop.torch_style as torch

What is computed is qiudao's throughout (`torch.tensor` gives a `qd.Tensor`); only names, defaults
and the shapes of results follow torch: Python floats become float32, `torch.func.grad_and_value`
gives the gradient first, and so on.  Array functions are NumPy's.
"""

from typing import Any

import qiudao as qd

from .. import singles
from . import autograd, func, utils

Tensor = qd.Tensor
enable_grad = qd.enable_grad
inference_mode = qd.inference_mode
is_grad_enabled = qd.is_grad_enabled
is_inference_mode_enabled = qd.is_inference_mode_enabled
no_grad = qd.no_grad
set_grad_enabled = qd.set_grad_enabled

__all__ = [
    "Tensor",
    "autograd",
    "enable_grad",
    "func",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
    "tensor",
    "utils",
]


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> qd.Tensor:
    """A tensor with a copy of `data`; numbers that are not NumPy's become float32 (complex64).

    >>> import qiudao.interop.torch_style as torch
    >>> torch.tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    made = singles.tensor_of(data, dtype)
    return made.requires_grad_() if requires_grad else made
