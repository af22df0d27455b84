"""Carlson's symmetric integrals, and all that their derivatives are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.avals import Value
from ...core.primitive import primitive
from .base import Numeric, one
from .declaring import declare
from .quadrature import weighed


def carlson_integral(power: int, halves: tuple[int, ...], *xs: Any) -> Any:
    """The integral over t > 0 of t^power times each (t + x_j)^(-halves_j / 2).

    The trapezoid rule in log t, which converges geometrically; for real operands no term cancels.
    """
    given = np.result_type(*xs)
    wide = np.result_type(given, np.float64)
    zs = np.broadcast_arrays(*(np.asarray(x, wide) for x in xs))
    sizes = np.stack([np.abs(z) for z in zs])
    least = np.min(np.where(sizes > 0, sizes, np.inf), axis=0)
    most = np.max(sizes, axis=0)
    right = sum(halves) / 2.0 - 1.0 - power
    left = 1.0 + power - sum(h for h, z in zip(halves, zs) if not np.all(z)) / 2.0
    low = np.log(least) - 38.0 / max(left, 0.25)
    high = np.log(most) + 38.0 / max(right, 0.25)
    step = 0.25
    count = int(np.ceil(np.max((high - low) / step, initial=0.0))) + 1

    def term(k: Any) -> Any:
        t = np.exp(low + k * step)
        value = t ** (1.0 + power)
        for h, z in zip(halves, zs):
            value = value / (np.sqrt(t + z) if h == 1 else np.sqrt(t + z) ** h)
        return np.where(np.isfinite(value), value, 0.0)

    total = weighed(term, np.arange(float(count)), np.full(count, step), zs[0])
    bad = (np.imag(np.stack(zs)) == 0) & (np.real(np.stack(zs)) < 0)
    return np.where(np.any(bad, axis=0), np.nan, total).astype(given)


@primitive
class Carlson(Numeric):
    """The integral over t > 0 of t^power times each (t + x_j)^(-halves_j / 2).

    d = -halves_j / 2 times the integral with one more (t + x_j) below, dx_j.
    """

    power: int = 0
    halves: tuple[int, ...] = (1, 1, 3)
    compute = carlson_integral
    samples = (
        one("f64[2]", "f64[2]", "f64[2]", low=0.4, high=2.0),
        one("c128[2]", "c128[2]", low=0.6, high=2.0)._replace(fields={"halves": (1, 3)}),
    )

    def slope(self, i: int, out: Value, *xs: Value) -> Value:
        more = tuple(h + 2 * (j == i) for j, h in enumerate(self.halves))
        return -0.5 * self.halves[i] * Carlson(self.power, more)(*xs)


FORMS = {
    "elliprc": (0.5, (1, 2)),  # DLMF 19.16.6
    "elliprd": (1.5, (1, 1, 3)),  # DLMF 19.16.5
    "elliprf": (0.5, (1, 1, 1)),  # DLMF 19.16.1
    "elliprj": (1.5, (1, 1, 1, 2)),  # DLMF 19.16.2
}
NAMES = {"elliprc": "x y", "elliprd": "x y z", "elliprf": "x y z", "elliprj": "x y z p"}
for _name, (_factor, _halves) in FORMS.items():
    _count = len(_halves)
    _f = declare(
        _name,
        NAMES[_name],
        one(*("f64[2]",) * _count, low=0.4, high=2.0),
        one(*("c128[2]",) * _count, low=0.6, high=2.0, order=1),
    )
    for _i, _operand in enumerate(NAMES[_name].split()):
        _f.by(
            _operand,
            f"the integral of the definition, differentiated by {_operand} (DLMF 19.16)",
            lambda out, *xs, i=_i, factor=_factor, halves=_halves: (
                factor * Carlson(0, halves).slope(i, out, *xs)
            ),
        )
elliprg = declare("elliprg", "x y z", one("f64[2]", "f64[2]", "f64[2]", low=0.4, high=2.0))
for _i, _operand in enumerate("xyz"):
    _more = tuple(3 if j == _i else 1 for j in range(3))
    elliprg.by(
        _operand,
        f"1/8 of the integral of t, with (t + {_operand})^(3/2) below (Carlson 1977)",
        lambda out, *xs, more=_more: 0.125 * Carlson(1, more)(*xs),
    )
