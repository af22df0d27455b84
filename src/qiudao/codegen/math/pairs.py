"""Unevaluated sums of two numbers, high + low: twice the digits, from error-free steps.

The steps are Dekker's and Knuth's: the rounding error of a sum or a product is itself a number of
the same format, and a few operations compute it exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from .lane import Lane


class Pair(NamedTuple):
    """high + low, where low is at most about a unit in the last place of high."""

    high: Lane
    low: Lane

    def value(self) -> Lane:
        """The sum, rounded."""
        return self.high + self.low

    def times(self, factor: Lane | float) -> Pair:
        """The product with a power of two."""
        return Pair(self.high * factor, self.low * factor)


def quick_sum(a: Lane | float, b: Lane) -> Pair:
    """The sum a + b exactly, where |a| >= |b|, or a is 0."""
    total = a + b
    return Pair(total, b - (total - a))


def two_sum(a: Lane, b: Lane) -> Pair:
    """The sum a + b exactly."""
    total = a + b
    part = total - a
    return Pair(total, (a - (total - part)) + (b - part))


def two_product(a: Lane, b: Lane | float) -> Pair:
    """The product a b exactly, save underflow."""
    product = a * b
    return Pair(product, a.fma(b, -product))


def multiply(a: Pair, b: Pair) -> Pair:
    """The product a b to almost twice the digits."""
    high, low = two_product(a.high, b.high)
    return quick_sum(high, low + a.high.fma(b.low, a.low * b.high))


def divide(a: Pair, b: Pair) -> Pair:
    """The quotient a / b to almost twice the digits, by one division: q + (a - q b) / b."""
    inverse = 1.0 / b.high
    q = a.high * inverse
    rest = (-q).fma(b.high, a.high) + (a.low - q * b.low)
    return Pair(q, rest * inverse)


def constant(like: Lane, high: float, low: float) -> Pair:
    """A constant written in two numbers of double precision."""
    format_ = like.format
    first = format_.rounded(high)
    return Pair(like.constant(first), like.constant(format_.rounded((high - first) + low)))
