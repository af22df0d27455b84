"""paddle's own tensors, with the gradients that paddle lacks; importing this imports paddle."""

from .carried import as_paddle
from .grads import grad
from .recording import differentiable

__all__ = ["as_paddle", "differentiable", "grad"]
