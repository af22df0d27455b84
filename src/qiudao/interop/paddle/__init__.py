"""paddle's own tensors, with the gradients that paddle lacks; importing this imports paddle."""

from .grads import grad

__all__ = ["grad"]
