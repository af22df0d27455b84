"""Which function is built how, by the names of NumPy's and of SciPy's special functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..code import Code, Module, Register
from . import (
    elementary,
    exponentials,
    hyperbolic,
    inverse,
    logarithms,
    powers,
    special,
    trigonometric,
)
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

PURE = "nounwind willreturn memory(none)"
ATTRIBUTES = f"alwaysinline {PURE}"


def inlined(code: Code, name: str, type_: str, xs: Sequence[Register]) -> Register | None:
    """The value of the function `name` of `float` or `double` operands, in line.

    None where there is no such function.
    """
    whole, part = PARTS.get(name, (name, None))
    symbol = function(code.module, whole, type_)
    if symbol is None:
        return None
    result = result_type(whole, type_)
    value = code.op(f"call {result} {symbol}({', '.join(f'{type_} {x}' for x in xs)})")
    return value if part is None else code.op(f"extractvalue {result} {value}, {part}")


def result_type(name: str, type_: str) -> str:
    """What the function returns: a number, or a structure where it is several."""
    return f"{{ {type_}, {type_} }}" if name in TOGETHER else type_


def function(module: Module, name: str, type_: str) -> str | None:
    """Define the function `name`, once, and name its symbol, as in `@qd.exp.f64`."""
    if type_ not in FORMATS:
        return None
    symbol = f"@qd.{name}.{FORMATS[type_].name}"
    if symbol in module.definitions:
        return symbol
    code = Code(module)
    x, y = Lane(code, "%x", type_), Lane(code, "%y", type_)
    result, parameters = result_type(name, type_), f"{type_} %x"
    if name in UNARY:
        value = UNARY[name](x).register
    elif name in BINARY:
        value, parameters = BINARY[name](x, y).register, f"{parameters}, {type_} %y"
    elif name in TOGETHER:
        value = code.structure(result, type_, [lane.register for lane in TOGETHER[name](x)])
    else:
        return None
    code.do(f"ret {result} {value}")
    text = code.function(f"{symbol}({parameters})", f"internal {result}", ATTRIBUTES)
    return module.define(symbol, text)


def called(code: Code, name: str, type_: str, xs: Sequence[Register]) -> Register | None:
    """The same value from a function that stays one, rather than becoming part of its callers.

    It is one for all programs of the process where the module can call such.
    """
    if type_ not in FORMATS or not (name in UNARY or name in BINARY or name in PARTS):
        return None
    module = code.module
    symbol = f"@qd.{name}.{FORMATS[type_].name}.called"
    names = ["%x", "%y"][: len(xs)]
    parameters = ", ".join(f"{type_} {x}" for x in names)

    def define(module: Module, linkage: str = "") -> None:
        inner = Code(module)
        inner.do(f"ret {type_} {inlined(inner, name, type_, names)}")
        head = f"{symbol}({parameters})"
        module.define(symbol, inner.function(head, f"{linkage}{type_}", f"noinline {PURE}"))

    if module.resident is None:
        if symbol not in module.definitions:
            define(module, "internal ")
    else:
        types = ", ".join([type_] * len(xs))
        find = module.resident(symbol.removeprefix("@"), define, "straight")
        module.declare(symbol, f"declare {type_} {symbol}({types}) {PURE}", find)
    return code.op(f"call {type_} {symbol}({', '.join(f'{type_} {x}' for x in xs)})")
