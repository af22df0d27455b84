"""Arithmetic on one element, or on several lanes of them, of any dtype.

A `Number` is a tuple of registers: one for a real value, two for the parts of a complex one.
Sums may be taken in any order and products joined to them, as BLAS does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...core.avals import Dtype
from ..code import Buffer, Code, Register, floating, memory_type

Number = tuple[Register, ...]
Offset = int | Register

LOOSE = "reassoc contract"  # never what assumes that there are no NaNs


def part_type(dtype: Dtype, lanes: int = 1) -> str:
    """The type of one register of a number."""
    type_ = memory_type(dtype)
    return type_ if lanes == 1 else f"<{lanes} x {type_}>"


def real_part(dtype: Dtype) -> Dtype:
    """The dtype of the parts of a number."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def constant(value: float, dtype: Dtype) -> Number:
    """A whole number, or for real and complex dtypes any."""
    if dtype.kind in "biu":
        return (str(int(value)),)
    type_ = memory_type(dtype)
    parts = (value, 0.0) if dtype.kind == "c" else (value,)
    return tuple(floating(x, type_) for x in parts)


def nothing(dtype: Dtype, lanes: int = 1) -> Number:
    """Zero, in every lane."""
    zero = constant(0, dtype)
    return zero if lanes == 1 else ("zeroinitializer",) * len(zero)


def unaligned(dtype: Dtype) -> str:
    """What a load or store of lanes may assume."""
    return f", align {real_part(dtype).itemsize}"


def load(
    code: Code, buffer: Buffer, offset: Offset, to: Dtype | None = None, lanes: int = 1,
    stride: int = 1,
) -> Number:  # fmt: skip
    """Elements from `offset` on, as numbers of the dtype `to`; stride 0 repeats one."""
    dtype = buffer.dtype
    if lanes > 1 and stride not in (0, 1):
        return gather(code, buffer, offset, to or dtype, lanes, stride)
    if lanes > 1 and stride == 0:
        return splat(code, load(code, buffer, offset, to), to or dtype, lanes)
    place = code.address(buffer, offset)
    return convert(code, load_from(code, place, dtype, lanes), dtype, to or dtype, lanes)


def gather(
    code: Code, buffer: Buffer, offset: Offset, to: Dtype, lanes: int, stride: int
) -> Number:
    """Elements that lie apart, put into lanes one by one."""
    type_, wide = part_type(to), part_type(to, lanes)
    made: Number = ("poison",) * (2 if to.kind == "c" else 1)
    place = code.address(buffer, offset)
    for k in range(lanes):
        at = code.address(buffer._replace(pointer=place), k * stride)
        x = convert(code, load_from(code, at, buffer.dtype), buffer.dtype, to)
        made = tuple(
            code.op(f"insertelement {wide} {whole}, {type_} {part}, i32 {k}")
            for whole, part in zip(made, x, strict=True)
        )
    return made


def load_from(code: Code, place: Register, dtype: Dtype, lanes: int = 1) -> Number:
    """Neighbouring elements at an address."""
    place = code.checked(place, lanes * dtype.itemsize)
    align = unaligned(dtype)
    type_ = memory_type(dtype)
    if dtype.kind != "c":
        return (code.op(f"load {part_type(dtype, lanes)}, ptr {place}{align}"),)
    pair = f"<{2 * lanes} x {type_}>"
    both = code.op(f"load {pair}, ptr {place}{align}")
    if lanes == 1:
        return tuple(code.op(f"extractelement {pair} {both}, i32 {k}") for k in (0, 1))
    return tuple(
        code.op(f"shufflevector {pair} {both}, {pair} poison, {mask(range(k, 2 * lanes, 2))}")
        for k in (0, 1)
    )


def mask(places: Sequence[int]) -> str:
    """Which elements a shuffle takes."""
    return f"<{len(places)} x i32> <{', '.join(f'i32 {k}' for k in places)}>"


def store(code: Code, x: Number, buffer: Buffer, offset: Offset, lanes: int = 1) -> None:
    """Write neighbouring elements."""
    dtype = buffer.dtype
    place = code.checked(code.address(buffer, offset), lanes * dtype.itemsize)
    type_ = part_type(dtype, lanes)
    align = unaligned(dtype)
    if len(x) == 1:
        code.do(f"store {type_} {x[0]}, ptr {place}{align}")
        return
    pair = f"<{2 * lanes} x {memory_type(dtype)}>"
    if lanes == 1:
        both = code.op(f"insertelement {pair} poison, {type_} {x[0]}, i32 0")
        both = code.op(f"insertelement {pair} {both}, {type_} {x[1]}, i32 1")
    else:
        order = [k + lanes * part for k in range(lanes) for part in (0, 1)]
        both = code.op(f"shufflevector {type_} {x[0]}, {type_} {x[1]}, {mask(order)}")
    code.do(f"store {pair} {both}, ptr {place}{align}")


