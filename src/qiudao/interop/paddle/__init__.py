"""paddle's own tensors, with the gradients that paddle lacks; importing this imports paddle."""

from .carried import as_paddle
from .explaining import explain, why
from .functions import gradcheck, hessian, jacobian, jvp, vjp
from .grads import grad
from .ours import as_qiudao
from .recording import differentiable

__all__ = [
    "as_paddle",
    "as_qiudao",
    "differentiable",
    "explain",
    "grad",
    "gradcheck",
    "hessian",
    "jacobian",
    "jvp",
    "vjp",
    "why",
]
