"""Arithmetic, functions of each element, comparisons and choices."""

from __future__ import annotations

import math

import numpy as np

from ....core.families import Elementwise
from ....core.primitive import Primitive
from ....ops import (
    arithmetic,
    complexes,
    conics,
    distances,
    logsums,
    remainders,
    rounding,
    selecting,
    smooth,
    statistics,
    stopping,
)
from ....ops.indexing import Whole
from .. import helpers
from ..code import Code, call, infix, method, prefix
from ..constants import number
from ..table import Phrase, spells

INFIX: dict[type[Primitive], str] = {
    arithmetic.Add: "+",
    arithmetic.Subtract: "-",
    arithmetic.Weigh: "*",
    remainders.Remainder: "%",
}
INFIX_FUNCTIONS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "floor_divide": "//", "left_shift": "<<", "right_shift": ">>",
}  # fmt: skip
FUNCTIONS: tuple[type[Elementwise], ...] = (
    complexes.Conjugate,
    distances.Absolute,
    distances.FAbs,
    distances.ComplexSign,
    distances.Hypot,
    distances.ArcTan2,
    logsums.LogAddExp,
    logsums.LogAddExp2,
    remainders.CopySign,
    remainders.FMod,
    remainders.Heaviside,
    remainders.LdExp,
    remainders.NextAfter,
    selecting.Clip,
    selecting.FMax,
    selecting.FMin,
    selecting.Maximum,
    selecting.Minimum,
    selecting.Where,
    smooth.ArcCos,
    smooth.ArcCosh,
    smooth.ArcSin,
    smooth.ArcSinh,
    smooth.ArcTan,
    smooth.ArcTanh,
    smooth.Cbrt,
    smooth.Cos,
    smooth.Cosh,
    smooth.Degrees,
    smooth.Exp,
    smooth.Exp2,
    smooth.ExpM1,
    smooth.Log,
    smooth.Log10,
    smooth.Log1P,
    smooth.Log2,
    smooth.Radians,
    smooth.Sin,
    smooth.Sinh,
    smooth.Sqrt,
    smooth.Tan,
    smooth.Tanh,
    statistics.Root,
)
ALIASES = {"absolute": "abs", "conjugate": "conj"}


@spells(*FUNCTIONS)
def function(p: Phrase) -> Code:
    """`np.sin(x)`."""
    name = type(p.primitive).ufunc.__name__
    return call(f"np.{ALIASES.get(name, name)}", *p.codes)


@spells(arithmetic.Divide)
def quotient(p: Phrase) -> Code:
    """`a / b`; a sum over its count as `np.mean`."""
    a, b = p.xs
    summed = p.inner(a, "sum")
    if summed is not None and a.equation is not None and b.value is not None and not b.ndim:
        axes = a.equation.primitive.axes  # type: ignore[attr-defined]
        count = math.prod(summed.shape[k] for k in axes)
        if count == b.value and summed.dtype.kind in "fc":
            return Code("np.mean" + a.code.text.removeprefix("np.sum"))
    return infix("/", a.code, b.code)


@spells(*INFIX)
def operator(p: Phrase) -> Code:
    """`a + b`."""
    return infix(INFIX[type(p.primitive)], *p.codes)


@spells(arithmetic.Multiply)
def product(p: Phrase) -> Code:
    """`a * b`, with a number first; the product of a column and a row as `np.outer`."""
    a, b = p.xs
    if p.is_derived and b.value is not None and a.value is None and not b.ndim:
        return infix("*", b.code, a.code)
    for column, row in ((a, b), (b, a)):
        inner = p.inner(column, "reshape")
        if inner is not None and inner.ndim == 1 and column.shape == (*inner.shape, 1):
            if row.ndim == 1:
                return call("np.outer", inner.code, row.code)
            if row.value is not None and np.array_equal(row.value, np.eye(inner.shape[0])):
                return call("np.diag", inner.code)
    return infix("*", a.code, b.code)


@spells(arithmetic.Scale)
def scaled(p: Phrase) -> Code:
    """A product in which 0 wins over infinity."""
    return call(p.use(helpers.scale), *p.codes)


@spells(arithmetic.Negative)
def negative(p: Phrase) -> Code:
    """`-x`."""
    return prefix("-", p.codes[0])


@spells(arithmetic.Anew, arithmetic.Positive, stopping.StopGradient)
def same(p: Phrase) -> Code:
    """The value as it is."""
    return p.codes[0]


@spells(arithmetic.Reciprocal)
def reciprocal(p: Phrase) -> Code:
    """`1 / x`; of whole numbers NumPy's own function."""
    if p.dtype.kind in "fc":
        return infix("/", Code("1"), p.codes[0])
    return call("np.reciprocal", *p.codes)


@spells(arithmetic.Square)
def square(p: Phrase) -> Code:
    """`x**2`."""
    if p.dtype.kind in "fc" and p.xs[0].dtype == p.dtype:
        return infix("**", p.codes[0], Code("2"))
    return call("np.square", *p.codes)


