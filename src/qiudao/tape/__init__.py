"""The tape: tensors that record what is done to them, and the modes that stop and start it."""

from . import operators
from .tensor import Tensor

__all__ = ["Tensor", "operators"]
