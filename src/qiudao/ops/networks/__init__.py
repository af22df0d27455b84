"""What networks compute: convolutions over channels, and pooling."""

from . import convolution, pooling, windows

__all__ = ["convolution", "pooling", "windows"]
