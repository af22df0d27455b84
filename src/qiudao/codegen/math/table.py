"""Which function is built how, by the names of NumPy's and of SciPy's special functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..code import Code, Module, Register
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

COMPLEX_UNARY: dict[str, Callable[[Complex], Complex]] = {
    "arccos": complex_inverse.arccos,
    "arccosh": complex_inverse.arccosh,
    "arcsin": complex_inverse.arcsin,
    "arcsinh": complex_inverse.arcsinh,
    "arctan": complex_inverse.arctan,
    "arctanh": complex_inverse.arctanh,
    "cos": complex_hyperbolic.cos,
    "cosh": complex_hyperbolic.cosh,
    "exp": complexes.exp,
    "exp2": complexes.exp2,
    "expm1": complexes.expm1,
    "log": complexes.log,
    "log10": complexes.log10,
    "log1p": complexes.log1p,
    "log2": complexes.log2,
    "reciprocal": complexes.reciprocal,
    "sech": complex_hyperbolic.sech,
    "sign": complexes.sign,
    "sin": complex_hyperbolic.sin,
    "sinh": complex_hyperbolic.sinh,
    "sqrt": complexes.sqrt,
    "tan": complex_hyperbolic.tan,
    "tanh": complex_hyperbolic.tanh,
}

COMPLEX_BINARY: dict[str, Callable[[Complex, Complex], Complex]] = {
    "power": complex_powers.power,
}

PURE = "nounwind willreturn memory(none)"
ATTRIBUTES = f"alwaysinline {PURE}"


class Signature(NamedTuple):
    """How a function of real or complex numbers is called: each part is a parameter."""

    symbol: str
    parameters: tuple[str, ...]
    type_: str
    result: str

    def given(self) -> str:
        """The parameters with their types."""
        return ", ".join(f"{self.type_} {name}" for name in self.parameters)


def signature(name: str, type_: str, is_complex: bool) -> Signature | None:
    """That of the function `name`; None where there is no such function."""
    if type_ not in FORMATS:
        return None
    suffix = FORMATS[type_].name
    if is_complex:
        if name not in COMPLEX_UNARY and name not in COMPLEX_BINARY:
            return None
        parameters = ("%x.re", "%x.im", "%y.re", "%y.im")[: 2 if name in COMPLEX_UNARY else 4]
        return Signature(f"@qd.complex.{name}.{suffix}", parameters, type_, f"{{{type_}, {type_}}}")
    if name not in UNARY and name not in BINARY:
        return None
    parameters = ("%x", "%y")[: 1 if name in UNARY else 2]
    return Signature(f"@qd.{name}.{suffix}", parameters, type_, type_)


def function(module: Module, name: str, type_: str, *, is_complex: bool = False) -> str | None:
    """Define the function `name` of `float` or `double` operands, once, and name its symbol.

    None where there is no such function.  Callers emit `call double @qd.exp.f64(double %x)`; a
    complex function takes both parts of each operand, and returns the two of its result.
    """
    found = signature(name, type_, is_complex)
    if found is None:
        return None
    if found.symbol in module.definitions:
        return found.symbol
    code = Code(module)
    lanes = [Lane(code, parameter, type_) for parameter in found.parameters]
    code.do(f"ret {found.result} {written(code, name, lanes, found.result)}")
    head = f"{found.symbol}({found.given()})"
    return module.define(found.symbol, code.function(head, f"internal {found.result}", ATTRIBUTES))


def written(code: Code, name: str, lanes: list[Lane], type_: str) -> Register:
    """The instructions of a function, and where its result is."""
    if type_ in FORMATS:
        return (UNARY if name in UNARY else BINARY)[name](*lanes).register
    pairs = [Complex(*lanes[k : k + 2]) for k in range(0, len(lanes), 2)]
    re, im = (COMPLEX_UNARY if name in COMPLEX_UNARY else COMPLEX_BINARY)[name](*pairs)
    half = code.op(f"insertvalue {type_} poison, {re.type_} {re.register}, 0")
    return code.op(f"insertvalue {type_} {half}, {im.type_} {im.register}, 1")


def called(module: Module, name: str, type_: str, *, is_complex: bool = False) -> str | None:
    """The same function as one that stays one, rather than becoming part of its callers.

    It is one for all programs of the process where the module can call such.
    """
    found = signature(name, type_, is_complex)
    if found is None:
        return None
    result, given = found.result, found.given()
    symbol = f"{found.symbol}.called"

    def define(module: Module, linkage: str = "") -> None:
        inner = function(module, name, type_, is_complex=is_complex)
        head = f"define {linkage}{result} {symbol}({given}) noinline {PURE}"
        body = f"%result = call {result} {inner}({given})\n  ret {result} %result"
        module.define(symbol, f"{head} {{\n  {body}\n}}")

    if module.resident is None:
        define(module, "internal ")
        return symbol
    types = ", ".join([type_] * len(found.parameters))
    find = module.resident(symbol.removeprefix("@"), define, "straight")
    return module.declare(symbol, f"declare {result} {symbol}({types}) {PURE}", find)
