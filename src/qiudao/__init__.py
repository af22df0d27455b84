"""qiudao (求导): automatic differentiation for people who write NumPy."""

from . import numeric
from .eager.gradients import grad
from .eager.making import tensor
from .numeric.check import gradcheck, gradgradcheck
from .ops.stopping import stop_gradient
from .tape.backward import backward
from .tape.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .tape.tensor import Tensor
from .transforms.batch import vmap
from .transforms.checkpoint import checkpoint
from .transforms.control import (
    associative_scan,
    cond,
    fori_loop,
    map,
    scan,
    switch,
    while_loop,
)
from .transforms.custom import custom_jvp, custom_vjp
from .transforms.derived import hessian, hvp, jacfwd, jacobian, jacrev, value_and_grad
from .transforms.forward import jvp
from .transforms.linear import linear_transpose, linearize
from .transforms.reverse import vjp
from .transforms.taylor import jet
from .transforms.trace import trace

__all__ = [
    "Tensor",
    "associative_scan",
    "backward",
    "checkpoint",
    "cond",
    "custom_jvp",
    "custom_vjp",
    "enable_grad",
    "fori_loop",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jvp",
    "linear_transpose",
    "linearize",
    "map",
    "no_grad",
    "numeric",
    "scan",
    "set_grad_enabled",
    "stop_gradient",
    "switch",
    "tensor",
    "trace",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]
