"""Primitives that are no plain loop over elements, each with machine code of its own."""

from . import products
from .table import STATUS_WORDS, Kernel, kernel_for, raise_failure

__all__ = ["STATUS_WORDS", "Kernel", "kernel_for", "products", "raise_failure"]
