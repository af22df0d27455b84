"""Rounding, signs, the larger and the smaller of two, remainders: NumPy's own conventions."""

from __future__ import annotations

from .lane import Lane


def sqrt(x: Lane) -> Lane:
    """Square root."""
    return x.sqrt()


def absolute(x: Lane) -> Lane:
    """|x|."""
    return x.abs()


def floor(x: Lane) -> Lane:
    """The largest whole number not above x."""
    return x.floor()


def ceil(x: Lane) -> Lane:
    """The smallest whole number not below x."""
    return x.call("ceil")


def trunc(x: Lane) -> Lane:
    """The whole part."""
    return x.call("trunc")


def rint(x: Lane) -> Lane:
    """The nearest whole number, an even one where two are as near."""
    return x.call("rint")


def sign(x: Lane) -> Lane:
    """1, 0 or -1; NaN for NaN."""
    unit = x.constant(1.0).copysign(x)
    return ((x < 0.0) | (x > 0.0)).choose(unit, x + 0.0)


def copysign(x: Lane, y: Lane) -> Lane:
    """|x| with the sign of y."""
    return x.copysign(y)


def minimum(x: Lane, y: Lane) -> Lane:
    """The smaller; NaN where either is."""
    return ((x < y) | x.is_nan()).choose(x, y)


def maximum(x: Lane, y: Lane) -> Lane:
    """The larger; NaN where either is."""
    return ((x > y) | x.is_nan()).choose(x, y)


def fmin(x: Lane, y: Lane) -> Lane:
    """The smaller; the other where one is NaN."""
    return ((x < y) | y.is_nan()).choose(x, y)


def fmax(x: Lane, y: Lane) -> Lane:
    """The larger; the other where one is NaN."""
    return ((x > y) | y.is_nan()).choose(x, y)


def fmod(x: Lane, y: Lane) -> Lane:
    """The rest x - n y with the sign of x, exactly: a call of the C library, not vectorised."""
    return x.op(f"frem {x.type_} {x.register}, {y.register}")


def remainder(x: Lane, y: Lane) -> Lane:
    """The rest x - n y with the sign of y."""
    rest = fmod(x, y)
    moved = ((y < 0.0) ^ (rest < 0.0)).choose(rest + y, rest)
    settled = rest.equals(0.0).choose(rest.constant(0.0).copysign(y), moved)
    return y.equals(0.0).choose(rest, settled)
