"""Which function is built how, by the names of NumPy's and of SciPy's special functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..code import Code, Module, Register, structure_type
from . import (
    complex_hyperbolic,
    complex_inverse,
    complex_powers,
    complexes,
    elementary,
    exponentials,
    hyperbolic,
    inverse,
    logarithms,
    powers,
    special,
    trigonometric,
)
from .complexes import Complex
from .lane import FORMATS, Lane

UNARY: dict[str, Callable[[Lane], Lane]] = {
    "absolute": elementary.absolute,
    "arccos": inverse.arccos,
    "arccosh": hyperbolic.arccosh,
    "arcsin": inverse.arcsin,
    "arcsinh": hyperbolic.arcsinh,
    "arctan": inverse.arctan,
    "arctanh": hyperbolic.arctanh,
    "cbrt": powers.cbrt,
    "ceil": elementary.ceil,
    "cosh": hyperbolic.cosh,
    "erf": special.erf,
    "erfc": special.erfc,
    "exp": exponentials.exp,
    "exp2": exponentials.exp2,
    "expm1": exponentials.expm1,
    "fabs": elementary.absolute,
    "floor": elementary.floor,
    "gammaln": special.gammaln,
    "log": logarithms.log,
    "log10": logarithms.log10,
    "log1p": logarithms.log1p,
    "log2": logarithms.log2,
    "rint": elementary.rint,
    "sech": hyperbolic.sech,
    "sign": elementary.sign,
    "sinh": hyperbolic.sinh,
    "sqrt": elementary.sqrt,
    "tan": trigonometric.tan,
    "tanh": hyperbolic.tanh,
    "trunc": elementary.trunc,
}

# Several functions of one operand that share work, and so are computed together.
TOGETHER: dict[str, Callable[[Lane], tuple[Lane, ...]]] = {"circle": trigonometric.circle}
PARTS = {"sin": ("circle", 0), "cos": ("circle", 1)}

BINARY: dict[str, Callable[[Lane, Lane], Lane]] = {
    "arctan2": inverse.arctan2,
    "copysign": elementary.copysign,
    "fmax": elementary.fmax,
    "fmin": elementary.fmin,
    "fmod": elementary.fmod,
    "hypot": powers.hypot,
    "logaddexp": logarithms.logaddexp,
    "logaddexp2": logarithms.logaddexp2,
    "maximum": elementary.maximum,
    "minimum": elementary.minimum,
    "power": powers.power,
    "remainder": elementary.remainder,
}

# Functions of complex numbers, whose parts are operands and results.
COMPLEX_UNARY: dict[str, Callable[[Complex], Complex]] = {
    "complex.arccos": complex_inverse.arccos,
    "complex.arccosh": complex_inverse.arccosh,
    "complex.arcsin": complex_inverse.arcsin,
    "complex.arcsinh": complex_inverse.arcsinh,
    "complex.arctan": complex_inverse.arctan,
    "complex.arctanh": complex_inverse.arctanh,
    "complex.cos": complex_hyperbolic.cos,
    "complex.cosh": complex_hyperbolic.cosh,
    "complex.exp": complexes.exp,
    "complex.exp2": complexes.exp2,
    "complex.expm1": complexes.expm1,
    "complex.log": complexes.log,
    "complex.log10": complexes.log10,
    "complex.log1p": complexes.log1p,
    "complex.log2": complexes.log2,
    "complex.reciprocal": complexes.reciprocal,
    "complex.sech": complex_hyperbolic.sech,
    "complex.sign": complexes.sign,
    "complex.sin": complex_hyperbolic.sin,
    "complex.sinh": complex_hyperbolic.sinh,
    "complex.sqrt": complexes.sqrt,
    "complex.tan": complex_hyperbolic.tan,
    "complex.tanh": complex_hyperbolic.tanh,
}

COMPLEX_BINARY: dict[str, Callable[[Complex, Complex], Complex]] = {
    "complex.power": complex_powers.power,
}

OPERANDS: dict[str, int] = {  # how many real numbers each takes
    **dict.fromkeys((*UNARY, *TOGETHER), 1),
    **dict.fromkeys((*BINARY, *COMPLEX_UNARY), 2),
    **dict.fromkeys(COMPLEX_BINARY, 4),
}
PARAMETERS = ("%x", "%y", "%z", "%w")

PURE = "nounwind willreturn memory(none)"
ATTRIBUTES = f"alwaysinline {PURE}"


def inlined(code: Code, name: str, type_: str, xs: Sequence[Register]) -> Register | None:
    """The value of the function `name` of `float` or `double` operands, in line.

    None where there is no such function.  Of complex numbers, each part is an operand; the value
    is a structure of two.
    """
    whole, part = PARTS.get(name, (name, None))
    symbol = function(code.module, whole, type_)
    if symbol is None:
        return None
    result = result_type(whole, type_)
    value = code.op(f"call {result} {symbol}({', '.join(f'{type_} {x}' for x in xs)})")
    return value if part is None else code.parts(value, type_, 2)[part]


def result_type(name: str, type_: str) -> str:
    """What the function returns: a number, or a structure where it is several."""
    several = name in TOGETHER or name in COMPLEX_UNARY or name in COMPLEX_BINARY
    return structure_type(type_, 2) if several else type_


def function(module: Module, name: str, type_: str) -> str | None:
    """Define the function `name`, once, and name its symbol, as in `@qd.exp.f64`."""
    if type_ not in FORMATS or name not in OPERANDS:
        return None
    symbol = f"@qd.{name}.{FORMATS[type_].name}"
    if symbol in module.definitions:
        return symbol
    code, names = Code(module), PARAMETERS[: OPERANDS[name]]
    registers = [x.register for x in results(name, [Lane(code, x, type_) for x in names])]
    result = result_type(name, type_)
    value = registers[0] if len(registers) == 1 else code.structure(type_, registers)
    code.do(f"ret {result} {value}")
    head = f"{symbol}({', '.join(f'{type_} {x}' for x in names)})"
    return module.define(symbol, code.function(head, f"internal {result}", ATTRIBUTES))


def results(name: str, xs: Sequence[Lane]) -> Sequence[Lane]:
    """The instructions of a function, and where its results are."""
    if name in TOGETHER:
        return TOGETHER[name](*xs)
    if name in COMPLEX_UNARY:
        return COMPLEX_UNARY[name](Complex(*xs))
    if name in COMPLEX_BINARY:
        return COMPLEX_BINARY[name](Complex(*xs[:2]), Complex(*xs[2:]))
    return [UNARY[name](*xs) if name in UNARY else BINARY[name](*xs)]


def called(code: Code, name: str, type_: str, xs: Sequence[Register]) -> Register | None:
    """The same value from a function that stays one, rather than becoming part of its callers.

    It is one for all programs of the process where the module can call such.
    """
    if type_ not in FORMATS or not (name in OPERANDS or name in PARTS):
        return None
    module, result = code.module, result_type(name, type_)
    symbol = f"@qd.{name}.{FORMATS[type_].name}.called"
    names = PARAMETERS[: len(xs)]
    parameters = ", ".join(f"{type_} {x}" for x in names)

    def define(module: Module, linkage: str = "") -> None:
        inner = Code(module)
        inner.do(f"ret {result} {inlined(inner, name, type_, names)}")
        head = f"{symbol}({parameters})"
        module.define(symbol, inner.function(head, f"{linkage}{result}", f"noinline {PURE}"))

    if module.resident is None:
        if symbol not in module.definitions:
            define(module, "internal ")
    else:
        types = ", ".join([type_] * len(xs))
        find = module.resident(symbol.removeprefix("@"), define, "straight")
        module.declare(symbol, f"declare {result} {symbol}({types}) {PURE}", find)
    return code.op(f"call {result} {symbol}({', '.join(f'{type_} {x}' for x in xs)})")
