"""Airy's and Kelvin's functions, parabolic cylinders, Mathieu's and spheroidal functions.

Each second derivative is known from the differential equation.
"""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from .base import Special, is_complex, not_differentiable, one
from .declaring import declare, declare_several
from .reasons import DEGREE, NOT_HOLOMORPHIC, ORDER, SPHEROIDAL

REAL = one("f64[2]", low=0.4, high=2.0)
ANY = one("f64[2]", low=-1.5, high=1.5)
COMPLEX = one("c128[2]", low=-0.8, high=0.8)
EQUATION = "the second derivative by the differential equation"

ai, aip, bi, bip = declare_several("airy", "z", 4, ANY, COMPLEX)
ai.by("z", "Ai'(z)", lambda out, z: aip(z))
aip.by("z", "z Ai(z) (DLMF 9.2.1)", lambda out, z: z * ai(z))
bi.by("z", "Bi'(z)", lambda out, z: bip(z))
bip.by("z", "z Bi(z) (DLMF 9.2.1)", lambda out, z: z * bi(z))
aie, aiep, bie, biep = declare_several("airye", "z", 4, REAL)


def decay(z: Value) -> Value:
    """The derivative of (2/3) |Re z^(3/2)| for real z."""
    if is_complex(z):
        raise not_differentiable("airye", "z", NOT_HOLOMORPHIC)
    return np.sqrt(np.maximum(z, 0.0))


aie.by("z", "e^(2/3 z^(3/2)) Ai'(z) + sqrt(z) out", lambda out, z: aiep(z) + np.sqrt(z) * out)
aiep.by("z", "z e^(2/3 z^(3/2)) Ai(z) + sqrt(z) out", lambda out, z: z * aie(z) + np.sqrt(z) * out)
bie.by("z", "e^(-2/3 z^(3/2)) Bi'(z) - sqrt(z) out, for real z",
       lambda out, z: biep(z) - decay(z) * out)  # fmt: skip
biep.by("z", "z e^(-2/3 z^(3/2)) Bi(z) - sqrt(z) out, for real z",
        lambda out, z: z * bie(z) - decay(z) * out)  # fmt: skip

_integrals = declare_several("itairy", "x", 4, ANY)
for _f, _integrand, _text in zip(
    _integrals,
    (ai, bi, lambda x: ai(-x), lambda x: bi(-x)),
    ("Ai(x)", "Bi(x)", "Ai(-x)", "Bi(-x)"),
    strict=True,
):
    _f.by("x", _text, lambda out, x, g=_integrand: g(x))

ber, bei = declare("ber", "x", REAL), declare("bei", "x", REAL)
ker, kei = declare("ker", "x", REAL), declare("kei", "x", REAL)
berp, beip = declare("berp", "x", REAL), declare("beip", "x", REAL)
kerp, keip = declare("kerp", "x", REAL), declare("keip", "x", REAL)
KELVIN = "by Kelvin's equation (DLMF 10.61.3)"
ber.by("x", "berp(x)", lambda out, x: berp(x))
bei.by("x", "beip(x)", lambda out, x: beip(x))
ker.by("x", "kerp(x)", lambda out, x: kerp(x))
kei.by("x", "keip(x)", lambda out, x: keip(x))
berp.by("x", f"-bei(x) - out / x, {KELVIN}", lambda out, x: -bei(x) - over(out, x, 0.0))
beip.by("x", f"ber(x) - out / x, {KELVIN}", lambda out, x: ber(x) - over(out, x, 0.5))
kerp.by("x", f"-kei(x) - out / x, {KELVIN}", lambda out, x: -kei(x) - out / x)
keip.by("x", f"ker(x) - out / x, {KELVIN}", lambda out, x: ker(x) - out / x)
kelvin_b, kelvin_k, kelvin_bp, kelvin_kp = declare_several("kelvin", "x", 4, REAL)
kelvin_b.by("x", "Be'(x)", lambda out, x: kelvin_bp(x))
kelvin_k.by("x", "Ke'(x)", lambda out, x: kelvin_kp(x))
kelvin_bp.by("x", f"i Be(x) - out / x, {KELVIN}",
             lambda out, x: 1j * kelvin_b(x) - over(out, x, 0.5j))  # fmt: skip
kelvin_kp.by("x", f"i Ke(x) - out / x, {KELVIN}", lambda out, x: 1j * kelvin_k(x) - out / x)


def over(y: Value, x: Value, limit: complex) -> Value:
    """Y / x, and its limit at 0."""
    return np.where(x == 0, limit, y / np.where(x == 0, 1.0, x))


CYLINDER = one("i64[2]", "f64[2]", low=0.5, high=1.5)
for _name, _order in (("pbdv", "v"), ("pbvv", "v"), ("pbwa", "a")):
    _f, _fp = declare_several(_name, f"{_order} x", 2, CYLINDER)

    def force(v: Value, x: Value, turned: bool = _name == "pbwa") -> Value:
        """What multiplies the function in Weber's equation."""
        return v - 0.25 * x * x if turned else 0.25 * x * x - v - 0.5

    _f.by("x", "the derivative that comes beside it", lambda out, v, x, fp=_fp: fp(v, x))
    _fp.by("x", EQUATION + " (DLMF 12.2)",
           lambda out, v, x, f=_f, force=force: force(v, x) * f(v, x))  # fmt: skip
    _f.refuse(_order, ORDER)
    _fp.refuse(_order, ORDER)

