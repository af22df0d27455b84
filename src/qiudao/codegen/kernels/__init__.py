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
    taps,
)
from .table import Kernel, kernel_for

__all__ = [
    "Kernel",
    "channels",
    "convolving",
    "factorising",
    "indexing",
    "kernel_for",
    "moving",
    "pools",
    "products",
    "scanning",
    "searching",
    "solving",
    "sorting",
    "spectral",
    "taps",
]
