"""Spherical Bessel functions, derivatives of Bessel functions, Lambert's function."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ...ops.special.declaring import found
from ..operands import array
from .standing import on_tensors


def spherical(kind: str, n: Any, z: Any, derivative: bool) -> Any:
    """A spherical Bessel function or its derivative; n is held fixed.

    SciPy's own operations take no negative z, where the functions are even or odd (DLMF 10.47.14),
    but k_n, whose complex form goes on there.
    """
    f = found(f"_spherical_{kind}_d" if derivative else f"_spherical_{kind}")
    n, z = np.asarray(n, dtype=np.dtype("long")), array(z)
    if kind == "yn" or z.dtype.kind == "c":
        return f(n, z)
    left = z < 0
    if kind == "kn":
        beyond = np.real(f(n, np.where(left, z, 1.0) + 0j))
        return np.where(left, beyond, f(n, np.where(left, 1.0, z)))
    mirrored = f(n, np.where(left, -z, z))
    return np.where(left & ((n + derivative) % 2 == 1), -mirrored, mirrored)


@on_tensors
def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of the first kind, of whole order n."""
    return spherical("jn", n, z, derivative)


@on_tensors
def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of the second kind, of whole order n."""
    return spherical("yn", n, z, derivative)


@on_tensors
def spherical_in(n: Any, z: Any, derivative: bool = False) -> Any:
    """The modified spherical Bessel function of the first kind, of whole order n."""
    return spherical("in", n, z, derivative)


@on_tensors
def spherical_kn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The modified spherical Bessel function of the second kind, of whole order n."""
    return spherical("kn", n, z, derivative)


def differentiated(name: str, v: Any, z: Any, n: Any, sign: int) -> Any:
    """The n-th derivative by z: a sum over neighbouring orders (DLMF 10.6.7, 10.29.5)."""
    n = operator.index(n)
    v, z = array(v), array(z)
    f = found(name)
    terms = [sign**k * math.comb(n, k) * f(v - n + 2 * k, z) for k in range(n + 1)]
    return sum(terms[1:], terms[0]) / 2.0**n


@on_tensors
def jvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of jv by z."""
    return differentiated("jv", v, z, n, -1)


@on_tensors
def yvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of yv by z."""
    return differentiated("yv", v, z, n, -1)


@on_tensors
def ivp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of iv by z."""
    return differentiated("iv", v, z, n, 1)


@on_tensors
def kvp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of kv by z."""
    return (-1.0) ** operator.index(n) * differentiated("kv", v, z, n, 1)


@on_tensors
def h1vp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of hankel1 by z."""
    return differentiated("hankel1", v, z, n, -1)


@on_tensors
def h2vp(v: Any, z: Any, n: int = 1) -> Any:
    """The n-th derivative of hankel2 by z."""
    return differentiated("hankel2", v, z, n, -1)


@on_tensors
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """Lambert's function, the solution w of w e^w = z on branch k."""
    return found("_lambertw")(array(z), np.asarray(k, dtype=np.dtype("long")), tol)


__all__ = [
    "h1vp",
    "h2vp",
    "ivp",
    "jvp",
    "kvp",
    "lambertw",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "yvp",
]
