"""qiudao (求导): automatic differentiation for people who write NumPy."""

from . import ops
from .eager.gradients import grad
from .eager.making import tensor
from .tape.backward import backward
from .tape.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .tape.tensor import Tensor
from .transforms.batch import vmap
from .transforms.derived import hessian, hvp, jacfwd, jacobian, jacrev, value_and_grad
from .transforms.forward import jvp
from .transforms.reverse import vjp

__all__ = [
    "Tensor",
    "backward",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "no_grad",
    "ops",
    "set_grad_enabled",
    "tensor",
    "value_and_grad",
    "vjp",
    "vmap",
]
