"""The short road for the operators: one Python call from `a * b` to a recorded tensor.

These do what `Tensor.process` does, for operands that are tensors of one level or plain numbers,
with everything in one frame.  Whatever else comes goes the general way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..core.avals import Value
from ..core.modes import modes
from ..core.node import Equation, next_number
from ..core.primitive import Primitive
from ..ops.faces import operand

frame = sys._getframe
Operator = Callable[[Any, Any], Any]


def binary(tensor: type, primitive: Primitive, compute: Operator) -> tuple[Operator, Operator]:
    """`a op b` and its reflection, for the class `tensor`."""
    keep = primitive.keep
    keeps_out = primitive.keeps_out

    def forward(self: Any, other: Any) -> Value:
        kind = type(other)
        if kind is float or kind is int:
            b, y = other, None
        elif kind is tensor and other.level == self.level:
            b, y = other.value, other.node
        else:
            return primitive(self, operand(other))
        x = self.node
        a = self.value
        value = compute(a, b)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if (x is None and y is None) or self.level < modes.floor:
            made.node = None
            made.cut = self.cut if y is None and kind is not tensor else self.cut or other.cut
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        node.shape = value.shape
        node.dtype = value.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (x, y)
        node.operands = keep((a, b), parents)
        node.out = value if keeps_out else None
        where = frame(1)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    def reflected(self: Any, other: Any) -> Value:
        kind = type(other)
        if kind is not float and kind is not int:
            return primitive(operand(other), self)
        y = self.node
        b = self.value
        value = compute(other, b)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if y is None or self.level < modes.floor:
            made.node = None
            made.cut = self.cut
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        node.shape = value.shape
        node.dtype = value.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (None, y)
        node.operands = keep((other, b), parents)
        node.out = value if keeps_out else None
        where = frame(1)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    return forward, reflected


def unary(
    tensor: type, primitive: Primitive, compute: Callable[[Any], Any], depth: int
) -> Callable[[Any], Any]:
    """A function of one tensor; the user's frame is `depth` above it."""
    keep = primitive.keep
    keeps_out = primitive.keeps_out

    def apply(self: Any) -> Value:
        x = self.node
        a = self.value
        value = compute(a)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if x is None or self.level < modes.floor:
            made.node = None
            made.cut = self.cut
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        node.shape = value.shape
        node.dtype = value.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (x,)
        node.operands = keep((a,), parents)
        node.out = value if keeps_out else None
        where = frame(depth)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    return apply
