"""The short road for the operators: one Python call from `a * b` to a recorded tensor.

These do what `Tensor.process` does, for operands that are tensors of one level, plain arrays or
numbers, with everything in one frame.  Whatever else comes goes the general way.  `depth` is how
far above the short road the user's frame is: 1 from an operator, 2 through NumPy's dispatch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.families import Additive, Smooth
from ..core.modes import modes, raised
from ..core.node import Equation, next_number
from ..core.primitive import Primitive
from ..core.views import View
from ..ops.arithmetic import Multiply
from ..ops.faces import operand
from ..ops.indexing import GetItem
from ..ops.indexing import getitem as general_getitem
from .cut import unrecorded
from .guard import TINY
from .record import held

frame = sys._getframe
asarray = np.asarray
Operator = Callable[[Any, Any], Any]

NUMBERS = {float, int, np.float64, np.float32}
DOUBLE = np.dtype(np.float64)


def is_view(x: Any, tensor: type) -> bool:
    """Whether an operand is a view of a tensor, which is of a class of its own."""
    return isinstance(x, View) and isinstance(x, tensor)


def binary(
    tensor: type, primitive: Primitive, compute: Operator, depth: int
) -> tuple[Operator, Operator]:
    """`a op b` and its reflection, for the class `tensor`."""
    keep = primitive.keep
    keeps_out = primitive.keeps_out
    keeps_nothing = isinstance(primitive, Additive)
    is_product = type(primitive) is Multiply
    ndarray = np.ndarray

    def forward(self: Any, other: Any) -> Value:
        kind: type | None = type(other)
        if kind is tensor and other.level == self.level:
            b, y = other.value, other.node
        elif kind is ndarray:
            b, y = other, None
            if not other.ndim:  # as its number: quicker, and nobody can change it
                b, kind = other[()], None
        elif kind in NUMBERS:
            b, y = other, None
        elif is_view(other, tensor) and other.level == self.level:
            b, y, kind = other.value, other.node, tensor
        elif getattr(kind, "__array_ufunc__", kind) is None:
            return NotImplemented  # which leaves the operator to the other, by NumPy's protocol
        else:
            return primitive(self, operand(other))
        x = self.node
        a = self.value
        if is_product and kind is float and type(a) is ndarray and a.dtype is DOUBLE:
            b = asarray(b)  # which saves NumPy more, here and in the sweep, than it costs
        value = compute(a, b)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if (x is None and y is None) or (raised.count and self.level < modes.floor):
            made.node = None
            if x is not None or y is not None:
                made.cut = unrecorded(frame(depth))
            else:
                made.cut = self.cut or other.cut if kind is tensor else self.cut
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        if kind is float or kind is int:  # and so x is a node: reading its slots is quicker
            node.shape = x.shape
            node.dtype = x.dtype
        else:  # one tuple for equal shapes, which the sweep compares by identity first
            shape = value.shape
            node.shape = x.shape if x is not None and x.shape == shape else shape
            node.dtype = value.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (x, y)
        if keeps_nothing:
            node.operands = parents
        else:
            if kind is ndarray:
                b = b.copy() if b.nbytes <= TINY else held(node, b)
            if is_product:  # its `keep`, without the call
                node.operands = (x if y is None else a, y if x is None else b)
            else:
                node.operands = keep((a, b), parents)
        node.out = value if keeps_out else None
        where = frame(depth)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    def reflected(self: Any, other: Any) -> Value:
        kind: type | None = type(other)
        if kind not in NUMBERS and kind is not ndarray:
            return primitive(operand(other), self)
        y = self.node
        b = self.value
        if kind is ndarray and not other.ndim:
            other, kind = other[()], None
        elif is_product and kind is float and type(b) is ndarray and b.dtype is DOUBLE:
            other = asarray(other)
        value = compute(other, b)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if y is None or (raised.count and self.level < modes.floor):
            made.node = None
            made.cut = self.cut if y is None else unrecorded(frame(depth))
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        if kind is float or kind is int:
            node.shape = y.shape
            node.dtype = y.dtype
        else:
            shape = value.shape
            node.shape = y.shape if y.shape == shape else shape
            node.dtype = value.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (None, y)
        if kind is ndarray and not keeps_nothing:
            other = held(node, other)
        node.operands = keep((other, b), parents)
        node.out = value if keeps_out else None
        where = frame(depth)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    return forward, reflected


def unary(
    tensor: type, primitive: Additive | Smooth, compute: Callable[[Any], Any], depth: int
) -> Callable[[Any], Any]:
    """A function of one tensor."""
    reads_operand = isinstance(primitive, Smooth) and primitive.reads != "out"
    keeps_out = primitive.keeps_out

    def apply(self: Any) -> Value:
        x = self.node
        a = self.value
        value = compute(a)
        made = tensor()
        made.value = value
        made.level = self.level
        made.version = 0
        if x is None or (raised.count and self.level < modes.floor):
            made.node = None
            made.cut = self.cut if x is None else unrecorded(frame(depth))
            return made
        made.cut = None
        made.node = node = Equation()
        node.number = next_number()
        node.shape = x.shape
        node.dtype = x.dtype
        node.notes = None
        node.primitive = primitive
        node.parents = parents = (x,)
        node.operands = (a,) if reads_operand else parents  # its `keep`, without the call
        node.out = value if keeps_out else None
        where = frame(depth)
        node.code = where.f_code
        node.offset = where.f_lasti
        return made

    return apply


_BASIC = {int, slice, type(None), type(Ellipsis)}


def getitem(self: Any, index: Any) -> Value:
    """`x[index]`; an index of plain integers and slices goes straight to its primitive."""
    kind = type(index)
    if kind is slice or kind is int:
        pattern: tuple[Any, ...] = (index,)
    elif kind is tuple and _BASIC.issuperset(map(type, index)):
        pattern = index
    else:
        return general_getitem(self, index)
    taken = object.__new__(GetItem)
    object.__setattr__(taken, "index", pattern)
    return self.process(taken, (self,))
