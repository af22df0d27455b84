"""Functions that are constant between their jumps: comparisons, rounding, logic.

No derivative passes them, and tracers that differentiate let their plain results through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.dispatch import implements
from ..core.element import Element, Scalar
from ..core.families import Constant
from ..core.primitive import primitive
from ..core.samples import sample
from .faces import array, delivered, face, whole

REAL_ONE = (
    "floor", "ceil", "trunc", "rint", "signbit", "isnan", "isinf", "isfinite", "spacing",
    "logical_not",
)  # fmt: skip
TESTS = ("isposinf", "isneginf", "isreal", "iscomplex")
COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
REAL_TWO = (*COMPARISONS, "logical_and", "logical_or", "logical_xor", "floor_divide")
WHOLE_ONE = ("invert", "bitwise_count")
WHOLE_TWO = ("gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")


@primitive
class Step(Constant):
    """NumPy's function of the name `function`, whose derivative is 0 wherever it has one."""

    function: str = "floor"
    samples = (
        *(sample("f64[3,4]", function=f) for f in (*REAL_ONE, *TESTS, "sign")),
        *(sample("f64[3,4]", "f64[4]", function=f) for f in REAL_TWO),
        *(sample("i64[3,4]", function=f, within=(0, 9)) for f in WHOLE_ONE),
        *(sample("i64[3,4]", "i64[4]", function=f, within=(0, 9)) for f in WHOLE_TWO),
    )

    @property
    def label(self) -> str:
        return self.function

    def evaluate(self, *xs: Value) -> Value:
        return getattr(np, self.function)(*xs)

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.call(self.function, *xs)


@primitive
class Round(Constant):
    """Rounded to `decimals` places, ties to even.  Its derivative is 0 between the jumps."""

    decimals: int = 0
    samples = (sample("f64[3,4]"), sample("f64[3,4]", decimals=1), sample("c128[3]", decimals=2))

    def evaluate(self, *xs: Value) -> Value:
        return np.round(xs[0], self.decimals)

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        if self.decimals or xs[0].dtype.kind != "f":
            return NotImplemented
        return e.call("rint", *xs)


@primitive
class IsClose(Constant):
    """Whether |a - b| <= atol + rtol |b|; the operands are a, b, rtol, atol."""

    equal_nan: bool = False
    samples = (
        sample("f64[3,4]", "f64[4]", "f64[]", "f64[3,1]"),
        sample("f64[3]", "f64[3]", "f64[]", "f64[]", equal_nan=True),
    )

    def evaluate(self, *xs: Value) -> Value:
        a, b, rtol, atol = xs
        return np.isclose(a, b, rtol, atol, equal_nan=self.equal_nan)


for _function in (*REAL_ONE, *REAL_TWO, *WHOLE_ONE, *WHOLE_TWO, "isnat"):
    face(Step(_function), getattr(np, _function))


def test_of(name: str) -> None:
    """Let NumPy's test of that name, which is no ufunc, find its `Step`."""
    step = Step(name)

    def test(x: Any, out: Any = None) -> Value:
        return delivered(name, step(array(x)), out)

    implements(getattr(np, name))(test)


for _function in TESTS:
    test_of(_function)


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Value:
    """`x` without its fraction."""
    return delivered("fix", Step("trunc")(array(x)), out)


@implements(np.round, np.around)
def round_(a: Any, decimals: int = 0, out: Any = None) -> Value:
    """`a` rounded to `decimals` places, ties to even."""
    return delivered("round", Round(whole(decimals))(array(a)), out)


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Value:
    """Whether `a` and `b` agree within tolerances, element by element: a plain mask."""
    return IsClose(bool(equal_nan))(*map(array, (a, b, rtol, atol)))
