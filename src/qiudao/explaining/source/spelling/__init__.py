"""How NumPy says each primitive, by family: importing this fills the table."""

from . import (
    elementwise,
    indexing,
    linalg,
    networks,
    products,
    reductions,
    shaping,
    sorting,
    special,
    transforms,
)

__all__ = [
    "elementwise",
    "indexing",
    "linalg",
    "networks",
    "products",
    "reductions",
    "shaping",
    "sorting",
    "special",
    "transforms",
]
