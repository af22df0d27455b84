"""The short road for symbols: one Python call from `a * b` to an equation.

These do what `Symbol.process` does, for operands that are symbols of one program, plain arrays or
numbers, with everything in one frame; the type of a result is computed once for each types of
operands.  Whatever else comes goes the general way.  `depth` is how far above the short road the
user's frame is: 1 from an operator, 2 through NumPy's dispatch.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.avals import Aval, Dtype, Shape, Value, aval_of
from ..core.dispatch import overrides
from ..core.families import Smooth
from ..core.methods import power_by
from ..core.modes import modes
from ..core.node import Equation, next_number
from ..core.primitive import Primitive
from ..core.source import known_files, users
from ..ops import arithmetic, selecting, smooth
from ..ops.faces import operand
from ..ops.indexing import getitem as general_getitem
from ..ops.indexing import item
from ..ops.writing import SetItem
from ..tape.guard import copy_of
from .trace import MANY, Symbol, SymbolView, one_operand, two_operands

frame = sys._getframe
Operator = Callable[[Any, Any], Any]

NUMBERS = {float, int, complex, np.float64, np.float32}
DOUBLE = np.dtype(np.float64)
SYMBOLS = {Symbol, SymbolView}


def binary(primitive: Primitive, depth: int) -> tuple[Operator, Operator]:
    """`a op b` and its reflection, for a primitive that makes doubles of doubles."""
    types: dict[Any, tuple[Shape, Dtype]] = {}
    known = types.get
    ndarray = np.ndarray

    def typed(key: Any, x: Any, y: Any) -> tuple[Shape, Dtype]:
        if len(types) > MANY:
            types.clear()
        aval: Aval = primitive.shape(aval_of(x), aval_of(y))
        types[key] = found = (aval.shape, aval.dtype)
        return found

    def forward(self: Any, other: Any) -> Value:
        kind = type(other)
        x = self.node
        shape = x.shape
        dtype = x.dtype
        if kind in NUMBERS:
            y, parents = other, (x, None)
            if dtype is not DOUBLE or kind is complex:
                key: Any = (shape, dtype, kind)
                shape, dtype = known(key) or typed(key, x, y)
        elif kind in SYMBOLS and other.level == self.level:
            y = other.node
            parents = (x, y)
            if dtype is not DOUBLE or y.dtype is not DOUBLE or shape is not y.shape:
                key = (shape, dtype, y.shape, y.dtype)
                shape, dtype = known(key) or typed(key, x, y)
        elif kind is ndarray:
            y, parents = copy_of(other), (x, None)
            key = (shape, dtype, y.shape, y.dtype)
            shape, dtype = known(key) or typed(key, x, y)
        else:
            return primitive(self, operand(other))
        equation = Equation()
        equation.number = next_number()
        equation.shape = shape
        equation.dtype = dtype
        equation.notes = None
        equation.primitive = primitive
        equation.operands = (x, y)
        equation.parents = parents
        equation.out = None
        where = frame(depth)
        code = where.f_code
        if known_files.get(code.co_filename, True):
            equation.code, equation.offset = users(where)
        else:
            equation.code = code
            equation.offset = where.f_lasti
        recording = self.recording
        recording.equations.append(equation)
        made = Symbol()
        made.level = recording.level
        made.node = equation
        made.recording = recording
        return made

    def reflected(self: Any, other: Any) -> Value:
        kind = type(other)
        x = self.node
        shape = x.shape
        dtype = x.dtype
        if kind in NUMBERS:
            y = other
            if dtype is not DOUBLE or kind is complex:
                key: Any = (kind, shape, dtype)
                shape, dtype = known(key) or typed(key, y, x)
        elif kind is ndarray:
            y = copy_of(other)
            key = (y.shape, y.dtype, shape, dtype)
            shape, dtype = known(key) or typed(key, y, x)
        else:
            return primitive(operand(other), self)
        equation = Equation()
        equation.number = next_number()
        equation.shape = shape
        equation.dtype = dtype
        equation.notes = None
        equation.primitive = primitive
        equation.operands = (y, x)
        equation.parents = (None, x)
        equation.out = None
        where = frame(depth)
        code = where.f_code
        if known_files.get(code.co_filename, True):
            equation.code, equation.offset = users(where)
        else:
            equation.code = code
            equation.offset = where.f_lasti
        recording = self.recording
        recording.equations.append(equation)
        made = Symbol()
        made.level = recording.level
        made.node = equation
        made.recording = recording
        return made

    return forward, reflected


def unary(primitive: Primitive, depth: int) -> Callable[[Any], Any]:
    """A function of one symbol."""
    types: dict[Any, Aval] = {}
    known = types.get

    def typed(key: Any, x: Any) -> Aval:
        if len(types) > MANY:
            types.clear()
        found: Aval = primitive.shape(aval_of(x))
        types[key] = found
        return found

    def apply(self: Any) -> Value:
        x = self.node
        key = (x.shape, x.dtype)
        return record(self, primitive, (x,), (x,), known(key) or typed(key, x), depth + 1)

    return apply


def record(
    symbol: Any, primitive: Primitive, operands: Any, parents: Any, aval: Any, depth: int
) -> Symbol:
    """The symbol of a new equation with a result of a type that begins (shape, dtype)."""
    equation = Equation()
    equation.number = next_number()
    equation.shape = aval[0]
    equation.dtype = aval[1]
    equation.notes = None
    equation.primitive = primitive
    equation.operands = operands
    equation.parents = parents
    equation.out = None
    where = frame(depth)
    code = where.f_code
    if known_files.get(code.co_filename, True):
        equation.code, equation.offset = users(where)
    else:
        equation.code = code
        equation.offset = where.f_lasti
    recording = symbol.recording
    recording.equations.append(equation)
    made = Symbol()
    made.level = recording.level
    made.node = equation
    made.recording = recording
    return made


def getitem(self: Any, index: Any) -> Value:
    """`x[index]`; one element of a vector is a number, which shares no memory."""
    if type(index) is int:
        x = self.node
        if len(x.shape) == 1 and -x.shape[0] <= index < x.shape[0]:
            return record(self, item(index), (x,), (x,), ((), x.dtype), 2)
    return general_getitem(self, index)


@lru_cache(maxsize=MANY)
def setter(index: int) -> SetItem:
    """`x[index] = v`, made once for each integer."""
    return SetItem((index,))


def setitem(self: Any, index: Any, value: Any) -> None:
    """`x[index] = v`; a row of the same dtype goes straight to its primitive."""
    if type(index) is int and type(self) is Symbol and self.recording is modes.recording:
        x = self.node
        if len(x.shape) > 0 and -x.shape[0] <= index < x.shape[0]:
            kind = type(value)
            aval = (x.shape, x.dtype)
            if kind is float and x.dtype is DOUBLE:
                self.node = record(self, setter(index), (x, value), (x, None), aval, 2).node
                return
            if kind in SYMBOLS and value.level == self.level:
                y = value.node
                if y.dtype is x.dtype and y.shape == x.shape[1:]:
                    self.node = record(self, setter(index), (x, y), (x, y), aval, 2).node
                    return
    self.overwrite(overrides[operator.setitem](self, index, value))


def in_place(ufunc: np.ufunc, forward: Operator) -> Operator:
    """`a op= b`, without the write of a whole array where the result fits it as it is."""

    def apply(self: Any, other: Any) -> Value:
        new = forward(self, other)
        if type(self) is Symbol and not self.shape:  # a number, for all that is known
            return new
        if type(new) is Symbol and new.shape == self.shape and new.dtype == self.dtype:
            self.overwrite(new)
            return self
        return ufunc(self, other, out=(self,))

    return apply


BINARY: list[tuple[str, np.ufunc, Primitive]] = [
    ("add", np.add, arithmetic.add),
    ("sub", np.subtract, arithmetic.subtract),
    ("mul", np.multiply, arithmetic.multiply),
    ("truediv", np.divide, arithmetic.divide),
    ("pow", np.power, arithmetic.power),
]

for _name, _ufunc, _primitive in BINARY:
    _forward, _reflected = binary(_primitive, 1)
    setattr(Symbol, f"__{_name}__", _forward)
    setattr(Symbol, f"__r{_name}__", _reflected)
    setattr(Symbol, f"__i{_name}__", in_place(_ufunc, binary(_primitive, 2)[0]))
    two_operands[_ufunc] = binary(_primitive, 2)

Symbol.__pow__ = power_by(two_operands[np.power][0])
Symbol.__getitem__ = getitem  # type: ignore[method-assign]
Symbol.__setitem__ = setitem  # type: ignore[method-assign]
Symbol.__neg__ = unary(arithmetic.negative, 1)  # type: ignore[method-assign]

for _extreme in (selecting.maximum, selecting.minimum):
    two_operands[type(_extreme).ufunc] = binary(_extreme, 2)  # type: ignore[attr-defined]

for _smooth in (*vars(smooth).values(), arithmetic.negative, arithmetic.square):
    if isinstance(_smooth, Smooth) and hasattr(type(_smooth), "ufunc"):
        one_operand[type(_smooth).ufunc] = unary(_smooth, 2)
