"""Python's control flow on values that are unknown while tracing, from a function's source."""

from .function import captured

__all__ = ["captured"]
