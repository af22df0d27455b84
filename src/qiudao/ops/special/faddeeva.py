"""Derivatives of the scaled error functions, which direct formulas lose far from 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scipy

from .quadrature import half_line


def erfcx_derivative(n: int, x: Any) -> Any:
    """The n-th derivative of e^(x^2) erfc(x) = 2/sqrt(pi) times the integral of e^(-t^2 - 2 x t).

    For x < 1 by the recurrence f^(m+1) = 2 x f^(m) + 2 m f^(m-1), which loses nothing there.
    """
    right = x >= 1.0
    u = np.where(right, x, 1.0).astype(np.float64)
    outer = (-2.0) ** n * half_line(lambda t: t**n * np.exp(-t * (t + 2.0 * u)), 0.5 / u)
    v = np.where(right, 0.0, x).astype(np.float64)
    before = scipy.special.erfcx(v)
    inner = 2.0 * v * before - 2.0 / math.sqrt(math.pi)
    for m in range(1, n):
        before, inner = inner, 2.0 * v * inner + 2.0 * m * before
    value = np.where(right, outer * (2.0 / math.sqrt(math.pi)), inner)
    return value.astype(x.dtype)


def large_series(n: int, z: Any) -> Any:
    """The n-th derivative of the sum of (2k-1)!! / (2^k z^(2k+1)), for |z| > 7."""
    total = np.zeros_like(z)
    for k in range(25):
        odd = math.prod(range(1, 2 * k, 2)) / 2.0**k
        falls = math.prod(range(2 * k + 1, 2 * k + 1 + n))
        total = total + (-1.0) ** n * odd * falls / z ** (2 * k + 1 + n)
    return total


def dawson_derivative(n: int, x: Any) -> Any:
    """The n-th derivative of Dawson's integral: f^(m+1) = -2 (x f^(m) + m f^(m-1)), or a series."""
    far = np.abs(x) > 7.0
    v = np.where(far, 0.0, x).astype(np.float64)
    before = scipy.special.dawsn(v)
    inner = 1.0 - 2.0 * v * before
    for m in range(1, n):
        before, inner = inner, -2.0 * v * inner - 2.0 * m * before
    outer = 0.5 * large_series(n, np.where(far, x, 8.0).astype(np.float64))
    return np.where(far, outer, inner).astype(x.dtype)


def wofz_derivative(n: int, z: Any) -> Any:
    """The n-th derivative of w: w^(m+1) = -2 (z w^(m) + m w^(m-1)), or a series above the axis."""
    far = (np.abs(z) > 7.0) & (np.imag(z) >= 0.0)
    v = np.where(far, 0.0, z).astype(np.complex128)
    before = scipy.special.wofz(v)
    inner = 2j / math.sqrt(math.pi) - 2.0 * v * before
    for m in range(1, n):
        before, inner = inner, -2.0 * v * inner - 2.0 * m * before
    outer = 1j / math.sqrt(math.pi) * large_series(n, np.where(far, z, 8.0).astype(np.complex128))
    return np.where(far, outer, inner).astype(z.dtype)
