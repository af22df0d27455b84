"""Linear algebra: `np.linalg` with derivatives, for stacks of real and complex matrices."""

from . import degenerate, determinants, selfadjoint, singular, solving

__all__ = ["degenerate", "determinants", "selfadjoint", "singular", "solving"]
