"""What is made of the gamma and zeta functions: polygamma, multigammaln, comb, factorial."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import scipy.special

from ...core.dispatch import Tracer
from ...core.errors import RuleError
from ...ops.special.declaring import found
from ...ops.special.gamma import PolyGamma, psi
from ..operands import array
from .standing import on_tensors


@on_tensors
def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of psi, for one whole number n.

    Raises `RuleError` where n is an array or a tensor.
    """
    if isinstance(n, Tracer) or np.ndim(n) > 0:
        raise RuleError(
            f"polygamma: n must be one whole number where x is a tensor, not {type(n).__name__} "
            f"of shape {np.shape(n)}; stack the results of several calls"
        )
    order = operator.index(n)
    x = array(x)
    return PolyGamma(order)(x) if order else psi(x)


@on_tensors
def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function: a sum of gammaln(a - j/2) over j < d."""
    d = operator.index(d)
    a = array(a)
    parts = [scipy.special.gammaln(a - 0.5 * j) for j in range(d)]
    return 0.25 * d * (d - 1) * math.log(math.pi) + sum(parts)


@on_tensors
def zeta(x: Any, q: Any = None, out: None = None) -> Any:
    """Riemann's zeta function, or Hurwitz's with q; differentiated by both."""
    if q is None:
        return found("_riemann_zeta")(array(x))
    return found("_zeta")(array(x), array(q))


def refuse_exact(name: str, exact: bool) -> None:
    """Refuse exact integers, which carry no gradient."""
    if exact:
        raise RuleError(
            f"{name}: exact=True gives a Python integer, which carries no gradient; leave exact out"
        )


def is_choice(N: Any, k: Any) -> Any:
    """Whether k of N things can be taken."""
    return (k <= N) & (N >= 0) & (k >= 0)


@on_tensors
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """The number of combinations, by the gamma function; 0 outside 0 <= k <= N."""
    refuse_exact("comb", exact)
    if repetition:
        return comb(N + k - 1, k)
    N, k = array(N), array(k)
    return np.where(is_choice(N, k), found("binom")(N, k), 0.0)


@on_tensors
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """The number of arrangements of k out of N, by the gamma function; 0 outside 0 <= k <= N."""
    refuse_exact("perm", exact)
    N, k = array(N), array(k)
    return np.where(is_choice(N, k), found("poch")(N - k + 1, k), 0.0)


@on_tensors
def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """gamma(n + 1), and 0 for negative n unless extend="complex"."""
    refuse_exact("factorial", exact)
    n = array(n)
    value = found("gamma")(n + 1.0)
    return value if extend == "complex" else np.where(n < 0, 0.0, value)


__all__ = ["comb", "factorial", "multigammaln", "perm", "polygamma", "zeta"]
