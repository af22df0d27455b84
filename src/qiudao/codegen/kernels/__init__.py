"""Primitives that are no plain loop over elements, each with machine code of its own."""

from . import (
    channels,
    convolving,
    factorising,
    indexing,
    moving,
    pools,
    products,
    scanning,
    searching,
    solving,
    sorting,
    spectral,
)
from .table import STATUS_WORDS, Kernel, kernel_for, raise_failure

__all__ = [
    "Kernel",
    "STATUS_WORDS",
    "channels",
    "convolving",
    "factorising",
    "indexing",
    "kernel_for",
    "moving",
    "pools",
    "products",
    "raise_failure",
    "scanning",
    "searching",
    "solving",
    "sorting",
    "spectral",
]
