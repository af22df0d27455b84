"""What stands for an array while a function is differentiated."""

from __future__ import annotations

from ..tracer import Box

__all__ = ["ArrayBox", "Box"]

ArrayBox = Box
