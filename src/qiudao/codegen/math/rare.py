"""A slow path for rare operands, in a loop that still runs on vectors.

The slow path is a function that is not inlined, called in a block that other operands skip.  For
LLVM's loop vectoriser it has variants of several widths, declared by the attribute
"vector-function-abi-variant": each takes a vector and a mask, returns at once where the mask is
empty, and else takes the lanes one after another.  The variants keep all registers
(`preserve_allcc`), so that a loop that calls one holds its constants in registers.

Measured on the sine of doubles, four to a vector: 7.5 ns an element, against 7.0 without any slow
path.  Without the variants LLVM leaves the loop scalar, at 15 ns.
"""

from __future__ import annotations

from collections.abc import Callable

from ..code import Code, Module
from .lane import Lane

WIDTHS = {"double": (2, 4, 8), "float": (4, 8, 16)}  # vectors of 128, 256 and 512 bits
ATTRIBUTES = "noinline nounwind willreturn memory(none)"
SHORT = f"optsize minsize {ATTRIBUTES}"  # keeps loops over lanes as loops
VARIANT = "internal preserve_allcc"


def unless_rare(
    usual: Lane, is_rare: Lane, name: str, slow: Callable[[Lane], Lane], x: Lane
) -> Lane:
    """`usual`, but `slow(x)` where x is rare; `name` is that of the function that holds `slow`."""
    code, type_ = x.code, x.type_
    symbol = _scalar(code.module, f"{name}.{x.format.name}", slow, type_)
    variants = ",".join(
        f"_ZGV_LLVM_M{width}v_{symbol}({_vector(code.module, symbol, width, type_)})"
        for width in WIDTHS[type_]
        if width * x.format.width <= 8 * code.module.widest
    )
    here = code.block
    with code.when(is_rare.register):
        there = code.block
        noted = f' "vector-function-abi-variant"="{variants}"' if variants else ""
        other = x.op(f"call {type_} @{symbol}({type_} {x.register}){noted}")
    return x.op(f"phi {type_} [ {usual.register}, %{here} ], [ {other.register}, %{there} ]")


def _scalar(module: Module, symbol: str, slow: Callable[[Lane], Lane], type_: str) -> str:
    """The slow path as a function of one number."""
    if f"@{symbol}" in module.definitions or f"@{symbol}" in module.declarations:
        return symbol

    def define(module: Module, linkage: str = "") -> None:
        code = Code(module)
        result = slow(Lane(code, "%x", type_))
        code.do(f"ret {type_} {result.register}")
        head = f"@{symbol}({type_} %x)"
        module.define(f"@{symbol}", code.function(head, f"{linkage}{type_}", ATTRIBUTES))

    if module.resident is None:
        define(module, "internal ")
    else:
        find = module.resident(symbol, define, "quick")
        text = f"declare {type_} @{symbol}({type_}) nounwind willreturn memory(none)"
        module.declare(f"@{symbol}", text, find)
    return symbol


def _vector(module: Module, symbol: str, width: int, type_: str) -> str:
    """The slow path as a function of a vector and a mask.

    The test for an empty mask stands in a function of its own, which has no registers to save.
    """
    variant = f"{symbol}.x{width}"
    if f"@{variant}" in module.definitions:
        return variant
    vector, mask = f"<{width} x {type_}>", f"<{width} x i1>"
    parameters = f"({vector} %x, {mask} %mask)"
    kind = f"{VARIANT} {vector}"

    code = Code(module)
    values, flags = code.alloca(vector), code.alloca("i8", width)
    code.do(f"store {vector} %x, ptr {values}")
    code.do(f"store <{width} x i8> {code.op(f'zext {mask} %mask to <{width} x i8>')}, ptr {flags}")
    with code.loop(width) as i:
        flag = code.op(f"load i8, ptr {code.op(f'getelementptr i8, ptr {flags}, i64 {i}')}")
        with code.when(code.op(f"trunc i8 {flag} to i1")):
            place = code.op(f"getelementptr {type_}, ptr {values}, i64 {i}")
            value = code.op(f"load {type_}, ptr {place}")
            result = code.op(f"call {type_} @{symbol}({type_} {value})")
            code.do(f"store {type_} {result}, ptr {place}")
    code.do(f"ret {vector} {code.op(f'load {vector}, ptr {values}')}")
    lanes = f"@{variant}.lanes"
    module.define(lanes, code.function(f"{lanes}{parameters}", kind, SHORT))

    code = Code(module)
    some, none = code.label("some"), code.label("none")
    flagged = code.op(f"bitcast {mask} %mask to i{width}")
    code.branch(code.op(f"icmp ne i{width} {flagged}, 0"), some, none)
    code.start(some)
    result = code.op(f"call preserve_allcc {vector} {lanes}{parameters}")
    code.do(f"ret {vector} {result}")
    code.start(none)
    code.do(f"ret {vector} %x")
    module.define(f"@{variant}", code.function(f"@{variant}{parameters}", kind, ATTRIBUTES))
    _keep_variants(module)
    return variant


def _keep_variants(module: Module) -> None:
    """Have LLVM keep the variants, which nothing calls until the vectoriser looks for them."""
    kept = [n for n, text in module.definitions.items() if text.startswith(f"define {VARIANT}")]
    listed = ", ".join(f"ptr {name}" for name in kept)
    used = "@llvm.compiler.used"
    module.definitions[used] = (
        f'{used} = appending global [{len(kept)} x ptr] [{listed}], section "llvm.metadata"'
    )
