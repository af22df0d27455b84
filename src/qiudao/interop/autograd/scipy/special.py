"""`autograd.scipy.special`: SciPy's special functions with derivatives.

The functions with a rule here have it in the arguments in which HIPS autograd has one; every
other name is SciPy's own, whose ufuncs know our tracers where qiudao has a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as plain

import qiudao as qd

from ....core.dispatch import Tracer, overrides
from ..registered import defvjp, primitive

Rule = Callable[..., Any]
HALF_LOG_TAU = 0.9189385332046727  # log(2 pi) / 2
TWO_OVER_ROOT_PI = 1.1283791670955126


def ruled(name: str, *slopes: Rule | None, start: int = 0) -> Any:
    """SciPy's function `name`, with the slope (ans, *args) -> d ans / d arg for its arguments.

    The first slope is for argument `start`; a ufunc for which qiudao has a rule stays as it is.
    """
    function = getattr(plain, name)
    if overrides.find(function) is not None:
        return function
    made = primitive(function)
    rules = [None if slope is None else _times(slope) for slope in slopes]
    defvjp(made, *rules, argnums=range(start, start + len(slopes)))
    return made


def _times(slope: Rule) -> Rule:
    return lambda ans, *args: lambda g: g * slope(ans, *args)


def _power_density(a: Any, x: Any) -> Any:
    """x^(a-1) e^-x / Gamma(a), which is 0 or finite where its factors overflow."""
    return np.exp(plain_xlogy(a - 1, x) - x - gammaln(a))


def plain_xlogy(a: Any, x: Any) -> Any:
    """A log x, 0 where a is 0."""
    return np.where(a == 0, 0.0, a * np.log(np.where(a == 0, 1.0, x)))


gammasgn: Any = ruled("gammasgn", None)
polygamma: Any = ruled("polygamma", None, lambda ans, n, x: polygamma(n + 1, x))
psi: Any = ruled("psi", lambda ans, x: polygamma(1, x))
digamma = psi
gammaln: Any = ruled("gammaln", lambda ans, x: psi(x))
gamma: Any = ruled("gamma", lambda ans, x: ans * psi(x))
rgamma: Any = ruled("rgamma", lambda ans, x: -ans * psi(x))
gammainc: Any = ruled("gammainc", lambda ans, a, x: _power_density(a, x), start=1)
gammaincc: Any = ruled("gammaincc", lambda ans, a, x: -_power_density(a, x), start=1)
multigammaln: Any = ruled(
    "multigammaln",
    lambda ans, a, d: np.sum(psi(np.expand_dims(a, -1) - np.arange(d) / 2.0), -1),
)

beta: Any = ruled(
    "beta",
    lambda ans, a, b: ans * (psi(a) - psi(a + b)),
    lambda ans, a, b: ans * (psi(b) - psi(a + b)),
)
betaln: Any = ruled(
    "betaln", lambda ans, a, b: psi(a) - psi(a + b), lambda ans, a, b: psi(b) - psi(a + b)
)
betainc: Any = ruled(
    "betainc",
    lambda ans, a, b, x: np.exp(plain_xlogy(a - 1, x) + plain_xlogy(b - 1, 1.0 - x) - betaln(a, b)),
    start=2,
)

j0: Any = ruled("j0", lambda ans, x: -j1(x))
y0: Any = ruled("y0", lambda ans, x: -y1(x))
j1: Any = ruled("j1", lambda ans, x: (j0(x) - jn(2, x)) / 2.0)
y1: Any = ruled("y1", lambda ans, x: (y0(x) - yn(2, x)) / 2.0)
jn: Any = ruled("jn", None, lambda ans, n, x: (jn(n - 1, x) - jn(n + 1, x)) / 2.0)
jv: Any = ruled("jv", None, lambda ans, n, x: (jv(n - 1, x) - jv(n + 1, x)) / 2.0)
yn: Any = ruled("yn", None, lambda ans, n, x: (yn(n - 1, x) - yn(n + 1, x)) / 2.0)
i0: Any = ruled("i0", lambda ans, x: i1(x))
i1: Any = ruled("i1", lambda ans, x: (i0(x) + iv(2, x)) / 2.0)
iv: Any = ruled("iv", None, lambda ans, n, x: (iv(n - 1, x) + iv(n + 1, x)) / 2.0)
ive: Any = ruled(
    "ive", None, lambda ans, n, x: (ive(n - 1, x) + ive(n + 1, x)) / 2.0 - ans * np.sign(x)
)

erf: Any = ruled("erf", lambda ans, x: TWO_OVER_ROOT_PI * np.exp(-(x**2)))
erfc: Any = ruled("erfc", lambda ans, x: -TWO_OVER_ROOT_PI * np.exp(-(x**2)))
erfinv: Any = ruled("erfinv", lambda ans, x: np.exp(ans**2) / TWO_OVER_ROOT_PI)
erfcinv: Any = ruled("erfcinv", lambda ans, x: -np.exp(ans**2) / TWO_OVER_ROOT_PI)
ndtr: Any = ruled("ndtr", lambda ans, x: np.exp(-(x**2) / 2 - HALF_LOG_TAU))
log_ndtr: Any = ruled("log_ndtr", lambda ans, x: np.exp(-(x**2) / 2 - HALF_LOG_TAU - ans))
logit: Any = ruled("logit", lambda ans, x: 1.0 / (x * (1.0 - x)))
expit: Any = ruled("expit", lambda ans, x: ans * expit(-x))


def xlogy(x: Any, y: Any) -> Any:
    """X log(y), 0 where x is 0."""
    traced = isinstance(x, Tracer) or isinstance(y, Tracer)
    return plain_xlogy(x, y) if traced else plain.xlogy(x, y)


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b exp(x))) along `axis`, without overflow.

    >>> from qiudao.interop.autograd import grad
    >>> from qiudao.interop.autograd.scipy.special import logsumexp
    >>> grad(logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    if not isinstance(x, Tracer) and not isinstance(b, Tracer):
        return plain.logsumexp(x, axis=axis, b=b, keepdims=keepdims)
    largest = np.max(qd.stop_gradient(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(largest), largest, 0.0)
    terms = np.exp(x - top) if b is None else b * np.exp(x - top)
    total = np.log(np.sum(terms, axis=axis, keepdims=keepdims))
    return total + (top if keepdims else np.reshape(top, np.shape(total)))


__all__ = sorted(set(plain.__all__))


def __getattr__(name: str) -> Any:
    """A name of SciPy's."""
    return getattr(plain, name)
