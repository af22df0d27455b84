"""`qd.scipy.signal`: convolutions and linear filters with derivatives."""

from .convolutions import convolve, correlate, fftconvolve
from .filters import lfilter, sosfilt

__all__ = ["convolve", "correlate", "fftconvolve", "lfilter", "sosfilt"]
