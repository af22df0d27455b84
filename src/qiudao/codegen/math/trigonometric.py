"""Sine, cosine and tangent.

    x = n pi/2 + r,  |r| <= pi/4,    sin x = (sin r, cos r, -sin r, -cos r)[n mod 4]

The remainder is x - n p1 - n p2 - n p3, where p1 + p2 + p3 is pi/2 in three words.  With fused
multiply-adds the first step is exact and the second is kept as a pair, so that r = high + low is
good to full precision as long as n p3 is small against the last place of the smallest remainder
that occurs: up to `NEAR`, which is 2^40 for double and 2^16 for float.

Beyond, the remainder needs the bits of 2/pi that stand at the exponent of x: see `rare.py` for
how these lanes are set apart.

Polynomials: minimax (Remez) in r^2, of sin r / r and of cos r, with the leading coefficients
fixed at 1 and -1/2, for |r| <= 1.005 pi/4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from .exponents import rounded_product
from .lane import Lane, in_pairs
from .pairs import Pair, divide, quick_sum, two_product
from .rare import unless_rare
from .two_over_pi import remainder

TWO_OVER_PI = 0.6366197723675814
HALF_PI = {  # in three words
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33),
    "float": (1.5707963705062866, -4.371138828673793e-08, -1.7151244994428829e-15),
}
NEAR = {"double": 2.0**40, "float": 2.0**16}

SIN = {
    "double": (
        -0.1666666666666663, 0.008333333333321884, -0.00019841269829362228,
        2.7557313530845735e-06, -2.50507319827878e-08, 1.589523267096104e-10,
    ),
    "float": (-0.16666655, 0.008332156, -0.00019514104),
}  # fmt: skip

COS = {
    "double": (
        0.041666666666666595, -0.0013888888888873511, 2.4801587289067836e-05,
        -2.7557314224804866e-07, 2.087570500797193e-09, -1.1358659119479053e-11,
    ),
    "float": (0.041666646, -0.0013887339, 2.4434969e-05),
}  # fmt: skip


class Turned(NamedTuple):
    """An angle of `quarter` right angles (the low two bits count) and r more."""

    quarter: Lane
    r: Pair


def reduce(x: Lane) -> Turned:
    """The angle less the nearest multiple of pi/2, where it is near."""
    first, second, third = HALF_PI[x.type_]
    n = rounded_product(x, TWO_OVER_PI)
    start = (-n.real).fma(first, x)
    step = two_product(n.real, second)
    # Exact though `step` may be the larger: `start` is a multiple of its last place.
    high, low = quick_sum(start, -step.high)
    return Turned(n.bits, Pair(high, low - n.real.fma(third, step.low)))


def sine(r: Pair) -> Lane:
    """The sine of a small angle."""
    x = r.high
    z = x * x
    return x + (x * z).fma(in_pairs(z, SIN[x.type_]), r.low)


def cosine(r: Pair) -> Lane:
    """The cosine of a small angle."""
    x = r.high
    z = x.fma(x, (x + x) * r.low)
    return z.fma(z.fma(in_pairs(z, COS[x.type_]), -0.5), 1.0)


def sine_as_pair(r: Pair) -> Pair:
    """The sine of a small angle, to more digits."""
    x = r.high
    z = x * x
    # The derivative, 1 - z / 2, times the low part.
    turn = z.fma(r.low * -0.5, r.low)
    return quick_sum(x, (x * z).fma(in_pairs(z, SIN[x.type_]), turn))


def cosine_as_pair(r: Pair) -> Pair:
    """The cosine of a small angle, to more digits."""
    x = r.high
    z = x * x
    one = quick_sum(1.0, z * -0.5)
    lost = z.fma(-0.5, 1.0 - one.high)  # from z / 2 as well as from the sum
    curve = (z * z).fma(in_pairs(z, COS[x.type_]), lost)
    return quick_sum(one.high, (-x).fma(r.low, curve))


def is_odd(t: Turned) -> Lane:
    """Whether sine and cosine change places: the low bit, where a choice finds it at once."""
    return (t.quarter << (t.r.high.format.width - 1)).real().is_negative()


def upside_down(value: Lane, quarter: Lane) -> Lane:
    """The value, negated in the second half of the circle."""
    width = value.format.width
    return (value.bits() ^ ((quarter & 2) << (width - 2))).real()


def sine_of(t: Turned) -> Lane:
    """Sine, after reduction."""
    value = is_odd(t).choose(cosine(t.r), sine(t.r))
    return upside_down(value, t.quarter)


def cosine_of(t: Turned) -> Lane:
    """Cosine, after reduction."""
    value = is_odd(t).choose(sine(t.r), cosine(t.r))
    return upside_down(value, t.quarter + 1)


def tangent_of(t: Turned) -> Lane:
    """Tangent, after reduction."""
    s, c, odd = sine_as_pair(t.r), cosine_as_pair(t.r), is_odd(t)
    over = Pair(odd.choose(-c.high, s.high), odd.choose(-c.low, s.low))
    under = Pair(odd.choose(s.high, c.high), odd.choose(s.low, c.low))
    return divide(over, under).value()


Finish = Callable[[Turned], tuple[Lane, ...]]


def far(finish: Finish, x: Lane) -> tuple[Lane, ...]:
    """Functions of an angle that may be far from 0."""
    if x.type_ == "float":
        return tuple(value.narrowed() for value in far(finish, x.widened()))
    return finish(Turned(*remainder(x)))


def circular(name: str, finish: Finish, x: Lane) -> tuple[Lane, ...]:
    """Functions of an angle: by the quick reduction, and by `far` for the lanes that need it."""
    is_far = x.abs() > NEAR[x.type_]
    return unless_rare(finish(reduce(x)), is_far, f"qd.{name}.far", partial(far, finish), x)


def with_zeros(x: Lane, result: Lane) -> Lane:
    """The result, but x where that is 0: the sum of a pair loses the sign."""
    return x.equals(0.0).choose(x, result)


def circle(x: Lane) -> tuple[Lane, Lane]:
    """Sine and cosine, of radians."""
    sine, cosine = circular("circle", lambda t: (sine_of(t), cosine_of(t)), x)
    return with_zeros(x, sine), cosine


def tan(x: Lane) -> Lane:
    """Tangent, of radians."""
    (tangent,) = circular("tan", lambda t: (tangent_of(t),), x)
    return with_zeros(x, tangent)
