"""Which function is built how, by the names of NumPy's and of SciPy's special functions."""

from __future__ import annotations

from collections.abc import Callable

from ..code import Code, Module
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
    "cos": trigonometric.cos,
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
    "sin": trigonometric.sin,
    "sinh": hyperbolic.sinh,
    "sqrt": elementary.sqrt,
    "tan": trigonometric.tan,
    "tanh": hyperbolic.tanh,
    "trunc": elementary.trunc,
}

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


def function(module: Module, name: str, type_: str) -> str | None:
    """Define the function `name` of `float` or `double` operands, once, and name its symbol.

    None where there is no such function.  Callers emit `call double @qd.exp.f64(double %x)`.
    """
    if type_ not in FORMATS:
        return None
    symbol = f"@qd.{name}.{FORMATS[type_].name}"
    if symbol in module.definitions:
        return symbol
    code = Code(module)
    x, y = Lane(code, "%x", type_), Lane(code, "%y", type_)
    if name in UNARY:
        result, parameters = UNARY[name](x), f"{type_} %x"
    elif name in BINARY:
        result, parameters = BINARY[name](x, y), f"{type_} %x, {type_} %y"
    else:
        return None
    code.do(f"ret {type_} {result.register}")
    head = f"{symbol}({parameters})"
    return module.define(symbol, code.function(head, f"internal {type_}", ATTRIBUTES))


def called(module: Module, name: str, type_: str) -> str | None:
    """The same function as one that stays one, rather than becoming part of its callers.

    It is one for all programs of the process where the module can call such.
    """
    if type_ not in FORMATS or not (name in UNARY or name in BINARY):
        return None
    symbol = f"@qd.{name}.{FORMATS[type_].name}.called"
    names = ["%x", "%y"][: 1 if name in UNARY else 2]

    def define(module: Module, linkage: str = "") -> None:
        given = ", ".join(f"{type_} {x}" for x in names)
        inner = f"%result = call {type_} {function(module, name, type_)}({given})"
        head = f"define {linkage}{type_} {symbol}({given}) noinline {PURE}"
        module.define(symbol, f"{head} {{\n  {inner}\n  ret {type_} %result\n}}")

    if module.resident is None:
        define(module, "internal ")
        return symbol
    types = ", ".join([type_] * len(names))
    find = module.resident(symbol.removeprefix("@"), define, "straight")
    return module.declare(symbol, f"declare {type_} {symbol}({types}) {PURE}", find)
