"""Functions in, functions out: reverse, forward, batched and Taylor modes, and compositions."""

from . import symbol_operators

__all__ = ["symbol_operators"]
