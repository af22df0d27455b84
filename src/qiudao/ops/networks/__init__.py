"""What networks compute: convolutions over channels, and pooling."""

from . import convolution, folding, gathering, pooling, windows

__all__ = ["convolution", "folding", "gathering", "pooling", "windows"]
