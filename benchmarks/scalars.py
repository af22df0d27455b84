"""A scalar graph in the manner of karpathy/micrograd, written anew: an object a number, no arrays.

It shows what plain Python charges for recording and sweeping, before any feature. The sort is
iterative, so a long chain works.
"""

import math
from typing import Union

Number = Union["Value", float]


class Value:
    """A number that remembers its operands and the slope towards each."""

    __slots__ = ("data", "grad", "operands", "slopes")

    def __init__(
        self, data: float, operands: tuple["Value", ...] = (), slopes: tuple[float, ...] = ()
    ):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes

    def __add__(self, other: Number) -> "Value":
        other = _value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Number) -> "Value":
        other = _value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def backward(self) -> None:
        """Add d(self)/d(v) to the `grad` of every value v that self was computed from."""
        self.grad = 1.0
        for value in reversed(_sorted(self)):
            for operand, slope in zip(value.operands, value.slopes, strict=True):
                operand.grad += slope * value.grad


def _value(number: Number) -> Value:
    return number if isinstance(number, Value) else Value(number)


def _sorted(root: Value) -> list[Value]:
    """Every value that `root` depends on, operands first."""
    order: list[Value] = []
    seen = {root}
    stack = [(root, iter(root.operands))]
    while stack:
        value, operands = stack[-1]
        for operand in operands:
            if operand not in seen:
                seen.add(operand)
                stack.append((operand, iter(operand.operands)))
                break
        else:
            order.append(value)
            stack.pop()
    return order


def sin(x: Value) -> Value:
    """The sine of a value."""
    return Value(math.sin(x.data), (x,), (math.cos(x.data),))


def exp(x: Value) -> Value:
    """The exponential of a value."""
    result = math.exp(x.data)
    return Value(result, (x,), (result,))


def tanh(x: Value) -> Value:
    """The hyperbolic tangent of a value."""
    result = math.tanh(x.data)
    return Value(result, (x,), (1.0 - result * result,))
