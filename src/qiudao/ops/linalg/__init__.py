"""Linear algebra: `np.linalg` with derivatives, for stacks of real and complex matrices."""

from . import determinants, solving

__all__ = ["determinants", "solving"]
