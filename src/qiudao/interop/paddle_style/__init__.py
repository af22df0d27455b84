"""qiudao with paddle's names and defaults.

    import qiudao.interop.paddle_style as paddle

What is computed is qiudao's throughout; only names, defaults and the shapes of results follow
paddle: tensors stop gradients unless told otherwise, a cotangent that is left out is all ones,
`paddle.grad` gives a list and leaves the graph as it is.  Array functions are NumPy's.
"""

from typing import Any

import qiudao as qd

from .. import singles
from . import autograd, incubate
from .gradients import grad

Tensor = qd.Tensor
enable_grad = qd.enable_grad
is_grad_enabled = qd.is_grad_enabled
no_grad = qd.no_grad
set_grad_enabled = qd.set_grad_enabled

__all__ = [
    "Tensor",
    "autograd",
    "enable_grad",
    "grad",
    "incubate",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
    "to_tensor",
]


def to_tensor(
    data: Any, dtype: Any = None, place: Any = None, stop_gradient: bool = True
) -> qd.Tensor:
    """A tensor with a copy of `data`; numbers that are not NumPy's become float32 (complex64).

    `place` is accepted and means nothing: memory is the processor's.

    >>> import qiudao.interop.paddle_style as paddle
    >>> paddle.to_tensor([1.0, 2.0]).stop_gradient
    True
    """
    made = singles.tensor_of(data, dtype)
    return made if stop_gradient else made.requires_grad_()
