"""torch beside ours: functions carried across in both directions, and its graphs explained."""

from .ours_in_torch import as_torch
from .torch_in_ours import from_torch

__all__ = ["as_torch", "from_torch"]
