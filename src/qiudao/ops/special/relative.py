"""(e^x - 1) / x, sinh(x) / x, log(1 + x) / x and their derivatives: none has a hole at 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, one
from .quadrature import unit_interval


def exprel_derivative(n: int, x: Any) -> Any:
    """The integral over t in [0, 1] of t^n e^(x t), by a recurrence where |x| is large."""
    near = np.abs(x) < 30.0
    u = np.where(near, x, 0.0)
    inner = unit_interval(lambda t: t**n * np.exp(u * t), u)
    v = np.where(near, 30.0, x)
    outer = np.expm1(v) / v
    for m in range(1, n + 1):
        outer = np.where(np.isposinf(v), np.inf, (np.exp(v) - m * outer) / v)
    return np.where(near, inner, outer).astype(np.result_type(x))


def sinhc_derivative(n: int, x: Any) -> Any:
    """The integral over t in [0, 1] of t^n cosh(x t), or sinh, by a recurrence where |x| is large.

    The difference of two exponentials would lose the digits of odd orders near 0.
    """
    near = np.abs(x) < 30.0
    u = np.where(near, x, 0.0)
    waves = np.cosh, np.sinh
    inner = unit_interval(lambda t: t**n * waves[n % 2](u * t), u)
    v = np.where(near, 30.0, x)
    outer = np.where(np.isinf(v), np.inf, np.sinh(v) / v)
    for m in range(1, n + 1):
        grown = waves[(m + 1) % 2](v)
        outer = np.where(np.isinf(v), grown, (grown - m * outer) / v)
    return np.where(near, inner, outer).astype(np.result_type(x))


def logrel_derivative(n: int, x: Any) -> Any:
    """(-1)^n n! times the integral over t in [0, 1] of t^n / (1 + x t)^(n + 1)."""
    near = np.abs(x) < 0.9
    u = np.where(near, x, 0.0)
    inner = (
        (-1.0) ** n * math.factorial(n) * unit_interval(lambda t: t**n / (1 + u * t) ** (n + 1), u)
    )
    v = np.where(near, 1.0, x)
    outer = np.log1p(v) / v
    for m in range(1, n + 1):
        slope = (-1.0) ** (m - 1) * math.factorial(m - 1) / (1.0 + v) ** m
        outer = (slope - m * outer) / v
    return np.where(near, inner, outer).astype(np.result_type(x))


@primitive
class ExpRel(Numeric):
    """The derivative of order `order` of (e^x - 1) / x.  d = that of the next order."""

    order: int = 1
    compute = exprel_derivative
    samples = (one("f64[3]", low=-2.0, high=2.0), one("f64[2]", low=31.0, high=33.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return ExpRel(self.order + 1)(xs[0])


@primitive
class SinhC(Numeric):
    """The derivative of order `order` of sinh(x) / x.  d = that of the next order."""

    order: int = 0
    compute = sinhc_derivative
    samples = (one("f64[3]", low=-2.0, high=2.0), one("f64[2]", low=31.0, high=33.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return SinhC(self.order + 1)(xs[0])


@primitive
class LogRel(Numeric):
    """The derivative of order `order` of log(1 + x) / x.  d = that of the next order."""

    order: int = 1
    compute = logrel_derivative
    samples = (one("f64[3]", low=-0.8, high=3.0), one("c128[2]", low=-0.4, high=2.0))

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        return LogRel(self.order + 1)(xs[0])
