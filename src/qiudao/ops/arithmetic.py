"""Sums, products, quotients and powers, element by element."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..core.avals import Aval, Value, promote
from ..core.element import Element, Scalar
from ..core.families import Additive, Elementwise, Smooth, shrink
from ..core.primitive import Parents, Product, Terms, Values, add_all, primitive
from ..core.samples import Sample, sample
from ..core.sweep import has_nan, is_finite
from .faces import array, face, meets

TWO: tuple[Sample, ...] = (
    sample("f64[3,4]", "f64[3,4]"),
    sample("f64[4]", "f64[3,1]"),
    sample("f64[]", "f64[2]"),
)


@primitive
class Add(Additive):
    """`a + b`.  d = da + db."""

    ufunc = np.add
    samples = (*TWO, sample("c128[3]", "f64[3]"))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return add_all(dxs)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (ct, ct)


@primitive
class Subtract(Additive):
    """`a - b`.  d = da - db."""

    ufunc = np.subtract
    samples = TWO

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        da, db = dxs
        return da if db is None else self(0.0 if da is None else da, db)  # 0 - 0 is no -0

    def transpose(self, i: int, ct: Value) -> Value:
        return ct if i == 0 else -ct


@primitive
class Negative(Additive):
    """`-x`.  d = -dx."""

    ufunc = np.negative
    samples = (sample("f64[3,4]"), sample("c128[3]"))

    def transpose(self, i: int, ct: Value) -> Value:
        return -ct


@primitive
class Positive(Additive):
    """`+x`.  d = dx."""

    ufunc = np.positive
    samples = (sample("f64[3,4]"),)

    def transpose(self, i: int, ct: Value) -> Value:
        return ct


@primitive
class Anew(Additive):
    """`x`, as the start of a computation that is not to be merged with an equal one.  d = dx.

    A checkpoint reads its operands through this when a compiled program runs it again; the pass
    that shares equal equations would otherwise keep what the checkpoint threw away.
    """

    samples = (sample("f64[3,4]"), sample("c128[3]"))

    def evaluate(self, *xs: Value) -> Value:
        return xs[0]

    def transpose(self, i: int, ct: Value) -> Value:
        return ct

    def element(self, e: Any, *xs: Any) -> Any:
        return xs[0]


@primitive
class Multiply(Elementwise):
    """`a b`.  d = da b + a db."""

    is_tame = True
    ufunc = np.multiply
    samples: ClassVar[tuple[Sample, ...]] = (
        *TWO,
        sample("c128[3]", "c128[3]"),
        sample("c128[3]", "f64[3]"),
    )

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return promote(*avals)

    def is_linear(self, positions: set[int]) -> bool:
        return len(positions) == 1

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (a, b), (da, db) = xs, dxs
        return add_all(
            (None if da is None else product(da, b), None if db is None else product(db, a))
        )

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        a, b = xs
        x, y = parents
        return (None if x is None else product(ct, b), None if y is None else product(ct, a))

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        (a, b), (x, y) = values, parents
        return (x if y is None else a, y if x is None else b)


@primitive
class Weigh(Multiply):
    """`ct s`: the product of a reverse sweep that will itself be differentiated.

    Where the cotangent ct is zero the result does not depend on the slope s, so what lies behind
    the slope there, perhaps a pole of the second derivative, is a dropped lane.  Where the slope is
    NaN already, it stays one.
    """

    is_selection = True
    samples = (sample("f64[3,4]", "f64[3,4]"), sample("c128[3]", "f64[3]"))

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (ct, slope), (dct, dslope) = xs, dxs
        return add_all(
            (
                None if dct is None else product(dct, slope),
                None if dslope is None else product(ct, dslope),
            )
        )

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        ct, slope = xs
        x, s = parents
        read = alive & ((ct != 0) | (slope != slope))
        return (
            None if x is None else shrink(alive, x.shape),
            None if s is None else shrink(read, s.shape),
        )

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return tuple(values)

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        return e.call("multiply", *xs)


@primitive
class Scale(Elementwise):
    """`dx s`, where dx = 0 gives 0 whatever the slope s: the product of forward mode.

    A direction that does not move an operand does not move the result, even at a pole.
    """

    is_tame = True
    is_selection = True
    samples = (sample("f64[3,4]", "f64[3,4]"), sample("c128[3]", "f64[3]"))

    def evaluate(self, *xs: Value) -> Value:
        dx, slope = xs
        out = dx * slope
        if is_finite(slope) or not has_nan(out):  # the slope of a batch of directions is smaller
            return out
        return np.where(dx == 0, np.zeros((), out.dtype), out)

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        return promote(*avals)

    def is_linear(self, positions: set[int]) -> bool:
        return len(positions) == 1

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        (dx, slope), (ddx, dslope) = xs, dxs
        return add_all(
            (
                None if ddx is None else self(ddx, slope),
                None if dslope is None else self(dx, dslope),
            )
        )

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        dx, slope = xs
        x, s = parents
        return (None if x is None else product(ct, slope), None if s is None else self(dx, ct))

    def reach(self, alive: Value, out: Value, xs: Values, parents: Parents) -> Terms:
        x, s = parents
        return (
            None if x is None else shrink(alive, x.shape),
            None if s is None else shrink(alive & (xs[0] != 0), s.shape),
        )

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        dx, slope = xs
        product = e.call("multiply", dx, slope)
        return e.select(e.call("equal", dx, e.constant(0, dx)), e.constant(0, product), product)


@primitive
class Divide(Smooth):
    """`a / b`.  d = da / b - out db / b, and of `1 / b`, as of its reciprocal, -out^2 db."""

    ufunc = np.divide
    reads = "both"
    samples = (
        sample("f64[3,4]", "f64[3,4]", within=(0.5, 2.0)),
        sample("f64[4]", "f64[3,1]", within=(-2.0, -0.5)),
        sample("c128[3]", "c128[3]", within=(0.5, 2.0)),
    )

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {0}

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        if i == 0:
            b = xs[1]
            if type(b) in (int, float, complex) and b == 0:  # Python's own numbers would raise
                return np.divide(1.0, b).item()
            return 1.0 / b
        return -out * out if type(xs[0]) in (int, float) and xs[0] == 1 else -out / xs[1]


@primitive
class Reciprocal(Smooth):
    """`1 / x`.  d = -out^2 dx."""

    ufunc = np.reciprocal
    reads = "out"
    samples = (sample("f64[3,4]", within=(0.5, 2.0)), sample("c128[3]", within=(0.5, 2.0)))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -out * out


@primitive
class Square(Smooth):
    """`x^2`.  d = 2 x dx."""

    is_tame = True
    ufunc = np.square
    samples = (sample("f64[3,4]"), sample("c128[3]"))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 2 * xs[0]


@primitive
class Power(Smooth):
    """`x ** y`.  d = y x^(y-1) dx + out log(x) dy.

    Holes that have one right answer get it, at every order: at x = 0 the slope in x is 0 where
    y = 0 and 1 where y = 1.  At x = 0 the slope in y is 0 for y >= 0 (at y = 0 by convention), and
    -inf for y < 0.  A negative x has real powers at whole y only, so there the slope in y is NaN.
    Where x is NaN and y = 0 the power is 1, and the slope in x is 0.
    """

    ufunc = np.power
    reads = "both"
    samples = (
        sample("f64[3,4]", "f64[3,4]", within=(0.5, 2.0)),
        sample("f64[4]", "f64[3,1]", within=(0.5, 2.0)),
        sample("c128[3]", "c128[3]", within=(0.5, 2.0)),
        sample("c128[3]", "f64[3]", within=(0.5, 2.0)),
    )

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        x, y = xs
        if i == 0:
            if isinstance(y, int | float):
                return power_slope(x, y)
            hole = (y == 0) & ((x == 0) | (x != x))  # only here: elsewhere the slope moves with y
            return np.where(hole, 0, y * x ** np.where(hole, 1, y - 1))
        if isinstance(x, int | float) and x > 0:
            return out * math.log(x)
        hole = (x == 0) & (np.real(y) >= 0)
        base = np.where(hole, 1, x)
        if out.dtype.kind == "c" and base.dtype.kind != "c":
            base = base.astype(out.dtype)  # whose logarithm a negative number has
        return np.where(hole, 0, out * np.log(base))


def power_slope(x: Value, p: float) -> Value:
    """The slope of x^p for a plain number p, with as few operations as p allows."""
    if p == 2:
        return 2 * x
    if p == 1:
        return np.ones((), x.dtype)
    if p == 0:
        return np.zeros((), x.dtype)
    return p * x ** (p - 1)


add = face(Add(), np.add)
subtract = face(Subtract(), np.subtract)
negative = face(Negative(), np.negative)
positive = face(Positive(), np.positive)
multiply = face(Multiply(), np.multiply)
divide = face(Divide(), np.divide)
reciprocal = face(Reciprocal(), np.reciprocal)
square = face(Square(), np.square)
power = face(Power(), np.power)
scale, weigh = Scale(), Weigh()


@meets(np.float_power)
def float_power(x1: Any, x2: Any) -> Value:
    """`x1 ** x2` in double precision at least."""
    return power(widened(x1), widened(x2))


def widened(x: Any) -> Value:
    """An operand in double precision, complex where it is."""
    dtype = np.result_type(x)
    wide = np.result_type(dtype, np.complex128 if dtype.kind == "c" else np.float64)
    return x if dtype == wide else array(x).astype(wide)
