"""`qd.scipy.spatial`: distances."""

from . import distance

__all__ = ["distance"]
