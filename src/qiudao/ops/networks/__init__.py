"""What networks compute: convolutions over channels, pooling, rectifiers, losses."""

from . import convolution, entropy, folding, gathering, pooling, windows

__all__ = ["convolution", "entropy", "folding", "gathering", "pooling", "windows"]
