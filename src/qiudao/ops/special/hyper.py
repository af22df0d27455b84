"""Hypergeometric functions, Wright's, Lambert's and the arithmetic-geometric mean."""

from __future__ import annotations

import numpy as np

from .base import one
from .declaring import declare
from .reasons import PARAMETER

LOW, HIGH = 1.0, 2.0
COMPLEX = one("c128[2]", low=0.4, high=1.2)

hyp0f1 = declare("hyp0f1", "v z", one("i64[2]", "f64[2]", low=LOW, high=HIGH))
hyp0f1.by("z", "0F1(v + 1; z) / v (DLMF 16.3.1)", lambda out, v, z: hyp0f1(v + 1, z) / v)
hyp0f1.refuse("v", PARAMETER)
hyp1f1 = declare("hyp1f1", "a b z", one("i64[2]", "i64[2]", "f64[2]", low=LOW, high=HIGH),
                 one("i64[2]", "i64[2]", "c128[2]", low=LOW, high=HIGH))  # fmt: skip
hyp1f1.by("z", "a/b 1F1(a + 1; b + 1; z) (DLMF 13.3.15)",
          lambda out, a, b, z: a / b * hyp1f1(a + 1, b + 1, z))  # fmt: skip
hyp1f1.refuse("a b", PARAMETER)
hyp2f1 = declare(
    "hyp2f1", "a b c z", one("i64[1]", "i64[1]", "i64[1]", "f64[2]", low=0.6, high=1.0)
)
hyp2f1.by("z", "a b/c 2F1(a + 1, b + 1; c + 1; z) (DLMF 15.5.1)",
          lambda out, a, b, c, z: a * b / c * hyp2f1(a + 1, b + 1, c + 1, z))  # fmt: skip
hyp2f1.refuse("a b c", PARAMETER)
hyperu = declare("hyperu", "a b x", one("i64[2]", "i64[2]", "f64[2]", low=LOW, high=HIGH))
hyperu.by("x", "-a U(a + 1, b + 1, x) (DLMF 13.3.22)",
          lambda out, a, b, x: -a * hyperu(a + 1, b + 1, x))  # fmt: skip
hyperu.refuse("a b", PARAMETER)

WRIGHT = one("i64[2]", "i64[2]", "f64[2]", low=LOW, high=HIGH)
wright_bessel = declare("wright_bessel", "a b x", WRIGHT)
wright_bessel.by("x", "Phi(a, a + b; x), term by term (DLMF 10.46.1)",
                 lambda out, a, b, x: wright_bessel(a, a + b, x))  # fmt: skip
wright_bessel.refuse("a b", PARAMETER)
log_wright_bessel = declare("log_wright_bessel", "a b x", WRIGHT)
log_wright_bessel.by("x", "Phi(a, a + b; x) / Phi(a, b; x)",
                     lambda out, a, b, x: np.exp(log_wright_bessel(a, a + b, x) - out))  # fmt: skip
log_wright_bessel.refuse("a b", PARAMETER)

lambertw = declare("_lambertw", "z k tol")
lambertw.by("z", "e^-W / (1 + W) (DLMF 4.13.4)", lambda out, z, k, tol: np.exp(-out) / (1.0 + out))
lambertw.refuse("k tol", "it says which branch, and how exactly")
wrightomega = declare("wrightomega", "z", one("f64[2]", low=-1.0, high=1.0), COMPLEX)
wrightomega.by("z", "out / (1 + out) (Corless and Jeffrey 2002)",
               lambda out, z: out / (1.0 + out))  # fmt: skip
