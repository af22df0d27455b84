"""1 - x^2 and 1 + x^2, and roots of 1 - x^2 and x^2 - 1, as primitives of their own.

They are computed by factors, which keep the digits near the ends.  A derivative of the factors
would lose them near 0, as -(1 + x) + (1 - x); so each slope is stated as what it comes to.
"""

from __future__ import annotations

import numpy as np

from ..core.avals import Value
from ..core.element import Element, Scalar
from ..core.families import Smooth
from ..core.primitive import primitive
from ..core.samples import sample

UNIT = (sample("f64[3,4]", within=(-0.8, 0.8)), sample("c128[3]", within=(-0.8, 0.8)))


@primitive
class OneLessSquare(Smooth):
    """`1 - x^2`, as (1 - x)(1 + x).  d = -2 x dx."""

    is_tame = True
    samples = UNIT

    def evaluate(self, *xs: Value) -> Value:
        return (1.0 - xs[0]) * (1.0 + xs[0])

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -2.0 * xs[0]

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        one = e.constant(1, xs[0])
        return e.call("multiply", e.call("subtract", one, xs[0]), e.call("add", one, xs[0]))


@primitive
class OnePlusSquare(Smooth):
    """`1 + z^2`, as (z - i)(z + i) of complex numbers.  d = 2 z dz."""

    is_tame = True
    samples = UNIT

    def evaluate(self, *xs: Value) -> Value:
        (z,) = xs
        if z.dtype.kind != "c":
            return 1.0 + z * z
        return (z - UP) * (z - DOWN)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return 2.0 * xs[0]

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (z,) = xs
        if z.dtype.kind != "c":
            return e.call("add", e.constant(1, z), e.call("multiply", z, z))
        factors = [e.call("subtract", z, e.constant(c, z)) for c in (UP, DOWN)]
        return e.call("multiply", *factors)


@primitive
class Semicircle(Smooth):
    """sqrt(1 - x^2), by the roots of 1 - x and 1 + x.  d = -x dx / out.

    Complex numbers are on the side of its branch cuts that NumPy takes for arcsin: 1 - z and 1 + z
    would lose the sign of a zero, which tells the side.
    """

    reads = "both"
    samples = UNIT

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        if x.dtype.kind == "c":
            return np.sqrt(np.negative(x - 1.0)) * np.sqrt(x - -1.0)
        return np.sqrt(1.0 - x) * np.sqrt(1.0 + x)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return -xs[0] / out

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (x,) = xs
        one = e.constant(1, x)
        below, above = e.call("subtract", one, x), e.call("add", one, x)
        if x.dtype.kind == "c":
            below = e.call("negative", e.call("subtract", x, one))
            above = e.call("subtract", x, e.constant(-1, x))
        return e.call("multiply", e.call("sqrt", below), e.call("sqrt", above))


@primitive
class Hyperbola(Smooth):
    """sqrt(x^2 - 1), by the roots of x - 1 and x + 1.  d = x dx / out.

    Complex numbers are on the side of its branch cuts that NumPy takes for arccosh.
    """

    reads = "both"
    samples = (
        sample("f64[3,4]", within=(1.2, 3.0)),
        sample("c128[3]", within=(1.2, 3.0)),
        sample("c128[3]", within=(-0.8, 0.8)),
    )

    def evaluate(self, *xs: Value) -> Value:
        (x,) = xs
        above = x - -1.0 if x.dtype.kind == "c" else x + 1.0  # keeps the sign of a zero
        return np.sqrt(x - 1.0) * np.sqrt(above)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return xs[0] / out

    def element(self, e: Element, *xs: Scalar) -> Scalar:
        (x,) = xs
        below = e.call("subtract", x, e.constant(1, x))
        above = e.call("subtract", x, e.constant(-1, x))
        return e.call("multiply", e.call("sqrt", below), e.call("sqrt", above))


UP, DOWN = complex(0.0, 1.0), complex(0.0, -1.0)  # -1j has the real part -0
one_less_square, one_plus_square = OneLessSquare(), OnePlusSquare()
semicircle, hyperbola = Semicircle(), Hyperbola()
