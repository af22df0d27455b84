"""Vector spaces of arrays: one class serves arrays and containers, real and complex."""

from __future__ import annotations

from ..spaces import VSpace, vspace

__all__ = ["ArrayVSpace", "ComplexArrayVSpace", "VSpace", "vspace"]

ArrayVSpace = VSpace
ComplexArrayVSpace = VSpace
