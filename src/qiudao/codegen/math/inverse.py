"""Inverse trigonometric functions.

    arcsin t = t + t z a(z),   z = t^2 <= 1/4;   above 1/2: pi/2 - 2 arcsin sqrt((1 - x) / 2)
    arctan q = q + q z b(z),   z = q^2,  |q| <= sqrt(2) - 1;   further out: pi/4 + arctan of
                               (y - x) / (y + x), and pi/2 - arctan(x / y) where y > x

Angles are whole multiples of pi/4, in two words, plus or minus a small angle.

Polynomials: minimax (Remez) of (arcsin(t)/t - 1) / z and (arctan(q)/q - 1) / z, weighted by z.
"""

from __future__ import annotations

import math

from .lane import Lane, polynomial
from .pairs import Pair, constant, divide, quick_sum, two_product, two_sum

QUARTER_PI = (math.pi / 4, 3.061616997868383e-17)

ARCSIN = {
    "double": (
        0.1666666666666674, 0.07499999999975028, 0.04464285717138379, 0.030381942837211705,
        0.02237221185370801, 0.017351661353323757, 0.013980294526959078,
        0.011402783392280397, 0.010760559121614287, 0.0037744293352733847,
        0.021555173499388562, -0.020799758505758683, 0.03251283675623197,
    ),
    "float": (0.1666675, 0.07495336, 0.045467388, 0.024188608, 0.04215751),
}  # fmt: skip

ARCTAN = {
    "double": (
        -0.3333333333333323, 0.19999999999961326, -0.1428571428084333, 0.11111110811343712,
        -0.09090898466455913, 0.07692071551293349, -0.0666322138921381, 0.05848674235827278,
        -0.050425808493299654, 0.038142137924729334, -0.017986790917877478,
    ),
    "float": (-0.33333316, 0.1999853, -0.14244448, 0.105996795, -0.060913943),
}  # fmt: skip

# Denominators below and above these are scaled, so that their inverses are ordinary numbers.
SMALL = {"double": (2.0**-800, 2.0**200), "float": (2.0**-90, 2.0**60)}
LARGE = {"double": (2.0**1000, 2.0**-30), "float": (2.0**120, 2.0**-10)}


def angle(quarters: Lane, small: Pair) -> Pair:
    """`quarters` pi/4 + `small`, for a whole number of quarters."""
    high, low = constant(quarters, *QUARTER_PI)
    turn = two_product(quarters, high)
    total = quick_sum(turn.high, small.high)
    return Pair(total.high, total.low + (quarters.fma(low, turn.low) + small.low))


def half_chord(x: Lane) -> tuple[Lane, Pair]:
    """Whether |x| > 1/2, and the arcsine of |x|, or of sqrt((1 - |x|) / 2) there."""
    a = x.abs()
    far = a > 0.5
    z = far.choose(0.5 - 0.5 * a, a * a)
    root = z.sqrt()
    # What rounding took from the root.
    lost = (far & (z > 0.0)).choose((-root).fma(root, z) / (root + root), 0.0)
    t = far.choose(root, a)
    return far, Pair(t, (t * z).fma(polynomial(z, ARCSIN[x.type_]), lost))


def arcsin(x: Lane) -> Lane:
    """The inverse of sine, in [-pi/2, pi/2]."""
    far, t = half_chord(x)
    right = angle(x.constant(2.0), t.times(-2.0)).value()
    return far.choose(right, t.value()).copysign(x)


def arccos(x: Lane) -> Lane:
    """The inverse of cosine, in [0, pi]."""
    far, t = half_chord(x)
    negative = x.is_negative()
    small = t.times(far.choose(x.constant(2.0), -1.0))
    quarters = far.choose(negative.choose(x.constant(4.0), 0.0), 2.0)
    return angle(quarters, Pair(small.high.flip(negative), small.low.flip(negative))).value()


def ray(y: Lane, x: Lane, steep: Lane, left: Lane) -> Pair:
    """The angle of a ray, from y <= x, both positive.

    `steep`: the two were exchanged; `left`: the ray points to the left.
    """
    far = y > (math.sqrt(2.0) - 1.0) * x
    zero = y.constant(0.0)
    above, below = two_sum(y, -x), two_sum(y, x)
    q = divide(
        Pair(far.choose(above.high, y), far.choose(above.low, zero)),
        Pair(far.choose(below.high, x), far.choose(below.low, zero)),
    )
    z = q.high * q.high
    curve = (q.high * z).fma(polynomial(z, ARCTAN[y.type_]), q.low)
    quarters = far.choose(y.constant(1.0), 0.0)
    quarters = steep.choose(2.0 - quarters, quarters)
    quarters = left.choose(4.0 - quarters, quarters)
    turned = steep ^ left
    return angle(quarters, Pair(q.high.flip(turned), curve.flip(turned)))


def arctan(x: Lane) -> Lane:
    """The inverse of tangent, in [-pi/2, pi/2]."""
    a = x.abs().at_most(2.0**60)
    steep = a > 1.0
    one = x.constant(1.0)
    no = Lane(x.code, "false", "i1")
    return ray(steep.choose(one, a), steep.choose(a, one), steep, no).value().copysign(x)


def arctan2(y: Lane, x: Lane) -> Lane:
    """The angle of the point (x, y), in [-pi, pi]."""
    return unsigned_angle(y, x).value().copysign(y)


def unsigned_angle(y: Lane, x: Lane) -> Pair:
    """The angle of the point (x, |y|), in [0, pi]."""
    a, b = y.abs(), x.abs()
    steep = a > b
    short, long = steep.choose(b, a), steep.choose(a, b)
    small, large = SMALL[y.type_], LARGE[y.type_]
    factor = (long > large[0]).choose(
        y.constant(large[1]), (long < small[0]).choose(y.constant(small[1]), 1.0)
    )
    # On an axis the angle is that of 0/1, on a diagonal at infinity that of 1/1.
    limit = long.equals(0.0) | long.equals(math.inf)
    on_axis = short.equals(math.inf).choose(y.constant(1.0), short * 0.0)
    short = limit.choose(on_axis, short * factor)
    long = limit.choose(y.constant(1.0), long * factor)
    return ray(short, long, steep, x.is_negative())
