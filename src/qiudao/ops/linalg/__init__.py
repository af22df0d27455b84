"""Linear algebra: `np.linalg` with derivatives, for stacks of real and complex matrices."""

from . import (
    degenerate,
    determinants,
    factorising,
    general,
    norms,
    pseudo,
    selfadjoint,
    singular,
    solving,
)

__all__ = [
    "degenerate",
    "determinants",
    "factorising",
    "general",
    "norms",
    "pseudo",
    "selfadjoint",
    "singular",
    "solving",
]
