"""jax beside ours: functions carried across in both directions."""

from .jax_in_ours import from_jax
from .ours_in_jax import as_jax

__all__ = ["as_jax", "from_jax"]
