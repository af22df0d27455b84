"""What networks compute: linear layers, convolutions over channels, pooling, rectifiers, losses."""

from . import (
    affine,
    convolution,
    convolving,
    entropy,
    folding,
    gathering,
    lstm,
    pooling,
    rows,
    windows,
)

__all__ = [
    "affine",
    "convolution",
    "convolving",
    "entropy",
    "folding",
    "gathering",
    "lstm",
    "pooling",
    "rows",
    "windows",
]
