"""`qd.scipy.ndimage`: filters of images and values between their points, with derivatives."""

from .between import map_coordinates
from .filters import convolve, correlate, gaussian_filter

__all__ = ["convolve", "correlate", "gaussian_filter", "map_coordinates"]
