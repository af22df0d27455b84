"""jax beside ours: functions carried across in both directions."""

from .ours_in_jax import as_jax

__all__ = ["as_jax"]
