"""The compiled front door: trace, optimise, emit, cache, call."""

from ..transforms import symbol_operators

__all__ = ["symbol_operators"]  # the operators of what is traced
