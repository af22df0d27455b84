"""Arithmetic on registers, written as arithmetic: `a * b + 1.0` emits its instructions.

Straight-line code only.  A function written with lanes has no branch, so LLVM can run the same
instructions on several elements at once.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from ..code import Code, Register, floating


class Format(NamedTuple):
    """How a floating type lays out its bits."""

    name: str  # the suffix of our symbols
    bits: str  # the integer type of the same width
    width: int
    mantissa: int  # stored bits of the significand
    bias: int  # of the exponent

    def rounded(self, value: float) -> float:
        """The nearest number of this format."""
        if self.width == 64 or not math.isfinite(value):
            return float(value)
        return float(struct.unpack("f", struct.pack("f", value))[0])

    def pattern(self, value: float) -> int:
        """The bits of a number."""
        real, whole = ("<d", "<Q") if self.width == 64 else ("<f", "<I")
        return int(struct.unpack(whole, struct.pack(real, value))[0])


FORMATS = {
    "double": Format("f64", "i64", 64, 52, 1023),
    "float": Format("f32", "i32", 32, 23, 127),
}

REALS = {format_.bits: type_ for type_, format_ in FORMATS.items()}  # by the integer of the width


class Lane:
    """A register with its type: a real number, its bits (an integer), or a truth (`i1`).

    Plain numbers may stand on either side of an operator; they become constants.
    """

    __slots__ = ("code", "register", "type_")

    def __init__(self, code: Code, register: Register, type_: str) -> None:
        self.code = code
        self.register = register
        self.type_ = type_

    @property
    def format(self) -> Format:
        return FORMATS[self.type_]

    def op(self, text: str, type_: str | None = None) -> Lane:
        """One instruction; its result has this lane's type unless told otherwise."""
        return Lane(self.code, self.code.op(text), type_ or self.type_)

    def constant(self, value: float) -> Lane:
        """A constant of this lane's type."""
        if self.type_ in FORMATS:
            return Lane(self.code, floating(value, self.type_), self.type_)
        return Lane(self.code, str(int(value)), self.type_)

    def _with(self, name: str, other: Lane | float, *, swapped: bool = False) -> Lane:
        b = other if isinstance(other, Lane) else self.constant(other)
        left, right = (b, self) if swapped else (self, b)
        return self.op(f"{name} {self.type_} {left.register}, {right.register}")

    def _arithmetic(self, name: str, other: Lane | float, *, swapped: bool = False) -> Lane:
        return self._with(f"f{name}" if self.type_ in FORMATS else name, other, swapped=swapped)

    def __add__(self, other: Lane | float) -> Lane:
        return self._arithmetic("add", other)

    def __radd__(self, other: float) -> Lane:
        return self._arithmetic("add", other, swapped=True)

    def __sub__(self, other: Lane | float) -> Lane:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: float) -> Lane:
        return self._arithmetic("sub", other, swapped=True)

    def __mul__(self, other: Lane | float) -> Lane:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: float) -> Lane:
        return self._arithmetic("mul", other, swapped=True)

    def __truediv__(self, other: Lane | float) -> Lane:
        return self._with("fdiv", other)

    def __rtruediv__(self, other: float) -> Lane:
        return self._with("fdiv", other, swapped=True)

    def __neg__(self) -> Lane:
        return self.op(f"fneg {self.type_} {self.register}")

    def __and__(self, other: Lane | int) -> Lane:
        return self._with("and", other)

    def __or__(self, other: Lane | int) -> Lane:
        return self._with("or", other)

    def __xor__(self, other: Lane | int) -> Lane:
        return self._with("xor", other)

    def __invert__(self) -> Lane:
        return self.op(f"xor {self.type_} {self.register}, {'true' if self.type_ == 'i1' else -1}")

    def __lshift__(self, count: int) -> Lane:
        return self._with("shl", count)

    def __rshift__(self, count: int) -> Lane:
        """Logical: AVX2 has no arithmetic shift of 64-bit lanes."""
        return self._with("lshr", count)

    def _compare(self, predicate: str, other: Lane | float) -> Lane:
        b = other if isinstance(other, Lane) else self.constant(other)
        kind = "fcmp" if self.type_ in FORMATS else "icmp"
        return self.op(f"{kind} {predicate} {self.type_} {self.register}, {b.register}", "i1")

    def __lt__(self, other: Lane | float) -> Lane:
        return self._compare("olt", other)

    def __le__(self, other: Lane | float) -> Lane:
        return self._compare("ole", other)

    def __gt__(self, other: Lane | float) -> Lane:
        return self._compare("ogt", other)

    def __ge__(self, other: Lane | float) -> Lane:
        return self._compare("oge", other)

    def equals(self, other: Lane | float) -> Lane:
        """Whether the two are equal; false where one is NaN."""
        return self._compare("oeq" if self.type_ in FORMATS else "eq", other)

    def is_nan(self) -> Lane:
        return self._compare("uno", self)

    def is_negative(self) -> Lane:
        """Whether the sign bit is set: for -0 too."""
        bits = self.bits()
        return bits.op(f"icmp slt {bits.type_} {bits.register}, 0", "i1")

    def choose(self, yes: Lane, no: Lane | float) -> Lane:
        """`yes` where this truth holds, else `no`."""
        other = no if isinstance(no, Lane) else yes.constant(no)
        condition, type_ = self.register, yes.type_
        return yes.op(f"select i1 {condition}, {type_} {yes.register}, {type_} {other.register}")

    def call(self, name: str, *others: Lane | float) -> Lane:
        """An intrinsic of LLVM whose operands and result all have this lane's type."""
        operands = [self, *(v if isinstance(v, Lane) else self.constant(v) for v in others)]
        types = ", ".join([self.type_] * len(operands))
        symbol = f"@llvm.{name}.{self.format.name}"
        self.code.module.declare(symbol, f"declare {self.type_} {symbol}({types})")
        values = ", ".join(f"{self.type_} {v.register}" for v in operands)
        return self.op(f"call {self.type_} {symbol}({values})")

    def fma(self, b: Lane | float, c: Lane | float) -> Lane:
        """The product with b, plus c, rounded once."""
        return self.call("fma", b, c)

    def sqrt(self) -> Lane:
        return self.call("sqrt")

    def abs(self) -> Lane:
        return self.call("fabs")

    def floor(self) -> Lane:
        return self.call("floor")

    def copysign(self, sign: Lane) -> Lane:
        return self.call("copysign", sign)

    def flip(self, where: Lane) -> Lane:
        """Negated where the truth holds."""
        return where.choose(-self, self)

    def at_most(self, bound: float) -> Lane:
        """The smaller; NaN stays NaN."""
        return (self > bound).choose(self.constant(bound), self)

    def at_least(self, bound: float) -> Lane:
        """The larger; NaN stays NaN."""
        return (self < bound).choose(self.constant(bound), self)

    def bits(self) -> Lane:
        """The bits of a real number, as an integer."""
        return self.op(
            f"bitcast {self.type_} {self.register} to {self.format.bits}", self.format.bits
        )

    def real(self) -> Lane:
        """The real number whose bits these are."""
        type_ = REALS[self.type_]
        return self.op(f"bitcast {self.type_} {self.register} to {type_}", type_)

    def widened(self) -> Lane:
        """A float as a double."""
        return self.op(f"fpext float {self.register} to double", "double")

    def narrowed(self) -> Lane:
        """A double as a float."""
        return self.op(f"fptrunc double {self.register} to float", "float")


def polynomial(x: Lane, coefficients: tuple[float, ...]) -> Lane:
    """c0 + c1 x + c2 x^2 + ..., by Estrin's scheme: pairs first, so that the chain is short."""
    terms: list[Lane | float] = list(coefficients)
    power = x
    while len(terms) > 1:
        pairs: list[Lane | float] = [
            power.fma(high, low) for low, high in zip(terms[::2], terms[1::2], strict=False)
        ]
        terms = pairs + terms[len(pairs) * 2 :]
        if len(terms) > 1:
            power = power * power
    (result,) = terms
    return result if isinstance(result, Lane) else x.constant(result)


def in_pairs(x: Lane, coefficients: tuple[float, ...]) -> Lane:
    """(c0 + c1 x) + x^2 ((c2 + c3 x) + x^2 (...)): a longer chain than `polynomial`'s, and fewer
    products, where other lanes have enough to do meanwhile.
    """
    pairs = [
        x.fma(high, low) for low, high in zip(coefficients[::2], coefficients[1::2], strict=False)
    ]
    if len(coefficients) % 2:
        pairs.append(x.constant(coefficients[-1]))
    result = pairs.pop()
    while pairs:
        result = (x * x).fma(result, pairs.pop())
    return result
