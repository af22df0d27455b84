"""A slow path for rare operands, in a loop that still runs on vectors.

The slow path is a function that is not inlined, called in a block that other operands skip.  For
LLVM's loop vectoriser it has variants of several widths, declared by the attribute
"vector-function-abi-variant": each takes a vector and a mask, returns at once where the mask is
empty, and else takes the lanes one after another.  The variants keep all registers
(`preserve_allcc`), so that a loop that calls one holds its constants in registers.

Several results of a slow path are one structure, of which LLVM's vectoriser makes one of vectors.

Measured on the sine of doubles, four to a vector: 4.7 ns an element, 0.5 of which look for rare
ones.  Without the variants LLVM leaves the loop scalar, at three times that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..code import Code, Module, Register, structure_type
from .lane import Lane

WIDTHS = {"double": (2, 4, 8), "float": (4, 8, 16)}  # vectors of 128, 256 and 512 bits
ATTRIBUTES = "noinline nounwind willreturn memory(none)"
SHORT = f"optsize minsize {ATTRIBUTES}"  # keeps loops over lanes as loops
VARIANT = "internal preserve_allcc"


Lanes = tuple[Lane, ...]


def unless_rare(
    usual: Lanes, is_rare: Lane, name: str, slow: Callable[[Lane], Lanes], x: Lane
) -> Lanes:
    """`usual`, but `slow(x)` where x is rare; `name` is that of the function that holds `slow`.

    All are of the type of x.
    """
    code, type_ = x.code, x.type_
    slow_path = _Slow(code.module, f"{name}.{x.format.name}", type_, len(usual))
    slow_path.define(slow)
    variants = ",".join(
        f"_ZGV_LLVM_M{width}v_{slow_path.symbol}({slow_path.variant(width)})"
        for width in WIDTHS[type_]
        if width * x.format.width <= 8 * code.module.widest
    )
    here = code.block
    with code.when(is_rare.register):
        there = code.block
        noted = f' "vector-function-abi-variant"="{variants}"' if variants else ""
        call = f"call {slow_path.type_()} @{slow_path.symbol}({type_} {x.register}){noted}"
        others = slow_path.unpacked(code, code.op(call))
    return tuple(
        x.op(f"phi {type_} [ {a.register}, %{here} ], [ {b}, %{there} ]")
        for a, b in zip(usual, others, strict=True)
    )


class _Slow(NamedTuple):
    """A slow path: functions of a number, or of a vector and a mask, that return `results`."""

    module: Module
    symbol: str
    number: str  # the type of the operand and of each result
    results: int

    def each(self, width: int = 1) -> str:
        """The type of one result."""
        return self.number if width == 1 else f"<{width} x {self.number}>"

    def type_(self, width: int = 1) -> str:
        """The type of all results together: the vectoriser leaves structures of one alone."""
        each = self.each(width)
        return each if self.results == 1 else structure_type(each, self.results)

    def packed(self, code: Code, registers: list[Register], width: int = 1) -> Register:
        """The results as one value."""
        if self.results == 1:
            return registers[0]
        return code.structure(self.each(width), registers)

    def unpacked(self, code: Code, value: Register) -> list[Register]:
        """The results of a number in one value."""
        return [value] if self.results == 1 else code.parts(value, self.number, self.results)

    def define(self, slow: Callable[[Lane], Lanes]) -> None:
        """The function of one number."""
        module, symbol, result = self.module, self.symbol, self.type_()
        if f"@{symbol}" in module.definitions or f"@{symbol}" in module.declarations:
            return

        def define(module: Module, linkage: str = "") -> None:
            code = Code(module)
            lanes = slow(Lane(code, "%x", self.number))
            code.do(f"ret {result} {self.packed(code, [lane.register for lane in lanes])}")
            head = f"@{symbol}({self.number} %x)"
            module.define(f"@{symbol}", code.function(head, f"{linkage}{result}", ATTRIBUTES))

        if module.resident is None:
            define(module, "internal ")
        else:
            find = module.resident(symbol, define, "quick")
            text = f"declare {result} @{symbol}({self.number}) nounwind willreturn memory(none)"
            module.declare(f"@{symbol}", text, find)

    def variant(self, width: int) -> str:
        """The name of the function of a vector and a mask.

        The test for an empty mask stands in a function of its own, which has no registers to save.
        """
        name = f"{self.symbol}.x{width}"
        if f"@{name}" in self.module.definitions:
            return name
        vector, mask = f"<{width} x {self.number}>", f"<{width} x i1>"
        parameters, result = f"({vector} %x, {mask} %mask)", self.type_(width)
        kind = f"{VARIANT} {result}"
        lanes = f"@{name}.lanes"
        code = self.one_after_another(width)
        self.module.define(lanes, code.function(f"{lanes}{parameters}", kind, SHORT))

        code = Code(self.module)
        some, none = code.label("some"), code.label("none")
        flagged = code.op(f"bitcast {mask} %mask to i{width}")
        code.branch(code.op(f"icmp ne i{width} {flagged}, 0"), some, none)
        code.start(some)
        code.do(f"ret {result} {code.op(f'call preserve_allcc {result} {lanes}{parameters}')}")
        code.start(none)
        code.do(f"ret {result} poison")
        self.module.define(f"@{name}", code.function(f"@{name}{parameters}", kind, ATTRIBUTES))
        _keep_variants(self.module)
        return name

    def one_after_another(self, width: int) -> Code:
        """The lanes whose flag is set, each by the function of a number."""
        vector, mask, number = f"<{width} x {self.number}>", f"<{width} x i1>", self.number
        code = Code(self.module)
        values, flags = code.alloca(vector), code.alloca("i8", width)
        found = [code.alloca(vector) for _ in range(self.results)]
        code.do(f"store {vector} %x, ptr {values}")
        flag = code.op(f"zext {mask} %mask to <{width} x i8>")
        code.do(f"store <{width} x i8> {flag}, ptr {flags}")
        with code.loop(width) as i:
            flag = code.op(f"load i8, ptr {code.op(f'getelementptr i8, ptr {flags}, i64 {i}')}")
            with code.when(code.op(f"trunc i8 {flag} to i1")):
                place = code.op(f"getelementptr {number}, ptr {values}, i64 {i}")
                value = code.op(f"load {number}, ptr {place}")
                results = code.op(f"call {self.type_()} @{self.symbol}({number} {value})")
                for start, one in zip(found, self.unpacked(code, results), strict=True):
                    place = code.op(f"getelementptr {number}, ptr {start}, i64 {i}")
                    code.do(f"store {number} {one}, ptr {place}")
        loaded = [code.op(f"load {vector}, ptr {start}") for start in found]
        code.do(f"ret {self.type_(width)} {self.packed(code, loaded, width)}")
        return code


def _keep_variants(module: Module) -> None:
    """Have LLVM keep the variants, which nothing calls until the vectoriser looks for them."""
    kept = [n for n, text in module.definitions.items() if text.startswith(f"define {VARIANT}")]
    listed = ", ".join(f"ptr {name}" for name in kept)
    used = "@llvm.compiler.used"
    module.definitions[used] = (
        f'{used} = appending global [{len(kept)} x ptr] [{listed}], section "llvm.metadata"'
    )
