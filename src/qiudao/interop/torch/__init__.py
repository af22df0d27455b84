"""torch beside ours: functions carried across in both directions, and its graphs explained."""

from .asking import why
from .explaining import explain
from .ours_in_torch import as_torch
from .torch_in_ours import from_torch

__all__ = ["as_torch", "explain", "from_torch", "why"]
