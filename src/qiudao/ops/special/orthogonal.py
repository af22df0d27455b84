"""Orthogonal polynomials: the derivative of each is one of lower degree (DLMF 18.9)."""

from __future__ import annotations

import numpy as np

from ...core.avals import Value
from .base import one
from .declaring import declare
from .reasons import DEGREE, PARAMETER

DEGREES = (
    one("i64[2]", "f64[2]", low=0.2, high=2.9),
    one("i64[2]", "c128[2]", low=1.0, high=2.0),
)
jacobi = declare(
    "eval_jacobi", "n alpha beta x", one("i64[2]", "i64[2]", "i64[2]", "f64[2]", low=0.2, high=1.9)
)
jacobi.by(
    "x", "(n + alpha + beta + 1)/2 P_(n-1)^(alpha+1, beta+1) (DLMF 18.9.15)",
    lambda out, n, a, b, x: 0.5 * (n + a + b + 1) * jacobi(n - 1, a + 1, b + 1, x),
)  # fmt: skip
sh_jacobi = declare(
    "eval_sh_jacobi", "n p q x", one("i64[2]", "i64[2]", "i64[2]", "f64[2]", low=0.6, high=1.9)
)
sh_jacobi.by("x", "n G_(n-1)(p + 2, q + 1, x)",
             lambda out, n, p, q, x: sh_jacobi_slope(n, p, q, x))  # fmt: skip


def sh_jacobi_slope(n: Value, p: Value, q: Value, x: Value) -> Value:
    """N G_(n-1)(p + 2, q + 1, x), and 0 for the constant polynomial."""
    lower = sh_jacobi(np.where(n == 0, n, n - 1), p + 2, q + 1, x)
    return np.where(n == 0, 0.0, n * lower)


gegenbauer = declare(
    "eval_gegenbauer", "n alpha x", one("i64[2]", "i64[2]", "f64[2]", low=0.6, high=2.9)
)
gegenbauer.by("x", "2 alpha C_(n-1)^(alpha+1) (DLMF 18.9.19)",
              lambda out, n, a, x: 2.0 * a * gegenbauer(n - 1, a + 1, x))  # fmt: skip
legendre = declare("eval_legendre", "n x", *DEGREES)
legendre.by("x", "C_(n-1)^(3/2)(x) (DLMF 18.9.19)",
            lambda out, n, x: legendre_slope(n, x))  # fmt: skip
sh_legendre = declare("eval_sh_legendre", "n x", *DEGREES)
sh_legendre.by("x", "2 C_(n-1)^(3/2)(2x - 1)",
               lambda out, n, x: 2.0 * legendre_slope(n, 2.0 * x - 1.0))  # fmt: skip


def legendre_slope(n: Value, x: Value) -> Value:
    """C_(n-1)^(3/2)(x); for n < 0 that of the same function of degree -n - 1 (DLMF 14.9.5)."""
    return gegenbauer(np.where(n < 0, -n - 1, n) - 1, 1.5, x)


chebyu = declare("eval_chebyu", "n x", *DEGREES)
chebyu.by("x", "2 C_(n-1)^(2)(x)", lambda out, n, x: 2.0 * gegenbauer(n - 1, 2.0, x))
chebyt = declare("eval_chebyt", "n x", *DEGREES)
chebyt.by("x", "n U_(n-1)(x) (DLMF 18.9.21)", lambda out, n, x: n * chebyu(n - 1, x))
chebyc = declare("eval_chebyc", "n x", *DEGREES)
chebyc.by("x", "n U_(n-1)(x/2)", lambda out, n, x: n * chebyu(n - 1, 0.5 * x))
chebys = declare("eval_chebys", "n x", *DEGREES)
chebys.by("x", "C_(n-1)^(2)(x/2)", lambda out, n, x: gegenbauer(n - 1, 2.0, 0.5 * x))
sh_chebyt = declare("eval_sh_chebyt", "n x", *DEGREES)
sh_chebyt.by("x", "2n U_(n-1)(2x - 1)", lambda out, n, x: 2.0 * n * chebyu(n - 1, 2.0 * x - 1.0))
sh_chebyu = declare("eval_sh_chebyu", "n x", *DEGREES)
sh_chebyu.by("x", "4 C_(n-1)^(2)(2x - 1)",
             lambda out, n, x: 4.0 * gegenbauer(n - 1, 2.0, 2.0 * x - 1.0))  # fmt: skip
hermite = declare("eval_hermite", "n x", DEGREES[0])
hermite.by("x", "2n H_(n-1) (DLMF 18.9.25)",
           lambda out, n, x: 2.0 * n * hermite(np.maximum(n - 1, 0), x))  # fmt: skip
hermitenorm = declare("eval_hermitenorm", "n x", DEGREES[0])
hermitenorm.by("x", "n He_(n-1) (DLMF 18.9.27)",
               lambda out, n, x: n * hermitenorm(np.maximum(n - 1, 0), x))  # fmt: skip
genlaguerre = declare(
    "eval_genlaguerre", "n alpha x", one("i64[2]", "i64[2]", "f64[2]", low=0.6, high=2.9)
)
genlaguerre.by("x", "-L_(n-1)^(alpha+1) (DLMF 18.9.23)",
               lambda out, n, a, x: -genlaguerre(n - 1, a + 1, x))  # fmt: skip
laguerre = declare("eval_laguerre", "n x", *DEGREES)
laguerre.by("x", "-L_(n-1)^(1) (DLMF 18.9.23)", lambda out, n, x: -genlaguerre(n - 1, 1.0, x))

for _f in (jacobi, sh_jacobi, gegenbauer, legendre, sh_legendre, chebyu, chebyt, chebyc, chebys,
           sh_chebyt, sh_chebyu, hermite, hermitenorm, genlaguerre, laguerre):  # fmt: skip
    _f.refuse("n", DEGREE)
jacobi.refuse("alpha beta", PARAMETER)
sh_jacobi.refuse("p q", PARAMETER)
gegenbauer.refuse("alpha", PARAMETER)
genlaguerre.refuse("alpha", PARAMETER)
