"""The remainder of a large double modulo pi/2 (Payne and Hanek).

x = m 2^e with a whole m.  In m 2^e (2/pi) the high bits of 2/pi give multiples of 4, which are
whole turns, and the low ones lie below the last place: 192 bits between are enough.  They are
loaded from the byte where they begin.

The bits of 2/pi come from Machin's formula, pi/4 = 4 arctan(1/5) - arctan(1/239), in integers.
"""

from __future__ import annotations

import functools

from ..code import Module
from .lane import Lane
from .pairs import Pair, multiply, quick_sum

WIDE = "i192"
PLACES = 1280  # binary places of 2/pi in the table
HALF_PI = (1.5707963267948966, 6.123233995736766e-17)


def arctan_of_inverse(n: int, one: int) -> int:
    """arctan(1/n) = 1/n - 1/(3 n^3) + 1/(5 n^5) - ... in units of 1/one."""
    total, power, k, sign = 0, one // n, 1, 1
    while power:
        total += sign * (power // k)
        power, k, sign = power // (n * n), k + 2, -sign
    return total


@functools.cache
def two_over_pi() -> bytes:
    """2/pi to so many binary places, as a little-endian integer with zeros above."""
    one = 1 << (PLACES + 64)
    pi = 4 * (4 * arctan_of_inverse(5, one) - arctan_of_inverse(239, one))
    return ((one << (PLACES + 1)) // pi).to_bytes(PLACES // 8 + 32, "little")


def table(module: Module) -> str:
    """The bytes of 2/pi as a global of the module."""
    data = two_over_pi()
    text = "".join(f"\\{byte:02X}" for byte in data)
    name = "@qd.two_over_pi"
    return module.define(name, f'{name} = private constant [{len(data)} x i8] c"{text}"')


def cast(kind: str, value: Lane, type_: str) -> Lane:
    """An integer or a real as another type."""
    return value.op(f"{kind} {value.type_} {value.register} to {type_}", type_)


def piece(fraction: Lane, index: int) -> Lane:
    """Forty-eight bits of the signed fraction, from the top, as a real number below 1."""
    shift = "ashr" if index == 0 else "lshr"
    down = fraction.op(f"{shift} {WIDE} {fraction.register}, {144 - 48 * index}")
    if index:
        down = down & ((1 << 48) - 1)
    return cast("sitofp", cast("trunc", down, "i64"), "double") * 2.0 ** (-48 * (index + 1))


def remainder(x: Lane) -> tuple[Lane, Pair]:
    """The quarter turns (in the low two bits) and the rest of a double; NaN for an infinite one.

    Scalar code, for |x| >= 2^16.
    """
    code = x.code
    bits = x.abs().bits()
    exponent = (bits >> 52) - 1075
    whole = (bits & ((1 << 52) - 1)) | (1 << 52)
    # The window begins at a bit whose multiples of 2^192 count whole turns.
    start = (PLACES - 190) - exponent
    byte = (start + 7) >> 3
    place = code.op(f"getelementptr i8, ptr {table(code.module)}, i64 {byte.register}")
    window = Lane(code, code.op(f"load {WIDE}, ptr {place}, align 1"), WIDE)
    product = window * cast("zext", whole, WIDE)
    # Two bits of quarters on top, then the fraction.
    surplus = (byte << 3) - (PLACES - 190) + exponent
    wide = cast("zext", surplus, WIDE)
    product = product.op(f"shl {WIDE} {product.register}, {wide.register}")
    fraction = product << 2
    quarter = cast("trunc", product >> 190, "i64") + cast("trunc", fraction >> 191, "i64")
    first = quick_sum(piece(fraction, 0), piece(fraction, 1))
    part = quick_sum(first.high, first.low + piece(fraction, 2))
    r = multiply(part, Pair(*map(x.constant, HALF_PI)))
    # The remainder and the quarter turns change sign with x.
    negative = x.is_negative()
    quarter = negative.choose(quarter.constant(0) - quarter, quarter)
    finite = x.abs() < float("inf")
    high = finite.choose(r.high.flip(negative), float("nan"))
    return quarter, Pair(high, r.low.flip(negative))
