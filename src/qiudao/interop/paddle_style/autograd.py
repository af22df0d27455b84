"""`paddle.autograd`."""

import qiudao as qd

from .gradients import backward, grad, hessian, jacobian
from .layers import PyLayer

Function = qd.Function
saved_tensors_hooks = qd.graph.saved_tensors_hooks

__all__ = [
    "Function",
    "PyLayer",
    "backward",
    "grad",
    "hessian",
    "jacobian",
    "saved_tensors_hooks",
]