mathieu_a, mathieu_b = (
    declare(name, "m q", one("i64[2]", "i64[2]", low=1.0, high=2.0))
    for name in ("mathieu_a", "mathieu_b")
)
mathieu_a.refuse("m q", SPHEROIDAL)
mathieu_b.refuse("m q", SPHEROIDAL)
DEGREE_ANGLE = np.pi / 180.0
MATHIEU = one("i64[2]", "i64[2]", "f64[2]", low=1.0, high=2.0)
for _name in ("cem", "sem"):
    _f, _fp = declare_several(f"mathieu_{_name}", "m q x", 2, MATHIEU)
    _value = mathieu_a if _name == "cem" else mathieu_b

    def angular(m: Value, q: Value, x: Value, value: Special = _value) -> Value:
        """What multiplies the function in Mathieu's equation, x in degrees."""
        return 2.0 * q * np.cos(2.0 * DEGREE_ANGLE * x) - value(m, q)

    _f.by("x", "the derivative that comes beside it, times pi / 180",
          lambda out, m, q, x, fp=_fp: fp(m, q, x) * DEGREE_ANGLE)  # fmt: skip
    _fp.by("x", EQUATION + " (DLMF 28.2.1), times pi / 180",
           lambda out, *xs, f=_f, g=angular: f(*xs) * g(*xs) * DEGREE_ANGLE)  # fmt: skip
    _f.refuse("m q", SPHEROIDAL)
    _fp.refuse("m q", SPHEROIDAL)
for _name in ("modcem1", "modcem2", "modsem1", "modsem2"):
    _f, _fp = declare_several(f"mathieu_{_name}", "m q x", 2, MATHIEU)
    _value = mathieu_a if "cem" in _name else mathieu_b

    def radial(m: Value, q: Value, x: Value, value: Special = _value) -> Value:
        """What multiplies the function in Mathieu's modified equation."""
        return value(m, q) - 2.0 * q * np.cosh(2.0 * x)

    _f.by("x", "the derivative that comes beside it", lambda out, m, q, x, fp=_fp: fp(m, q, x))
    _fp.by("x", EQUATION + " (DLMF 28.20.1)",
           lambda out, m, q, x, f=_f, g=radial: f(m, q, x) * g(m, q, x))  # fmt: skip
    _f.refuse("m q", SPHEROIDAL)
    _fp.refuse("m q", SPHEROIDAL)

for _kind in ("pro", "obl"):
    _cv = declare(f"{_kind}_cv", "m n c", one("i64[1]", "i64[1]", "i64[1]", low=1.0, high=1.0))
    _cv.refuse("m n c", SPHEROIDAL)
    for _name in ("ang1", "rad1", "rad2"):
        for _given in ("", "_cv"):
            _operands = "m n c cv x" if _given else "m n c x"
            _types = ("i64[1]",) * (len(_operands.split()) - 1)
            _low, _high = (0.2, 0.8) if _name == "ang1" else (1.2, 1.8)
            _samples = (
                ()
                if _given or _name == "rad2"
                else (one(*_types, "f64[2]", low=_low, high=_high, order=1),)
            )
            _f, _fp = declare_several(f"{_kind}_{_name}{_given}", _operands, 2, *_samples)

            def curvature(
                slope: Value,
                value: Value,
                lmbda: Value,
                m: Value,
                c: Value,
                x: Value,
                kind: str = f"{_kind}_{_name[:3]}",
            ) -> Value:
                """The second derivative by the spheroidal wave equation (DLMF 30.2.1, 30.11)."""
                square = x * x
                if kind == "obl_rad":
                    rest = lmbda - c * c * square - m * m / (square + 1.0)
                    return (rest * value - 2.0 * x * slope) / (square + 1.0)
                sign = 1.0 if kind.startswith("pro") else -1.0
                rest = lmbda - sign * c * c * square - m * m / (1.0 - square)
                return (2.0 * x * slope - rest * value) / (1.0 - square)

            def bend(
                out: Value,
                *xs: Value,
                f: Special = _f,
                cv: Special = _cv,
                rule: object = curvature,
            ) -> Value:
                """The equation at these operands, with the eigenvalue given or found."""
                m, n, c, *given, x = xs
                lmbda = given[0] if given else cv(m, n, c)
                return rule(out, f(*xs), lmbda, m, c, x)  # type: ignore[operator]

            _f.by("x", "the derivative that comes beside it",
                  lambda out, *xs, fp=_fp: fp(*xs))  # fmt: skip
            _fp.by("x", EQUATION + " (DLMF 30.2.1)", bend)
            _f.refuse(_operands.removesuffix(" x"), SPHEROIDAL)
            _fp.refuse(_operands.removesuffix(" x"), SPHEROIDAL)

lpmv = declare("lpmv", "m v x", one("i64[2]", "i64[2]", "f64[2]", low=0.0, high=0.9))
lpmv.by(
    "x", "((v + m) P_(v-1) - v x P_v) / (1 - x^2) (DLMF 14.10.5)",
    lambda out, m, v, x: ((v + m) * lpmv(m, v - 1.0, x) - v * x * out) / ((1.0 - x) * (1.0 + x)),
)  # fmt: skip
lpmv.refuse("m v", DEGREE)