def splat(code: Code, x: Number, dtype: Dtype, lanes: int) -> Number:
    """The same number in every lane."""
    type_, wide = part_type(dtype), part_type(dtype, lanes)
    made = []
    for part in x:
        first = code.op(f"insertelement {wide} poison, {type_} {part}, i32 0")
        made.append(
            code.op(f"shufflevector {wide} {first}, {wide} poison, <{lanes} x i32> zeroinitializer")
        )
    return tuple(made)


def convert(code: Code, x: Number, source: Dtype, to: Dtype, lanes: int = 1) -> Number:
    """Numbers in a dtype that holds them all, or in one of the same kind."""
    if source == to:
        return x
    part, wanted = real_part(source), real_part(to)
    old, new = part_type(part, lanes), part_type(wanted, lanes)
    made = tuple(
        r if how is None else code.op(f"{how} {old} {r} to {new}")
        for how in [conversion(part, wanted)]
        for r in x
    )
    if to.kind == "c" and source.kind != "c":
        return (made[0], nothing(wanted, lanes)[0])
    return made


def conversion(source: Dtype, to: Dtype) -> str | None:
    """The instruction that makes one real type of another; None where the bits stay."""
    if to.kind == "f":
        if source.kind != "f":
            return "sitofp" if source.kind == "i" else "uitofp"
        if source.itemsize == to.itemsize:
            return None
        return "fpext" if source.itemsize < to.itemsize else "fptrunc"
    if source.itemsize == to.itemsize:
        return None
    if source.itemsize > to.itemsize:
        return "trunc"
    return "sext" if source.kind == "i" else "zext"


def one(code: Code, name: str, x: Register, y: Register, type_: str, flags: str) -> Register:
    """One instruction on two registers."""
    return code.op(f"{name} {flags} {type_} {x}, {y}" if flags else f"{name} {type_} {x}, {y}")


def add(
    code: Code, x: Number, y: Number, dtype: Dtype, lanes: int = 1, flags: str = LOOSE
) -> Number:
    """The sum x + y; for booleans "or"."""
    type_ = part_type(dtype, lanes)
    if dtype.kind in "biu":
        return (one(code, "or" if dtype.kind == "b" else "add", x[0], y[0], type_, ""),)
    return tuple(one(code, "fadd", p, q, type_, flags) for p, q in zip(x, y, strict=True))


def subtract(
    code: Code, x: Number, y: Number, dtype: Dtype, lanes: int = 1, flags: str = LOOSE
) -> Number:
    """The difference x - y, of numbers that are no booleans."""
    name = "sub" if dtype.kind in "iu" else "fsub"
    type_ = part_type(dtype, lanes)
    flags = flags if name == "fsub" else ""
    return tuple(one(code, name, p, q, type_, flags) for p, q in zip(x, y, strict=True))


def multiply(
    code: Code, x: Number, y: Number, dtype: Dtype, lanes: int = 1, flags: str = LOOSE
) -> Number:
    """The product x y; for booleans "and"."""
    type_ = part_type(dtype, lanes)
    if dtype.kind in "biu":
        return (one(code, "and" if dtype.kind == "b" else "mul", x[0], y[0], type_, ""),)
    if dtype.kind == "f":
        return (one(code, "fmul", x[0], y[0], type_, flags),)
    (a, b), (c, d) = x, y
    ac, bd, ad, bc = (
        one(code, "fmul", p, q, type_, flags) for p, q in ((a, c), (b, d), (a, d), (b, c))
    )
    return (one(code, "fsub", ac, bd, type_, flags), one(code, "fadd", ad, bc, type_, flags))


def conjugate(code: Code, x: Number, dtype: Dtype, lanes: int = 1) -> Number:
    """The complex conjugate; a real number as it is."""
    if len(x) == 1:
        return x
    return (x[0], code.op(f"fneg {part_type(dtype, lanes)} {x[1]}"))


def call_of_floats(code: Code, name: str, dtype: Dtype, *xs: Register) -> Register:
    """A call of a function of the C library, or of LLVM, for this precision."""
    type_ = part_type(dtype)
    if name.startswith("llvm."):
        full = f"@{name}.f{8 * dtype.itemsize}"
    else:
        full = f"@{name}" if type_ == "double" else f"@{name}f"
    code.module.declare(full, f"declare {type_} {full}({', '.join([type_] * len(xs))})")
    return code.op(f"call {type_} {full}({', '.join(f'{type_} {x}' for x in xs)})")


class Variable:
    """A number that changes: memory on the stack, which LLVM makes a register."""

    def __init__(self, code: Code, dtype: Dtype, lanes: int = 1) -> None:
        self.code = code
        self.type = part_type(dtype, lanes)
        self.places = [code.alloca(self.type) for _ in range(2 if dtype.kind == "c" else 1)]

    def get(self) -> Number:
        return tuple(self.code.op(f"load {self.type}, ptr {p}") for p in self.places)

    def set(self, x: Number) -> None:
        for part, place in zip(x, self.places, strict=True):
            self.code.do(f"store {self.type} {part}, ptr {place}")


def size_of(shape: Sequence[int], dtype: Dtype) -> int:
    """The bytes of an array, rounded up so that the next one is aligned for vectors."""
    return -(-math.prod(shape) * dtype.itemsize // 64) * 64
