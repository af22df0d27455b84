"""The short road for dual numbers: one Python call from `a * b` to its value and tangent.

These do what `Dual.process` does, for operands and tangents that are plain arrays or numbers, in
one frame.  Whatever else comes goes the general way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ..core.avals import Value
from ..core.methods import power_by
from ..core.modes import modes, raised
from ..core.plain import ARRAYS, MOVES, PLAIN
from ..core.primitive import Primitive
from ..core.quiet import quiet
from ..ops import arithmetic
from ..ops.faces import operand
from ..tape.operators import BINARY, EXTREMES, UNARY
from ..tape.tensor import Tensor
from .directions import fitted, in_directions, is_several, moved
from .dual import Dual, one_operand, two_operands

Operator = Callable[[Any, Any], Any]


def binary(primitive: Primitive, compute: Operator) -> tuple[Operator, Operator]:
    """`a op b` and its reflection."""
    push = primitive.push

    def forward(self: Any, other: Any) -> Value:
        kind = type(other)
        if kind in PLAIN or (kind is Tensor and other.level < self.level):
            b, db = other, None
        elif isinstance(other, Dual) and other.level == self.level:
            b, db = other.primal, other.tangent
        elif getattr(kind, "__array_ufunc__", kind) is None:
            return NotImplemented  # which leaves the operator to the other, by NumPy's protocol
        else:
            return primitive(self, operand(other))
        a, da = self.primal, self.tangent
        x = a if type(a) in ARRAYS else plain_value(a)
        y = b if type(b) in PLAIN else plain_value(b)
        if x is None or y is None:
            return self.process(primitive, (self, other))
        is_one = type(da) in MOVES and type(db) in MOVES
        if not is_one and not (is_several(da) and is_several(db)):
            return self.process(primitive, (self, other))
        out = compute(a, b)
        if raised.count and self.level < modes.floor:
            return Dual(out, None, self.level)
        z = out if x is a and y is b else out.value
        if is_one:
            change = quiet.run(push, z, (x, y), (da, db), moved)
            return Dual(out, fitted(change, out), self.level)
        return Dual(out, quiet.run(in_directions, primitive, z, (x, y), (da, db)), self.level)

    def reflected(self: Any, other: Any) -> Value:
        kind = type(other)
        if kind not in PLAIN and (kind is not Tensor or other.level > self.level):
            return primitive(operand(other), self)
        b, db = self.primal, self.tangent
        x = other if kind in PLAIN else plain_value(other)
        y = b if type(b) in ARRAYS else plain_value(b)
        if x is None or y is None:
            return self.process(primitive, (other, self))
        is_one = type(db) in MOVES
        if not is_one and not is_several(db):
            return self.process(primitive, (other, self))
        out = compute(other, b)
        if raised.count and self.level < modes.floor:
            return Dual(out, None, self.level)
        z = out if x is other and y is b else out.value
        if is_one:
            change = quiet.run(push, z, (x, y), (None, db), moved)
            return Dual(out, fitted(change, out), self.level)
        return Dual(out, quiet.run(in_directions, primitive, z, (x, y), (None, db)), self.level)

    return forward, reflected


def unary(primitive: Primitive, compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one dual number."""
    push = primitive.push

    def apply(self: Any) -> Value:
        a, da = self.primal, self.tangent
        x = a if type(a) in ARRAYS else plain_value(a)
        if x is None:
            return self.process(primitive, (self,))
        is_one = type(da) in MOVES
        if not is_one and not is_several(da):
            return self.process(primitive, (self,))
        out = compute(a)
        if raised.count and self.level < modes.floor:
            return Dual(out, None, self.level)
        z = out if x is a else out.value
        if is_one:
            change = quiet.run(push, z, (x,), (da,), moved)
            return Dual(out, fitted(change, out), self.level)
        return Dual(out, quiet.run(in_directions, primitive, z, (x,), (da,)), self.level)

    return apply


def is_constant(x: Value) -> bool:
    """Whether a value is a tensor that is a constant with a plain value.

    While anyone watches, what is done with it is done as with any other tensor.
    """
    return type(x) is Tensor and x.node is None and type(x.value) in ARRAYS and not modes.watchers


def plain_value(x: Value) -> Value | None:
    """The plain value of a tensor that is a constant, None of any other tracer."""
    return x.value if is_constant(x) else None


methods: dict[str, Any] = {"__neg__": unary(arithmetic.negative, operator.neg)}

for _name, _ufunc, _primitive, _compute in BINARY:
    _forward, _reflected = two_operands[_ufunc] = binary(_primitive, _compute)
    methods[f"__{_name}__"] = _forward
    methods[f"__r{_name}__"] = _reflected

methods["__pow__"] = power_by(methods["__pow__"])

for _ufunc, _primitive in EXTREMES:
    two_operands[_ufunc] = binary(_primitive, _ufunc)

for _ufunc, _primitive in UNARY:
    one_operand[_ufunc] = unary(_primitive, _ufunc)

for _name, _method in methods.items():
    setattr(Dual, _name, _method)
