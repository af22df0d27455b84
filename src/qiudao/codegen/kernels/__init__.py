"""Primitives that are no plain loop over elements, each with machine code of its own."""

from . import factorising, indexing, moving, products, solving, spectral
from .table import STATUS_WORDS, Kernel, kernel_for, raise_failure

__all__ = [
    "STATUS_WORDS",
    "Kernel",
    "factorising",
    "indexing",
    "kernel_for",
    "moving",
    "products",
    "raise_failure",
    "solving",
    "spectral",
]
