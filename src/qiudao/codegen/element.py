"""The scalar language of `core/element.py`, written out as LLVM instructions.

A `Lane` is one number: a register with its dtype, or a constant not yet written out.  Booleans are
i1 in registers and bytes in memory; a complex number is two registers.  Types follow NumPy.

Instructions carry `contract`, which lets LLVM fuse a product into a sum; none carries a flag that
would change what NaN or infinity do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import Aval, Dtype, aval_of, promote
from .code import Buffer, Code, Register, floating, memory_type
from .math import called, inlined

Number = bool | int | float | complex


class NoNativeForm(Exception):  # noqa: N818  # it is no error: NumPy computes it instead
    """What is asked has no native form; the reason is the text."""


class Lane(NamedTuple):
    """One number.  `value` is a register, two of them for complex, or a constant (`fixed`)."""

    value: Any
    dtype: Dtype
    weak: type | None = None
    fixed: bool = False

    @property
    def aval(self) -> Aval:
        return Aval((), self.dtype, self.weak)


BOOL = np.dtype(np.bool_)
BYTE = np.dtype(np.int8)
UNARY_MATH = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "sech", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt",
}  # fmt: skip
COMPLEX_MATH = {"sqrt", "sign"}  # which for real numbers are instructions
BINARY_MATH = {"arctan2", "hypot", "logaddexp", "logaddexp2"}
INTRINSICS = {
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "fabs": "fabs",
}  # fmt: skip
ROUNDINGS = {"floor", "ceil", "trunc"}  # NumPy leaves integers as they are
COMPARISONS = {
    "greater": ("ogt", "sgt", "ugt"), "greater_equal": ("oge", "sge", "uge"),
    "less": ("olt", "slt", "ult"), "less_equal": ("ole", "sle", "ule"),
    "equal": ("oeq", "eq", "eq"), "not_equal": ("une", "ne", "ne"),
}  # fmt: skip
BITS = {
    "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor",
    "logical_and": "and", "logical_or": "or", "logical_xor": "xor",
}  # fmt: skip


Place = Lane | Buffer  # where a value of a program is: in a register, or in memory


def constant(x: Any) -> Lane:
    """A plain number as a lane."""
    aval = aval_of(x)
    return Lane(np.asarray(x).item(), aval.dtype, aval.weak, fixed=True)


def register_type(dtype: Dtype) -> str:
    """The type of one real number in a register."""
    return "i1" if dtype.kind == "b" else memory_type(dtype)


def real_dtype(dtype: Dtype) -> Dtype:
    """The dtype of the parts of a complex number."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