@spells(arithmetic.Power)
def power(p: Phrase) -> Code:
    """`x**p`."""
    x, exponent = p.xs
    if exponent.value is not None and not exponent.ndim and p.dtype.kind == "f":
        value = float(np.real(exponent.value))
        if value == int(value) and x.dtype.kind == "f":
            return infix("**", x.code, number(int(value)))
    return infix("**", x.code, exponent.code)


@spells(complexes.Real)
def real(p: Phrase) -> Code:
    """`x.real`."""
    return method(p.codes[0], ".real") if p.xs[0].dtype.kind == "c" else p.codes[0]


@spells(complexes.Imag)
def imag(p: Phrase) -> Code:
    """`x.imag`."""
    return method(p.codes[0], ".imag") if p.xs[0].dtype.kind == "c" else call("np.imag", p.codes[0])


@spells(rounding.Step)
def step(p: Phrase) -> Code:
    """A comparison, a rounding, a test of each element."""
    name = p.primitive.function
    if name in INFIX_FUNCTIONS:
        return infix(INFIX_FUNCTIONS[name], *p.codes)
    if name in ("logical_and", "logical_or") and all(x.dtype.kind == "b" for x in p.xs):
        return infix("&" if name == "logical_and" else "|", *p.codes)
    if name in ("logical_not", "invert", "bitwise_not") and p.xs[0].dtype.kind == "b":
        return prefix("~", p.codes[0])
    return call(f"np.{name}", *p.codes)


@spells(rounding.Round)
def rounded(p: Phrase) -> Code:
    """`np.round(x, 2)`."""
    decimals = p.primitive.decimals
    return call("np.round", p.codes[0], *([str(decimals)] if decimals else []))


@spells(rounding.IsClose)
def close(p: Phrase) -> Code:
    """`np.isclose(a, b)`, with the tolerances where they are not NumPy's own."""
    a, b, rtol, atol = p.xs
    named: dict[str, object] = {}
    if rtol.value is None or rtol.value != 1e-5:
        named["rtol"] = rtol.code.text
    if atol.value is None or atol.value != 1e-8:
        named["atol"] = atol.code.text
    if p.primitive.equal_nan:
        named["equal_nan"] = True
    return call("np.isclose", a.code, b.code, **named)


@spells(Whole)
def whole(p: Phrase) -> Code:
    """Cut down to integers that can index."""
    return method(call("np.asarray", p.codes[0]), ".astype(np.intp)")


@spells(smooth.Sech)
def sech(p: Phrase) -> Code:
    """`1 / np.cosh(x)`."""
    return infix("/", Code("1"), call("np.cosh", p.codes[0]))


@spells(smooth.Sinc)
def sinc(p: Phrase) -> Code:
    """`np.sinc(x)`, or a derivative of it."""
    if not p.primitive.order:
        return call("np.sinc", p.codes[0])
    return call(p.use(smooth.sinc_derivative), p.codes[0], str(p.primitive.order))


@spells(smooth.I0)
def bessel(p: Phrase) -> Code:
    """`np.i0(x)`, or a derivative of it."""
    if not p.primitive.order:
        return call("np.i0", p.codes[0])
    return call(p.use(smooth.i0_derivative), p.codes[0], str(p.primitive.order))


@spells(logsums.Logistic)
def logistic(p: Phrase) -> Code:
    """1 / (1 + e^-x), without overflow."""
    return call(p.use(helpers.logistic), p.codes[0])


@spells(logsums.LogisticDensity)
def logistic_density(p: Phrase) -> Code:
    """Its derivative, without overflow."""
    return call(p.use(helpers.logistic_density), p.codes[0])


@spells(conics.Hyperbola)
def hyperbola(p: Phrase) -> Code:
    """`np.sqrt(x - 1) * np.sqrt(x + 1)`."""
    (x,) = p.codes
    factors = (infix("-", x, Code("1")), infix("+", x, Code("1")))
    return infix("*", *(call("np.sqrt", factor) for factor in factors))


@spells(conics.OneLessSquare)
def one_less_square(p: Phrase) -> Code:
    """`(1 - x) * (1 + x)`."""
    (x,) = p.codes
    return infix("*", infix("-", Code("1"), x), infix("+", Code("1"), x))


@spells(conics.OnePlusSquare)
def one_plus_square(p: Phrase) -> Code:
    """`1 + x * x`."""
    (x,) = p.codes
    return infix("+", Code("1"), infix("*", x, x))


@spells(conics.Semicircle)
def semicircle(p: Phrase) -> Code:
    """`np.sqrt(1 - x) * np.sqrt(1 + x)`."""
    (x,) = p.codes
    factors = (infix("-", Code("1"), x), infix("+", Code("1"), x))
    return infix("*", *(call("np.sqrt", factor) for factor in factors))


@spells(remainders.Fraction)
def fraction(p: Phrase) -> Code:
    """What is left after the whole part."""
    return method(call("np.modf", p.codes[0]), "[0]")


@spells(remainders.Exponent)
def exponent(p: Phrase) -> Code:
    """The power of two."""
    return method(call("np.frexp", p.codes[0]), "[1]")
