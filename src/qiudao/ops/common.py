"""The families that many programs meet, and that one of exponentials and sums does without."""

from . import complexes, distances, making, rounding, statistics, taking, writing

__all__ = ["complexes", "distances", "making", "rounding", "statistics", "taking", "writing"]