class Scalars:
    """Writes scalar code into `code`; an `Element`."""

    def __init__(self, code: Code, once: bool = True) -> None:
        self.code = code
        self.once = once  # outside of loops, where a call is better than a copy of the function
        self.table: dict[str, Callable[..., Lane]] = {
            "add": self.add, "subtract": self.subtract, "multiply": self.multiply,
            "divide": self.divide, "negative": self.negative, "positive": lambda x: x,
            "reciprocal": self.reciprocal, "square": lambda x: self.multiply(x, x),
            "power": self.power, "absolute": self.absolute, "sign": self.sign,
            "maximum": self.maximum, "minimum": self.minimum, "fmax": self.fmax,
            "fmin": self.fmin, "logical_not": self.logical_not, "invert": self.invert,
            "isnan": self.isnan, "isinf": self.isinf, "isfinite": self.isfinite,
            "remainder": self.remainder, "fmod": self.fmod,
            "signbit": self.signbit, "floor_divide": self.floor_divide, "where": self.select,
            "real": lambda x: self.part(x, 0), "imag": lambda x: self.part(x, 1),
            "conjugate": self.conjugate, "copysign": self.copysign,
            "deg2rad": lambda x: self.scaled(x, np.pi / 180),
            "rad2deg": lambda x: self.scaled(x, 180 / np.pi),
            "radians": lambda x: self.scaled(x, np.pi / 180),
            "degrees": lambda x: self.scaled(x, 180 / np.pi),
            "left_shift": self.left_shift, "right_shift": self.right_shift,
            "heaviside": self.heaviside, "clip": self.clip,
        }  # fmt: skip

    # What `Element` asks

    def call(self, name: str, *xs: Lane) -> Lane:
        """NumPy's elementwise function of that name."""
        if name in COMPARISONS:
            return self.compare(name, *xs)
        if name in BITS:
            return self.bits(name, *xs)
        if name in ROUNDINGS and xs[0].dtype.kind in "biu":
            return xs[0]
        if name in COMPLEX_MATH and xs[0].dtype.kind == "c":
            return self.math(name, xs[0])
        if name in INTRINSICS:
            return self.intrinsic(name, self.inexact(xs[0]))
        if name in UNARY_MATH:
            return self.math(name, self.inexact(xs[0]))
        if name in BINARY_MATH:
            return self.math(name, *self.together(*xs, inexact=True))
        found = self.table.get(name)
        if found is None:
            raise NoNativeForm(f"{name} has no native form")
        return found(*xs)

    def constant(self, value: complex, like: Lane) -> Lane:
        """A number in the type of `like`."""
        return Lane(value, like.dtype, None, fixed=True)

    def select(self, mask: Lane, x: Lane, y: Lane) -> Lane:
        """`x` where `mask` holds, else `y`."""
        x, y = self.together(x, y)
        mask = self.truth(mask)
        if mask.fixed:
            return x if mask.value else y
        type_ = register_type(real_dtype(x.dtype))
        pairs = zip(self.parts(x), self.parts(y), strict=True)
        made = [self.code.op(f"select i1 {mask.value}, {type_} {a}, {type_} {b}") for a, b in pairs]
        return self.joined(made, x.dtype)

    # Registers

    def parts(self, x: Lane) -> list[Register]:
        """The registers of a number; constants are written out."""
        if not x.fixed:
            return list(x.value) if x.dtype.kind == "c" else [x.value]
        if x.dtype.kind == "c":
            type_ = memory_type(x.dtype)
            value = complex(x.value)
            return [floating(value.real, type_), floating(value.imag, type_)]
        if x.dtype.kind == "f":
            return [floating(float(x.value), memory_type(x.dtype))]
        if x.dtype.kind == "b":
            return ["true" if x.value else "false"]
        return [str(int(x.value))]

    def register(self, x: Lane) -> Register:
        """The one register of a real number."""
        (only,) = self.parts(x)
        return only

    def joined(self, registers: list[Register], dtype: Dtype) -> Lane:
        """A number from its registers."""
        return Lane(tuple(registers) if dtype.kind == "c" else registers[0], dtype)

    def load(self, buffer: Buffer, offset: int | Register, note: str = "") -> Lane:
        """An element of an array; `note` is metadata."""
        address = self.code.place(buffer, offset)
        type_ = memory_type(buffer.dtype)
        if buffer.dtype.kind == "c":
            second = self.code.op(f"getelementptr inbounds {type_}, ptr {address}, i64 1")
            return self.joined(
                [self.code.op(f"load {type_}, ptr {p}{note}") for p in (address, second)],
                buffer.dtype,
            )
        value = self.code.op(f"load {type_}, ptr {address}{note}")
        if buffer.dtype.kind == "b":
            value = self.code.op(f"icmp ne i8 {value}, 0")
        return Lane(value, buffer.dtype)

    def store(self, x: Lane, buffer: Buffer, offset: int | Register, note: str = "") -> None:
        """Write an element of an array, cast to its dtype."""
        x = self.cast(x, buffer.dtype)
        address = self.code.place(buffer, offset)
        type_ = memory_type(buffer.dtype)
        registers = self.parts(x)
        if buffer.dtype.kind == "b":
            registers = [self.code.op(f"zext i1 {registers[0]} to i8")]
        for k, register in enumerate(registers):
            at = address
            if k:
                at = self.code.op(f"getelementptr inbounds {type_}, ptr {address}, i64 1")
            self.code.do(f"store {type_} {register}, ptr {at}{note}")

    # Types

    def cast(self, x: Lane, dtype: Dtype) -> Lane:
        """The same value in another dtype; complex to real takes the real part."""
        if x.dtype == dtype:
            return x if x.weak is None else x._replace(weak=None)
        if x.fixed:
            return Lane(converted(x.value, dtype), dtype, None, fixed=True)
        if dtype.kind == "c":
            real = real_dtype(dtype)
            parts = [self.cast(self.part(x, k), real) for k in (0, 1)]
            return self.joined([self.register(p) for p in parts], dtype)
        if x.dtype.kind == "c":
            return self.cast(self.part(x, 0), dtype)
        if dtype.kind == "b":
            return self.truth(x)
        source, target = register_type(x.dtype), register_type(dtype)
        if source == target:
            return Lane(x.value, dtype)
        made = self.code.op(f"{conversion(x.dtype, dtype)} {source} {x.value} to {target}")
        if x.dtype.kind == "f" and dtype.kind != "f":  # out of range: some number, as in NumPy
            made = self.code.op(f"freeze {target} {made}")
        return Lane(made, dtype)

    def together(self, *xs: Lane, inexact: bool = False) -> list[Lane]:
        """The numbers in the dtype that NumPy promotes them to."""
        dtype = xs[0].dtype
        if any(x.weak is not None or x.dtype != dtype for x in xs):
            dtype = promote(*(x.aval for x in xs))
        if inexact and dtype.kind not in "fc":
            dtype = np.dtype(np.float64)
        return [self.cast(x, dtype) for x in xs]

    def inexact(self, x: Lane) -> Lane:
        """A float or complex number."""
        return self.together(x, inexact=True)[0]

    def truth(self, x: Lane) -> Lane:
        """Whether a number is not zero."""
        if x.dtype.kind == "b":
            return x
        if x.fixed:
            return Lane(bool(x.value), BOOL, None, fixed=True)
        return self.compare("not_equal", x, Lane(0, x.dtype, None, fixed=True))

    def part(self, x: Lane, k: int) -> Lane:
        """The real (0) or imaginary (1) part."""
        if x.dtype.kind != "c":
            return x if k == 0 else Lane(0, x.dtype, None, fixed=True)
        real = real_dtype(x.dtype)
        if x.fixed:
            value = complex(x.value)
            return Lane((value.real, value.imag)[k], real, None, fixed=True)
        return Lane(x.value[k], real)

    # Arithmetic

    def binary(self, float_op: str, int_op: str, x: Lane, y: Lane) -> Lane:
        """An instruction on two real numbers of one dtype."""
        type_ = register_type(x.dtype)
        op = f"{float_op} contract" if x.dtype.kind == "f" else int_op
        return Lane(self.code.op(f"{op} {type_} {self.register(x)}, {self.register(y)}"), x.dtype)

    def each(self, float_op: str, int_op: str, x: Lane, y: Lane) -> Lane:
        """The same instruction on both parts of complex numbers."""
        if x.dtype.kind != "c":
            return self.binary(float_op, int_op, x, y)
        made = [
            self.register(self.binary(float_op, int_op, self.part(x, k), self.part(y, k)))
            for k in (0, 1)
        ]
        return self.joined(made, x.dtype)

    def add(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        return self.bits("logical_or", x, y) if x.dtype == BOOL else self.each("fadd", "add", x, y)

    def subtract(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        return self.each("fsub", "sub", x, y)

    def multiply(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        if x.dtype == BOOL:
            return self.bits("logical_and", x, y)
        if x.dtype.kind != "c":
            return self.binary("fmul", "mul", x, y)
        (a, b), (c, d) = ((self.part(z, 0), self.part(z, 1)) for z in (x, y))
        mul = self.multiply
        real, imag = self.subtract(mul(a, c), mul(b, d)), self.add(mul(a, d), mul(b, c))
        return self.joined([self.register(real), self.register(imag)], x.dtype)

    def divide(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y, inexact=True)
        return self.smith(x, y) if x.dtype.kind == "c" else self.binary("fdiv", "sdiv", x, y)

    def smith(self, x: Lane, y: Lane) -> Lane:
        """X / y of complex numbers, by the smaller part of y over the larger, as NumPy has it.

        R. L. Smith, Algorithm 116: Complex division, 1962.
        """
        (a, b), (c, d) = ((self.part(z, 0), self.part(z, 1)) for z in (x, y))
        wide = self.compare("greater_equal", self.absolute(c), self.absolute(d))
        large, small = self.select(wide, c, d), self.select(wide, d, c)
        first, second = self.select(wide, a, b), self.select(wide, b, a)
        ratio = self.divide(small, large)
        whole = self.add(large, self.multiply(small, ratio))
        straight = self.add(first, self.multiply(second, ratio))
        across = self.multiply(first, ratio)
        turned = self.select(wide, self.subtract(second, across), self.subtract(across, second))
        by_zero = self.compare("equal", large, self.constant(0, large))  # each part, by |0|
        whole = self.select(by_zero, self.absolute(c), whole)
        real = self.divide(self.select(by_zero, a, straight), whole)
        imag = self.divide(self.select(by_zero, b, turned), whole)
        return self.joined([self.register(real), self.register(imag)], x.dtype)

    def reciprocal(self, x: Lane) -> Lane:
        if x.dtype.kind == "c":
            return self.math("reciprocal", x)
        if x.dtype.kind != "f":
            raise NoNativeForm("the reciprocal of other than floats is left to NumPy")
        return self.divide(self.constant(1, x), x)

    def negative(self, x: Lane) -> Lane:
        if x.dtype.kind in "iu":
            return self.subtract(self.constant(0, x), x)
        type_ = register_type(real_dtype(x.dtype))
        return self.joined([self.code.op(f"fneg {type_} {r}") for r in self.parts(x)], x.dtype)

    def scaled(self, x: Lane, factor: float) -> Lane:
        x = self.inexact(x)
        return self.multiply(x, self.constant(factor, x))

    def power(self, x: Lane, y: Lane) -> Lane:
        dtype = promote(x.aval, y.aval)
        if dtype.kind == "c":
            return self.complex_power(self.cast(x, dtype), y)
        if y.fixed and (dtype.kind == "f" or float(y.value) in (1, 2)):
            base, exponent = self.cast(x, dtype), float(y.value)
            if exponent in (1, 2, 3, 4):
                square = self.multiply(base, base)
                return {1: lambda: base, 2: lambda: square,
                        3: lambda: self.multiply(square, base),
                        4: lambda: self.multiply(square, square)}[int(exponent)]()  # fmt: skip
            if exponent == 0:
                return self.constant(1, base)
            if exponent == -1:
                return self.reciprocal(base)
            if exponent == 0.5:
                return self.intrinsic("sqrt", base)
        if dtype.kind != "f":
            raise NoNativeForm("powers of integers are left to NumPy")
        return self.math("power", self.cast(x, dtype), self.cast(y, dtype))

    def complex_power(self, x: Lane, y: Lane) -> Lane:
        """A known whole power below 100 by products, as NumPy has it."""
        if y.fixed and y.value == 0.5:
            return self.math("sqrt", x)
        exponent = complex(y.value) if y.fixed else 0.5j
        if exponent.imag or not exponent.real.is_integer() or abs(exponent) >= 100:
            return self.math("power", x, self.cast(y, x.dtype))
        n = int(exponent.real)
        found, square = self.constant(1, x), x
        for k in range(abs(n).bit_length()):
            if abs(n) >> k & 1:
                found = square if found.fixed else self.multiply(square, found)
            square = self.multiply(square, square)
        return self.reciprocal(found) if n < 0 else found

    def absolute(self, x: Lane) -> Lane:
        if x.dtype.kind == "c":
            return self.math("hypot", self.part(x, 0), self.part(x, 1))
        if x.dtype.kind == "f":
            return self.intrinsic("fabs", x)
        if x.dtype.kind == "i":
            return self.select(self.compare("less", x, self.constant(0, x)), self.negative(x), x)
        return x

    def conjugate(self, x: Lane) -> Lane:
        if x.dtype.kind != "c":
            return x
        real, imag = self.part(x, 0), self.negative(self.part(x, 1))
        return self.joined([self.register(real), self.register(imag)], x.dtype)

    def floor_divide(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        if x.dtype.kind in "iu":
            return self.whole_division(x, y)[0]
        if x.dtype.kind != "f":
            raise NoNativeForm("floor division of other than real numbers is left to NumPy")
        zero, one = self.constant(0, x), self.constant(1, x)
        rest = self.math("fmod", x, y)
        quotient = self.divide(self.subtract(x, rest), y)
        across = self.bits("bitwise_xor", self.compare("less", y, zero),
                           self.compare("less", rest, zero))  # fmt: skip
        below = self.bits("logical_and", self.compare("not_equal", rest, zero), across)
        quotient = self.select(below, self.subtract(quotient, one), quotient)
        floor = self.intrinsic("floor", quotient)
        up = self.compare("greater", self.subtract(quotient, floor), self.constant(0.5, x))
        floor = self.select(up, self.add(floor, one), floor)
        plain = self.divide(x, y)
        signed = self.intrinsic("copysign", zero, plain)
        floor = self.select(self.compare("equal", quotient, zero), signed, floor)
        return self.select(self.compare("equal", y, zero), plain, floor)

    def remainder(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        if x.dtype.kind in "iu":
            return self.whole_division(x, y)[1]
        return self.math("remainder", x, y)

    def fmod(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        if x.dtype.kind in "iu":
            raise NoNativeForm("fmod of integers is left to NumPy")
        return self.math("fmod", x, y)

    def whole_division(self, x: Lane, y: Lane) -> tuple[Lane, Lane]:
        """The floor of x / y of integers, and what is left; 0 and 0 where y is 0, as in NumPy.

        Machines trap on division by 0, and of the least integer by -1.
        """
        zero, one = self.constant(0, x), self.constant(1, x)
        none = self.compare("equal", y, zero)
        kind = "s" if x.dtype.kind == "i" else "u"
        if kind == "s":
            turned = self.compare("equal", y, self.constant(-1, x))
            safe = self.select(self.bits("logical_or", none, turned), one, y)
        else:
            safe = self.select(none, one, y)
        quotient = self.binary("", f"{kind}div", x, safe)
        rest = self.binary("", f"{kind}rem", x, safe)
        if kind == "s":
            signs = self.bits("bitwise_xor", self.compare("less", rest, zero),
                              self.compare("less", y, zero))  # fmt: skip
            below = self.bits("logical_and", self.compare("not_equal", rest, zero), signs)
            quotient = self.select(below, self.subtract(quotient, one), quotient)
            rest = self.select(below, self.add(rest, y), rest)
            quotient = self.select(turned, self.negative(x), quotient)
        return self.select(none, zero, quotient), self.select(none, zero, rest)

    def sign(self, x: Lane) -> Lane:
        if x.dtype.kind not in "fi":
            raise NoNativeForm("the sign of other than real numbers is left to NumPy")
        zero = self.constant(0, x)
        above = self.select(self.compare("greater", x, zero), self.constant(1, x), zero)
        sign = self.select(self.compare("less", x, zero), self.constant(-1, x), above)
        return self.select(self.isnan(x), x, sign)

    def heaviside(self, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y, inexact=True)
        zero, one = self.constant(0, x), self.constant(1, x)
        step = self.select(self.compare("less", x, zero), zero, one)
        tied = self.select(self.compare("equal", x, zero), y, step)
        return self.select(self.isnan(x), x, tied)

    def copysign(self, x: Lane, y: Lane) -> Lane:
        return self.intrinsic("copysign", *self.together(x, y, inexact=True))

    # Order

    def compare(self, name: str, x: Lane, y: Lane) -> Lane:
        x, y = self.together(x, y)
        if x.dtype.kind == "c":
            first, second = ((self.part(x, k), self.part(y, k)) for k in (0, 1))
            if name not in ("equal", "not_equal"):
                return self.alphabetical(name, first, second)
            each = [self.compare(name, *pair) for pair in (first, second)]
            return self.bits("logical_and" if name == "equal" else "logical_or", *each)
        how = COMPARISONS[name]
        type_ = register_type(x.dtype)
        op = (f"fcmp {how[0]}" if x.dtype.kind == "f" else
              f"icmp {how[1] if x.dtype.kind == 'i' else how[2]}")  # fmt: skip
        return Lane(self.code.op(f"{op} {type_} {self.register(x)}, {self.register(y)}"), BOOL)

    def alphabetical(self, name: str, first: tuple[Lane, Lane], second: tuple[Lane, Lane]) -> Lane:
        """The order of complex numbers: by real parts, and by imaginary parts where those tie."""
        strict = self.compare(name.removesuffix("_equal"), *first)
        either = self.bits("logical_or", *(self.isnan(part) for part in second))
        strict = self.bits("logical_and", strict, self.logical_not(either))
        tied = self.bits("logical_and", self.compare("equal", *first), self.compare(name, *second))
        return self.bits("logical_or", strict, tied)

    def extreme(self, better: str, x: Lane, y: Lane) -> Lane:
        """The one that is better, NaN where either is."""
        x, y = self.together(x, y)
        first = self.compare(better, x, y)
        if x.dtype.kind in "fc":
            first = self.bits("logical_or", first, self.isnan(x))
        return self.select(first, x, y)

    def maximum(self, x: Lane, y: Lane) -> Lane:
        return self.extreme("greater_equal", x, y)

    def minimum(self, x: Lane, y: Lane) -> Lane:
        return self.extreme("less_equal", x, y)

    def forgiving(self, better: str, x: Lane, y: Lane) -> Lane:
        """The one that is better, the other where one is NaN."""
        x, y = self.together(x, y)
        if x.dtype.kind not in "fc":
            return self.extreme(better, x, y)
        first = self.bits("logical_or", self.compare(better, x, y), self.isnan(y))
        return self.select(first, x, y)

    def fmax(self, x: Lane, y: Lane) -> Lane:
        return self.forgiving("greater_equal", x, y)

    def fmin(self, x: Lane, y: Lane) -> Lane:
        return self.forgiving("less_equal", x, y)

    def clip(self, x: Lane, low: Lane, high: Lane) -> Lane:
        return self.minimum(self.maximum(x, low), high)

    # Truths and bits

    def bits(self, name: str, x: Lane, y: Lane) -> Lane:
        if name.startswith("logical"):
            x, y = self.truth(x), self.truth(y)
        x, y = self.together(x, y)
        if x.dtype.kind not in "biu":
            raise NoNativeForm(f"{name} of other than integers is left to NumPy")
        op = f"{BITS[name]} {register_type(x.dtype)}"
        return Lane(self.code.op(f"{op} {self.register(x)}, {self.register(y)}"), x.dtype)

    def logical_not(self, x: Lane) -> Lane:
        return Lane(self.code.op(f"xor i1 {self.register(self.truth(x))}, true"), BOOL)

    def invert(self, x: Lane) -> Lane:
        if x.dtype == BOOL:
            return self.logical_not(x)
        return Lane(self.code.op(f"xor {register_type(x.dtype)} {self.register(x)}, -1"), x.dtype)

    def shifted(self, op: str, x: Lane, y: Lane) -> Lane:
        """A shift by constant bits that are within the width; bools shift as 8 bits."""
        x, y = self.together(x, y)
        if x.dtype == BOOL:
            x, y = self.cast(x, BYTE), self.cast(y, BYTE)
        if not y.fixed or not 0 <= y.value < 8 * x.dtype.itemsize:
            raise NoNativeForm("a shift by bits that are not known is left to NumPy")
        return Lane(
            self.code.op(f"{op} {register_type(x.dtype)} {self.register(x)}, {y.value}"), x.dtype
        )

    def left_shift(self, x: Lane, y: Lane) -> Lane:
        return self.shifted("shl", x, y)

    def right_shift(self, x: Lane, y: Lane) -> Lane:
        return self.shifted("lshr" if x.dtype.kind == "u" else "ashr", x, y)

    def isnan(self, x: Lane) -> Lane:
        if x.dtype.kind in "biu":
            return Lane(False, BOOL, None, fixed=True)
        return self.compare("not_equal", x, x)

    def isinf(self, x: Lane) -> Lane:
        if x.dtype.kind == "c":
            each = [self.isinf(self.part(x, k)) for k in (0, 1)]
            return self.bits("logical_or", *each)
        if x.dtype.kind != "f":
            return Lane(False, BOOL, None, fixed=True)
        return self.compare("equal", self.absolute(x), self.constant(np.inf, x))

    def isfinite(self, x: Lane) -> Lane:
        if x.dtype.kind == "c":
            each = [self.isfinite(self.part(x, k)) for k in (0, 1)]
            return self.bits("logical_and", *each)
        if x.dtype.kind != "f":
            return Lane(True, BOOL, None, fixed=True)
        return self.compare("less", self.absolute(x), self.constant(np.inf, x))

    def signbit(self, x: Lane) -> Lane:
        if x.dtype.kind != "f":
            return self.compare("less", x, self.constant(0, x))
        type_, bits = memory_type(x.dtype), 8 * x.dtype.itemsize
        raw = self.code.op(f"bitcast {type_} {self.register(x)} to i{bits}")
        return Lane(self.code.op(f"icmp slt i{bits} {raw}, 0"), BOOL)

    # Functions

    def intrinsic(self, name: str, *xs: Lane) -> Lane:
        """One of LLVM's own functions."""
        x = xs[0]
        if x.dtype.kind != "f":
            raise NoNativeForm(f"{name} of other than floats is left to NumPy")
        type_ = memory_type(x.dtype)
        llvm = f"@llvm.{INTRINSICS.get(name, name)}.f{8 * x.dtype.itemsize}"
        arguments = ", ".join(f"{type_} {self.register(each)}" for each in xs)
        self.code.module.declare(llvm, f"declare {type_} {llvm}({', '.join([type_] * len(xs))})")
        return Lane(self.code.op(f"call {type_} {llvm}({arguments})"), x.dtype)

    def math(self, name: str, *xs: Lane) -> Lane:
        """A function of the vector library; of complex numbers, its results are a structure."""
        dtype = xs[0].dtype
        if dtype.kind not in "fc" or real_dtype(dtype).itemsize not in (4, 8):
            raise NoNativeForm(f"{name} of other than numbers is left to NumPy")
        type_, is_complex = memory_type(dtype), dtype.kind == "c"
        emit = called if self.once else inlined
        known = f"complex.{name}" if is_complex else name
        value = emit(self.code, known, type_, [part for x in xs for part in self.parts(x)])
        if value is None:
            raise NoNativeForm(f"{name} of {dtype} has no native form")
        if not is_complex:
            return Lane(value, dtype)
        return self.joined(self.code.parts(value, type_, 2), dtype)


def converted(value: Number, dtype: Dtype) -> Number:
    """A constant in another dtype, as NumPy casts it."""
    if dtype.kind != "c" and isinstance(value, complex):
        value = value.real
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype).item()  # type: ignore[no-any-return]


def conversion(source: Dtype, target: Dtype) -> str:
    """LLVM's instruction from one real dtype to another of another register type."""
    if source.kind == "b":
        return "uitofp" if target.kind == "f" else "zext"
    if source.kind == "f":
        if target.kind == "f":
            return "fpext" if target.itemsize > source.itemsize else "fptrunc"
        return "fptosi" if target.kind == "i" else "fptoui"
    if target.kind == "f":
        return "sitofp" if source.kind == "i" else "uitofp"
    if target.itemsize < source.itemsize:
        return "trunc"
    return "sext" if source.kind == "i" else "zext"
