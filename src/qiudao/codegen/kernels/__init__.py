"""Primitives that are no plain loop over elements, each with machine code of its own."""

from . import factorising, products, solving, spectral
from .table import STATUS_WORDS, Kernel, kernel_for, raise_failure

__all__ = [
    "STATUS_WORDS",
    "Kernel",
    "factorising",
    "kernel_for",
    "products",
    "raise_failure",
    "solving",
    "spectral",
]
