"""Exponents: taking numbers apart into 2^k m, and putting them together."""

from __future__ import annotations

from typing import NamedTuple

from .lane import FORMATS, REALS, Lane


class Rounded(NamedTuple):
    """A whole number near a real one: as a real, and in the low bits of `bits`."""

    real: Lane
    bits: Lane


def magic(x: Lane) -> float:
    """1.5 * 2^p for a p-bit significand: what is added to it is rounded to a whole number."""
    return float(3 << (x.format.mantissa - 1))


def rounded_product(x: Lane, factor: float) -> Rounded:
    """The whole number nearest to x * factor, which must be below 2^(p - 2).

    Adding `magic` leaves the number in the low bits: SSE and AVX2 have no conversion of 64-bit
    integers.
    """
    shifted = x.fma(factor, magic(x))
    return Rounded(shifted - magic(x), shifted.bits())


def power_of_two(n: Lane) -> Lane:
    """2^(n - bias): the low bits of the integer n become the exponent."""
    return (n << FORMATS[REALS[n.type_]].mantissa).real()


def factors(n: Rounded) -> tuple[Lane, Lane]:
    """2^half and 2^(n - half): n may run twice as far as exponents do."""
    bias = n.real.format.bias
    half = n.real.fma(0.5, magic(n.real) + bias).bits()
    return power_of_two(half), power_of_two(n.bits - half + 2 * bias)


def scale(x: Lane, n: Rounded) -> Lane:
    """The product x 2^n, rounded once where the result is denormal, for x near 1."""
    first, second = factors(n)
    return x * first * second


def enlarge(x: Lane, n: Rounded, halvings: int = 0) -> Lane:
    """The product x 2^(n - halvings), for n >= 0 or small, up to where it overflows."""
    return x * power_of_two(n.bits + (x.format.bias - 4)) * 2.0 ** (4 - halvings)


def whole_power_of_two(n: Lane) -> Lane:
    """2^n of a whole number given as a real."""
    return power_of_two((n + (magic(n) + n.format.bias)).bits())


def inverse_power_of_two(n: Lane) -> Lane:
    """2^-n of a whole number given as a real; from 64 on it is 2^-64, nothing beside 1."""
    return whole_power_of_two(-n.at_most(64.0))


class Split(NamedTuple):
    """x = 2^exponent * mantissa, the exponent as a real."""

    exponent: Lane
    mantissa: Lane


def split(x: Lane, low: float) -> Split:
    """The parts of a positive finite x, the mantissa between `low` and 2 `low` (1/2 <= low <= 1).

    Denormals are scaled up first.
    """
    format_ = x.format
    p, shift = format_.mantissa, format_.mantissa + 2
    denormal = x < 2.0 ** (1 - format_.bias)
    bits = denormal.choose(x * 2.0**shift, x).bits()
    offset = format_.pattern(1.0) - format_.pattern(low)
    moved = bits + offset
    mantissa = ((moved & ((1 << p) - 1)) + format_.pattern(low)).real()
    # The exponent becomes a real by standing in the last places of 2^p.
    biased = (moved >> p) | format_.pattern(2.0**p)
    start = denormal.choose(x.constant(2.0**p + format_.bias + shift), 2.0**p + format_.bias)
    return Split(biased.real() - start, mantissa)
