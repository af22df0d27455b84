"""The error function, its complement, and the logarithm of the gamma function.

    |x| <= 1/2:  erf x = 2/sqrt(pi) x + x z e(z),   z = x^2
    beyond:      erfc x = e^(-x^2) c(t) / (1 + 2 x),   t = (x - k) / (x + k)

with x^2 as a pair.  c is near constant, and t brings the half line into an interval.

Polynomials: minimax (Remez) of (erf(x)/x - 2/sqrt(pi)) / z in z, weighted by z; and of
(1 + 2 x) e^(x^2) erfc(x) in t, relative, for x from 1/2 to where erfc is 0.
"""

from __future__ import annotations

from .exponentials import minus_one, reduce
from .exponents import scale
from .lane import Lane, polynomial
from .pairs import Pair, constant, divide, quick_sum, two_product, two_sum

TWO_OVER_ROOT_PI = (1.1283791670955126, 1.533545961316588e-17)

ERF = {
    "double": (
        -0.3761263890318358, 0.1128379167093206, -0.026866170634668767, 0.005223977397580395,
        -0.0008548299653633434, 0.00012053418277182011, -1.484777182941102e-05,
        1.474411350077172e-06,
    ),
    "float": (-0.37612617, 0.112829715, -0.026765471, 0.004733123),
}  # fmt: skip

ERFC = {
    "double": (
        1.2530080582697296, -0.1356211061245812, -0.04756229435345066, 0.12964515870276416,
        -0.11927366341531422, 0.06830802734385803, -0.023770514918456487, 0.002529391817948959,
        0.001888690355034088, -0.0007798322881001023, -0.00010515974642960069,
        0.00012509943048951393, 4.949086574487711e-06, -2.010077643915338e-05,
        -7.29718446086152e-07, 3.472601882841719e-06, 3.5184153133453953e-07,
        -6.161239702050537e-07, -1.3299464052941965e-07, 1.0003679278723366e-07,
        3.307004468596828e-08, -1.1119061191646895e-08, -3.888539249543224e-09,
    ),
    "float": (
        1.2769784, -0.092763744, -0.16603082, 0.16404803, -0.05421141, -0.007998906, 0.008660431,
        0.0011228677, -0.0012680752, -0.0001981132,
    ),
}  # fmt: skip

CENTRE = {"double": 3.0, "float": 2.0}
ZERO = {"double": 28.0, "float": 11.0}  # erfc is 0 from here on


def inner(x: Lane) -> Pair:
    """The error function of |x| <= 1/2."""
    high, low = constant(x, *TWO_OVER_ROOT_PI)
    z = x * x
    product = two_product(x, high)
    return Pair(product.high, x.fma(z.fma(polynomial(z, ERF[x.type_]), low), product.low))


def outer(a: Lane) -> Pair:
    """The complement of the error function of a >= 1/2."""
    a = a.at_most(ZERO[a.type_])
    centre = CENTRE[a.type_]
    first, *rest = ERFC[a.type_]
    t = (a - centre) / (a + centre)
    c = quick_sum(first, t * polynomial(t, tuple(rest)))
    q = divide(c, two_sum(a + a, a.constant(1.0)))
    square = two_product(a, a)
    n, r = reduce(-square.high)
    e = minus_one(two_sum(r.high, r.low - square.low))
    # q e^r = q + q (e^r - 1)
    product = quick_sum(q.high, q.high.fma(e.high, q.high.fma(e.low, q.low)))
    return Pair(scale(product.high, n), scale(product.low, n))


def erf(x: Lane) -> Lane:
    """2/sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    a = x.abs()
    rest = outer(a)
    one = quick_sum(1.0, -rest.high)
    beyond = one.high + (one.low - rest.low)
    return (a <= 0.5).choose(inner(a).value(), beyond).copysign(x)


def erfc(x: Lane) -> Lane:
    """1 - erf x without cancellation."""
    near, far = inner(x), outer(x.abs())
    one, two = quick_sum(1.0, -near.high), quick_sum(2.0, -far.high)
    beyond = x.is_negative().choose(two.high + (two.low - far.low), far.value())
    return (x.abs() <= 0.5).choose(one.high + (one.low - near.low), beyond)


def gammaln(x: Lane) -> Lane:
    """The logarithm of |gamma(x)|: a call of the C library, not vectorised."""
    name = {"double": "lgamma", "float": "lgammaf"}[x.type_]
    attributes = "nounwind willreturn memory(none)"
    x.code.module.declare(f"@{name}", f"declare {x.type_} @{name}({x.type_}) {attributes}")
    return x.op(f"call {x.type_} @{name}({x.type_} {x.register})")
