"""Legendre's elliptic integrals, Jacobi's functions and the arithmetic-geometric mean.

With D = (K - E) / m = R_D(0, 1 - m, 1) / 3 and B = K - D no derivative has a hole at m = 0.
"""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from .base import Special, one
from .carlson import Carlson
from .declaring import declare, declare_several

elliprd = Special("elliprd")
PARAMETER = one("f64[3]", low=-0.8, high=0.8)
TWO = one("f64[3]", "f64[3]", low=-0.8, high=0.8)


def d_of(complement: Value) -> Value:
    """(K - E) / m, of 1 - m."""
    return 0.5 * Carlson(0, (1, 1, 3))(0.0, complement, 1.0)


def k_slope(m: Value) -> Value:
    """dK/dm = B / (2 (1 - m)) (DLMF 19.4.1)."""
    return 0.5 * (ellipk(m) - d_of(1.0 - m)) / (1.0 - m)


ellipk = declare("ellipk", "m", PARAMETER)
ellipk.by("m", "(E - (1 - m) K) / (2 m (1 - m)) (DLMF 19.4.1)", lambda out, m: k_slope(m))
ellipkm1 = declare("ellipkm1", "p", one("f64[3]", low=0.2, high=1.5))
ellipkm1.by("p", "-(E - p K) / (2 p (1 - p)) (DLMF 19.4.1)",
            lambda out, p: -0.5 * (out - d_of(p)) / p)  # fmt: skip
ellipe = declare("ellipe", "m", PARAMETER)
ellipe.by("m", "(E - K) / (2 m) (DLMF 19.4.2)", lambda out, m: -0.5 * d_of(1.0 - m))


def amplitude(phi: Value) -> tuple[Value, Value, Value]:
    """The sine and the squared cosine of an angle, and how many half turns are in it."""
    turns = np.rint(phi / np.pi)
    rest = phi - np.pi * turns
    return np.sin(rest), np.cos(rest) ** 2, turns


def f_slope(phi: Value, m: Value) -> Value:
    """dF/dm at a fixed angle: sin^3 / 6 R_D(cos^2, 1, 1 - m sin^2), and that of whole turns."""
    s, c2, turns = amplitude(phi)
    part = s**3 * Carlson(0, (1, 1, 3))(c2, 1.0, 1.0 - m * s * s) * 0.25
    return part + 2.0 * turns * k_slope(m)


def e_slope(phi: Value, m: Value) -> Value:
    """dE/dm at a fixed angle: -sin^3 / 6 R_D(cos^2, 1 - m sin^2, 1), and that of whole turns."""
    s, c2, turns = amplitude(phi)
    part = s**3 * Carlson(0, (1, 1, 3))(c2, 1.0 - m * s * s, 1.0) * 0.25
    return -part - turns * d_of(1.0 - m)


def delta(phi: Value, m: Value) -> Value:
    """sqrt(1 - m sin(phi)^2)."""
    return np.sqrt(1.0 - m * np.sin(phi) ** 2)


ellipkinc = declare("ellipkinc", "phi m", TWO)
ellipkinc.by("phi", "1 / sqrt(1 - m sin(phi)^2)", lambda out, phi, m: 1.0 / delta(phi, m))
ellipkinc.by("m", "sin^3/6 R_D(cos^2, 1, 1 - m sin^2) (DLMF 19.25.5)",
             lambda out, phi, m: f_slope(phi, m))  # fmt: skip
ellipeinc = declare("ellipeinc", "phi m", TWO)
ellipeinc.by("phi", "sqrt(1 - m sin(phi)^2)", lambda out, phi, m: delta(phi, m))
ellipeinc.by("m", "-sin^3/6 R_D(cos^2, 1 - m sin^2, 1) (DLMF 19.25.9)",
             lambda out, phi, m: e_slope(phi, m))  # fmt: skip

sn, cn, dn, ph = declare_several("ellipj", "u m", 4, one("f64[2]", "f64[2]", low=0.2, high=0.8))


def ph_slope(u: Value, m: Value) -> Value:
    """The derivative of the amplitude by m, at a fixed u = F(ph, m)."""
    return -dn(u, m) * f_slope(ph(u, m), m)


sn.by("u", "cn dn (DLMF 22.13.1)", lambda out, u, m: cn(u, m) * dn(u, m))
cn.by("u", "-sn dn (DLMF 22.13.2)", lambda out, u, m: -sn(u, m) * dn(u, m))
dn.by("u", "-m sn cn (DLMF 22.13.3)", lambda out, u, m: -m * sn(u, m) * cn(u, m))
ph.by("u", "dn (DLMF 22.16.3)", lambda out, u, m: dn(u, m))
sn.by("m", "cn dph/dm", lambda out, u, m: cn(u, m) * ph_slope(u, m))
cn.by("m", "-sn dph/dm", lambda out, u, m: -sn(u, m) * ph_slope(u, m))
ph.by("m", "-dn dF/dm, implicitly of F(ph, m) = u", lambda out, u, m: ph_slope(u, m))
dn.by(
    "m", "-(sn^2 + 2 m sn cn dph/dm) / (2 dn)",
    lambda out, u, m: -sn(u, m) * (0.5 * sn(u, m) + m * cn(u, m) * ph_slope(u, m)) / out,
)  # fmt: skip

agm = declare("agm", "a b", one("f64[3]", "f64[3]", low=0.4, high=2.0))


def agm_slope(out: Value, a: Value, b: Value) -> Value:
    """D agm(a, b) / da: agm = pi / (4 R_F'), with 2/pi R_F(0, a^2, b^2) its reciprocal.

    agm(-a, -b) = -agm(a, b), whose slope is that of agm(a, b).
    """
    return out * out * np.abs(a) * Carlson(0, (1, 3, 1))(0.0, a * a, b * b) / np.pi


agm.by("a", "out^2 |a|/pi times the integral of (t + a^2)^(-3/2) ... (DLMF 19.8.6)", agm_slope)
agm.by("b", "the same with a and b exchanged", lambda out, a, b: agm_slope(out, b, a))
