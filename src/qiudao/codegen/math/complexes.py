"""Complex numbers as pairs of lanes: exponentials, logarithms, roots.

    e^(x + iy) = e^x cos y + i e^x sin y
    log z      = log |z| + i arg z
    sqrt z     = t + i y / 2t,  t = sqrt((|x| + |z|) / 2),  for x >= 0

Each part is a product or a quotient of accurate real functions, or a sum of terms of one sign, so
that none cancels; where one must, log |z| near the unit circle, it is summed as pairs.  At zeros,
infinities and NaN the results are those of Annex G of the C standard, as the C library of Linux
completes it, which NumPy calls.  W. Kahan, Branch cuts for complex elementary functions, 1987,
tells why the signs of zeros matter: they say on which side of a cut a number lies.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from . import exponentials
from .exponentials import LOG2_E, LOG_2
from .exponents import rounded_product, split, whole_power_of_two
from .inverse import arctan2
from .lane import Lane
from .logarithms import log_one_plus
from .pairs import Pair, constant, two_product, two_sum
from .powers import hypot
from .trigonometric import circle

# Where e^x times the least number that a sine has is 0 or infinite: twice as far as for e^x alone.
RANGE = {"double": 1500.0, "float": 200.0}
SLIGHT = {"double": 2.0**-26, "float": 2.0**-12}  # angles whose squares are nothing beside 1

# Sizes beyond which squares overflow or lose digits, with the exponents of even powers of 2 that
# bring numbers inside.
LARGE = {"double": (2.0**500, -600), "float": (2.0**60, -76)}
SMALL = {"double": (2.0**-450, 600), "float": (2.0**-45, 100)}
UNIT = 0.625  # mantissas begin here, so that no number near the unit circle is scaled

HIGH = {"double": 600, "float": 80}  # exponents from which on 1 is nothing, and squares overflow

LOG10_E = 0.4342944819032518


class Complex(NamedTuple):
    """re + i im."""

    re: Lane
    im: Lane

    def swapped(self) -> Complex:
        """The parts exchanged: i times the conjugate, which turns circular into hyperbolic."""
        return Complex(self.im, self.re)

    def times(self, factor: float) -> Complex:
        """The product with a real number."""
        return Complex(self.re * factor, self.im * factor)


def is_finite(x: Lane) -> Lane:
    """Whether a real number is neither infinite nor NaN."""
    return x.abs() < math.inf


def is_infinite(x: Lane) -> Lane:
    """Whether a real number is infinite."""
    return x.abs().equals(math.inf)


def reduction(x: Lane, y: Lane) -> Lane:
    """1/4 where |x + iy| might overflow, else 1: no digit is lost by it."""
    high = 2.0 ** HIGH[x.type_]
    return ((x.abs() > high) | (y.abs() > high)).choose(x.constant(0.25), 1.0)


class Growth(NamedTuple):
    """A factor in three, which over- and underflow only together with what they multiply."""

    most: Lane
    more: Lane
    last: Lane

    def times(self, x: Lane) -> Lane:
        """The product with x, rounded once also where it is denormal."""
        return x * self.most * self.more * self.last


def growth(x: Lane) -> Growth:
    """e^x = 2^n e^r of a real number."""
    bound = RANGE[x.type_]
    n, (r, _) = exponentials.reduce(x.at_most(bound).at_least(-bound))
    return grown(n.real, r)


def grown(n: Lane, r: Lane) -> Growth:
    """2^n e^r of a small r."""
    power = raised(n)
    return power._replace(most=exponentials.rounded_minus_one(r).fma(power.most, power.most))


def raised(n: Lane) -> Growth:
    """2^n: as much of it as a number can hold, and the rest in two."""
    bias = n.format.bias
    first = n.at_most(bias - 1.0).at_least(2.0 - bias)
    second = (n - first).at_most(bias - 1.0).at_least(2.0 - bias)
    exponents = (first, second, n - first - second)
    return Growth(*map(whole_power_of_two, exponents))


def exp(z: Complex) -> Complex:
    """e^z.  A part may be finite where e^x is not."""
    return turned(growth(z.re), z.re, z.im, circle(z.im))


def turned(e: Growth, x: Lane, y: Lane, point: tuple[Lane, Lane]) -> Complex:
    """e^x (cos y + i sin y), with the limits at infinities of x and at y = 0.

    `point` is the sine and the cosine.
    """
    s, c = point
    whirls = ~is_finite(y)
    nothing, endless = x.equals(-math.inf) & whirls, x.equals(math.inf) & whirls
    zero = x.constant(0.0)
    re = nothing.choose(zero, endless.choose(x, e.times(c)))
    im = nothing.choose(zero.copysign(y), y.equals(0.0).choose(y, e.times(s)))
    return Complex(re, im)


def exp2(z: Complex) -> Complex:
    """2^z.  The angle y log 2 is a pair, as long as what is lost of it is small: that grows."""
    bound = RANGE[z.re.type_] * LOG2_E
    x = z.re.at_most(bound).at_least(-bound)
    n = rounded_product(x, 1.0).real
    high, low = constant(x, *LOG_2)
    r = (x - n) * high
    angle = two_product(z.im, high)
    rest = z.im.fma(low, angle.low)
    point = nearby(circle(angle.high), rest)
    return turned(grown(n, r), z.re, z.im, point)


def nearby(point: tuple[Lane, Lane], angle: Lane) -> tuple[Lane, Lane]:
    """A sine and a cosine, turned by a small angle, or not where it is not small."""
    s, c = point
    angle = (angle.abs() < SLIGHT[angle.type_]).choose(angle, 0.0)
    return c.fma(angle, s), (-s).fma(angle, c)


def expm1(z: Complex) -> Complex:
    """e^z - 1 = (e^x - 1) cos y - 2 sin^2(y/2) + i e^x sin y, as NumPy has it.

    No term is larger than the result by more than a small factor.
    """
    s, c = circle(z.im)
    half, _ = circle(z.im * 0.5)
    re = exponentials.expm1(z.re) * c - 2.0 * half * half
    return Complex(re, exponentials.exp(z.re) * s)


class Modulus(NamedTuple):
    """|z|^2 = 2^octaves (1 + excess)."""

    excess: Pair
    octaves: Lane


def modulus(x: Pair, y: Lane) -> Modulus:
    """That of x + iy for a pair x.  Near the unit circle the octaves are 0."""
    a, b = x.high.abs(), y.abs()
    long = (a < b).choose(b, a)
    (top, down), (bottom, up) = LARGE[y.type_], SMALL[y.type_]
    large, small = long > top, long < bottom
    first = large.choose(y.constant(2.0**down), small.choose(y.constant(2.0**up), 1.0))
    moved = large.choose(y.constant(-down), small.choose(y.constant(-up), 0.0))
    k, _ = split(long * first, UNIT)
    second = whole_power_of_two(-k)
    p, rest, q = (part * first * second for part in (x.high, x.low, y))
    return Modulus(less_one(squared(p, rest), two_product(q, q)), (k + moved) * 2.0)


def log_modulus(x: Pair, y: Lane) -> Lane:
    """The logarithm of |x + iy| for a pair x: half of log(1 + excess) + octaves log 2."""
    return at_ends(log_one_plus(*modulus(x, y)) * 0.5, x.high, y)


def at_ends(size: Lane, x: Lane, y: Lane) -> Lane:
    """The logarithm of |x + iy|, given `size` where it is finite or NaN."""
    size = (is_infinite(x) | is_infinite(y)).choose(x.constant(math.inf), size)
    return (x.abs() + y.abs()).equals(0.0).choose(x.constant(-math.inf), size)


def squared(high: Lane, low: Lane) -> Pair:
    """The square of a pair."""
    square = two_product(high, high)
    return Pair(square.high, low.fma(high + high + low, square.low))


def less_one(p: Pair, q: Pair) -> Pair:
    """The sum p + q - 1, exact but for the last digits of what is left when it cancels."""
    first = two_sum(p.high, p.high.constant(-1.0))
    second = two_sum(first.high, q.high)
    third = two_sum(p.low, q.low)
    fourth = two_sum(first.low, third.high)
    total = two_sum(second.high, fourth.high)
    return Pair(total.high, total.low + (second.low + (fourth.low + third.low)))


def log(z: Complex) -> Complex:
    """The logarithm whose angle is in [-pi, pi]."""
    return Complex(log_modulus(Pair(z.re, z.re.constant(0.0)), z.im), arctan2(z.im, z.re))


def log2(z: Complex) -> Complex:
    """The logarithm to base 2."""
    return log(z).times(LOG2_E)


def log10(z: Complex) -> Complex:
    """The logarithm to base 10."""
    return log(z).times(LOG10_E)


def log1p(z: Complex) -> Complex:
    """log(1 + z), where 1 + x is a pair."""
    x = two_sum(z.re.constant(1.0), z.re)
    low = is_finite(x.high).choose(x.low, 0.0)
    return Complex(log_modulus(Pair(x.high, low), z.im), arctan2(z.im, x.high))


def sqrt(z: Complex) -> Complex:
    """The root to the right of the imaginary axis."""
    x, y = z
    a, b = x.abs(), y.abs()
    long = (a < b).choose(b, a)
    (top, down), (bottom, up) = LARGE[x.type_], SMALL[x.type_]
    large, small = long > top, long < bottom
    factor = large.choose(x.constant(2.0**down), small.choose(x.constant(2.0**up), 1.0))
    back = large.choose(
        x.constant(2.0 ** (-down // 2)), small.choose(x.constant(2.0 ** (-up // 2)), 1.0)
    )
    p, q = a * factor, b * factor
    length = p.fma(p, q * q).sqrt()
    endless = a.equals(math.inf)
    t = endless.choose(a, ((p + length) * 0.5).sqrt() * back)
    other = b / (t + t)  # not of `q`, which may have been scaled down to nothing
    left = x.is_negative()
    root = Complex(left.choose(other, t), left.choose(t, other).copysign(y))
    origin, vertical = (a + b).equals(0.0), b.equals(math.inf)
    root = Complex(vertical.choose(b, root.re), (vertical | origin).choose(y, root.im))
    return Complex(origin.choose(b, root.re), root.im)


def reciprocal(z: Complex) -> Complex:
    """1 / z by the smaller part over the larger, as NumPy has it (R. L. Smith, 1962)."""
    x, y = z
    wide = y.abs() <= x.abs()
    large, small = wide.choose(x, y), wide.choose(y, x)
    ratio = small / large
    whole = small.fma(ratio, large)
    one = x.constant(1.0)
    return Complex(wide.choose(one, ratio) / whole, -wide.choose(ratio, one) / whole)


def sign(z: Complex) -> Complex:
    """The direction z / |z|, 0 for 0, and NaN where both parts are infinite or one is NaN."""
    x, y = z
    factor = reduction(x, y)
    size = hypot(x * factor, y * factor)
    ones = [is_infinite(part).choose(x.constant(1.0).copysign(part), 0.0) for part in z]
    endless = is_infinite(x) ^ is_infinite(y)
    nothing = size.equals(0.0)
    re, im = (
        endless.choose(one, nothing.choose(x.constant(0.0), part * factor / size))
        for one, part in zip(ones, z, strict=True)
    )
    return Complex(re, im)
