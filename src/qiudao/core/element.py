"""Scalar code: the language that `Elementwise.element` is written in.

A compiler gives `element` an `Element`, which builds one scalar operation at a time, and a scalar
for each operand.  `testing.elements` runs the same code on NumPy scalars, and the rule test holds
it equal to `evaluate`.
"""

from __future__ import annotations

from typing import Any, Protocol

Scalar = Any  # whatever the builder stands for one number by


class Element(Protocol):
    """What scalar code may do.  Types follow NumPy: operands of two types are promoted."""

    def call(self, name: str, *xs: Scalar) -> Scalar:
        """NumPy's function of that name: "add", "less", "arctan2", "real"..."""
        ...

    def constant(self, value: complex, like: Scalar) -> Scalar:
        """A number in the type of `like`."""
        ...

    def select(self, mask: Scalar, x: Scalar, y: Scalar) -> Scalar:
        """`x` where `mask` holds, else `y`; both have been computed, and may be anything."""
        ...
