"""Derivatives of psi, real and complex."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scipy


def polygamma_value(n: int, z: Any) -> Any:
    """The n-th derivative of psi: (-1)^(n+1) n! zeta(n + 1, z) (DLMF 25.11.12).

    The left half plane is reflected on the right (DLMF 5.15.6).  Complex arguments are shifted to
    the right and summed asymptotically (DLMF 5.15.8).
    """
    left = np.real(z) < 0.0
    w = np.where(left, 1.0 - z, z)
    if z.dtype.kind == "c":
        right = polygamma_shifted(n, w)
    else:
        wide = w.astype(np.result_type(w, np.float64))
        right = (-1.0) ** (n + 1) * math.factorial(n) * scipy.special.zeta(n + 1.0, wide)
    # psi(1 - z) - psi(z) = pi cot(pi z), differentiated n times (DLMF 5.15.6)
    turned = (-1.0) ** n * right - cotangent_derivative(n, np.where(left, z, 0.25))
    value = np.where(left, turned, right)
    if z.dtype.kind != "c":  # a pole, of one sign from both sides or of none
        pole = (z <= 0) & (z == np.floor(z))
        value = np.where(pole, np.inf if n % 2 else np.nan, value)
    return value.astype(z.dtype)


def cotangent_derivative(n: int, z: Any) -> Any:
    """The n-th derivative of pi cot(pi z), a polynomial in the cotangent."""
    angle = np.pi * (z - np.rint(np.real(z)))
    c = np.cos(angle) / np.sin(angle)
    p = np.polynomial.Polynomial([0.0, np.pi])
    for _ in range(n):  # d/dz p(c) = -pi (1 + c^2) p'(c)
        p = p.deriv() * np.polynomial.Polynomial([-np.pi, 0.0, -np.pi])
    return p(c)


def polygamma_shifted(n: int, z: Any) -> Any:
    """The n-th derivative of psi for Re z >= 0, by recurrence and Stirling's series."""
    sign = (-1.0) ** (n + 1)
    total = np.zeros_like(z, dtype=np.complex128)
    for k in range(20):
        total = total + sign * math.factorial(n) / (z + k) ** (n + 1)
    z = z + 20.0
    total = total + sign * (math.factorial(n - 1) / z**n + math.factorial(n) / (2.0 * z ** (n + 1)))
    numbers = scipy.special.bernoulli(24)
    for k in range(1, 13):
        factor = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        total = total + sign * float(numbers[2 * k]) * factor / z ** (2 * k + n)
    return total
