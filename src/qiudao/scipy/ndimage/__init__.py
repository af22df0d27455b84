"""`qd.scipy.ndimage`: filters of images and values between their points, with derivatives."""

from .between import map_coordinates
from .filters import convolve, correlate, gaussian_filter, gaussian_filter1d

__all__ = ["convolve", "correlate", "gaussian_filter", "gaussian_filter1d", "map_coordinates"]
