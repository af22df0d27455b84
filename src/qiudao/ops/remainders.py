"""Remainders and the parts of a floating-point number: mod, fmod, modf, frexp, copysign and kin.

Where these jump, no derivative exists; the slope given is that of the pieces on both sides.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..core.avals import Aval, Value
from ..core.families import Constant, Elementwise, Smooth
from ..core.primitive import Parents, Product, Terms, Values, primitive
from ..core.samples import sample
from .faces import face, meets

TWO = (
    sample("f64[3,4]", "f64[3,4]", within=(1.1, 1.9)),
    sample("f64[4]", "f64[3,1]", within=(-1.9, -1.1)),
)


@primitive
class Remainder(Smooth):
    """`a - floor(a / b) b`, with the sign of b.  d = da - floor(a / b) db."""

    ufunc = np.remainder
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.ones((), xs[0].dtype) if i == 0 else -np.floor_divide(*xs)


@primitive
class FMod(Smooth):
    """`a - trunc(a / b) b`, with the sign of a.  d = da - trunc(a / b) db."""

    ufunc = np.fmod
    reads = "both"
    samples = TWO

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        a, b = xs
        return np.ones((), a.dtype) if i == 0 else np.rint((out - a) / b)


@primitive
class Fraction(Smooth):
    """What `np.modf` leaves after the whole part, with the sign of x.  d = dx."""

    samples = (sample("f64[3,4]", within=(1.1, 1.9)), sample("f64[]", within=(-0.9, -0.1)))

    def evaluate(self, *xs: Value) -> Value:
        return np.modf(xs[0])[0]

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.ones((), xs[0].dtype)


@primitive
class Exponent(Constant):
    """The whole number e for which x = m 2^e with |m| in [1/2, 1)."""

    samples = (sample("f64[3,4]"),)

    def evaluate(self, *xs: Value) -> Value:
        return np.frexp(xs[0])[1]


@primitive
class LdExp(Elementwise):
    """`x 2^n` for whole n, without forming 2^n.  d = dx 2^n."""

    ufunc = np.ldexp
    samples = (sample("f64[3,4]", "i64[4]", within=(-2, 2)),)

    def dtype(self, *avals: Aval) -> np.dtype[Any]:
        dtype = avals[0].dtype
        return dtype if dtype.kind == "f" else np.dtype(np.float64)

    def is_linear(self, positions: set[int]) -> bool:
        return positions == {0}

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        return None if dxs[0] is None else self(dxs[0], xs[1])

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        return (self(ct, xs[1]), None)

    def keep(self, values: Values, parents: Parents) -> tuple[Value, ...]:
        return (parents[0], values[1])


class Followed(Smooth):
    """Follows its first operand; the others only decide how."""

    followed: ClassVar[int] = 0

    def push(self, out: Value, xs: Values, dxs: Terms, product: Product) -> Value | None:
        k = self.followed
        return None if dxs[k] is None else self.move(dxs[k], self.slope(k, out, *xs), product)

    def pull(self, ct: Value, out: Value, xs: Values, parents: Parents, product: Product) -> Terms:
        terms: list[Value | None] = [None] * len(xs)
        k = self.followed
        if parents[k] is not None:
            terms[k] = product(ct, self.slope(k, out, *xs))
        return terms


@primitive
class CopySign(Followed):
    """`|a|` with the sign of b.  d = sign(a) copysign(1, b) da, 0 at a = 0."""

    ufunc = np.copysign
    samples = (
        sample("f64[3,4]", "f64[3,4]", within=(0.2, 2.0)),
        sample("f64[4]", "f64[3,1]", within=(-2.0, -0.2)),
    )

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.sign(xs[0]) * np.copysign(np.ones((), xs[0].dtype), xs[1])


@primitive
class NextAfter(Followed):
    """The number next to a in the direction of b, which moves as a does.  d = da."""

    ufunc = np.nextafter
    samples = (sample("f64[3,4]", "f64[4]"),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.ones((), xs[0].dtype)


@primitive
class Heaviside(Followed):
    """0 for x < 0, h at x = 0, 1 for x > 0.  d = dh where x = 0; the jump in x gives 0."""

    ufunc = np.heaviside
    followed = 1
    is_selection = True
    samples = (sample("f64[3,4]", "f64[4]", within=(0.1, 2.0)),)

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return np.equal(xs[0], 0)


remainder = face(Remainder(), np.remainder)
fmod = face(FMod(), np.fmod)
ldexp = face(LdExp(), np.ldexp)
copysign = face(CopySign(), np.copysign)
nextafter = face(NextAfter(), np.nextafter)
heaviside = face(Heaviside(), np.heaviside)

_fraction, _exponent = Fraction(), Exponent()


@meets(np.divmod)
def divmod_(x1: Any, x2: Any) -> tuple[Value, Value]:
    """The whole quotient, a constant, and the remainder."""
    return np.floor_divide(x1, x2), remainder(x1, x2)


@meets(np.modf)
def modf(x: Any) -> tuple[Value, Value]:
    """The fractional part and the whole part, which is a constant."""
    part = _fraction(x)
    return part, np.trunc(x).astype(part.dtype)


@meets(np.frexp)
def frexp(x: Any) -> tuple[Value, Value]:
    """The mantissa m and the exponent e of x = m 2^e; the exponent is a constant."""
    e = _exponent(x)
    return ldexp(x, -e), e
