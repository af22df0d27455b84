"""Gamma draws and what is made of them, differentiable in the shape parameter.

A draw z of the gamma distribution with parameter a keeps its rank when a moves:
P(a, z) = u.  So dz/da = -(dP/da) / p(z), the implicit derivative (Figurnov, Mohamed and Mnih
2018).  With p(t) = t^(a-1) e^-t / Gamma(a) it is an integral without any special function but
psi, the logarithmic derivative of Gamma,

    dz/da = -z * integral over y > 0 of (log z - psi(a) - y) e^(-a y + z (1 - e^-y))

from t = z e^-y below z; above it, from t = z e^y, where z > a.  The rule of exponentials of sinh
(Takahasi and Mori 1974) takes it to nine digits and more.  It is written in differentiable
functions, so that derivatives of every order follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.avals import Value
from ..core.errors import NotDifferentiableError, ShapeError
from ..ops.faces import array, known
from ..ops.logsums import logistic
from ..ops.reducing import Share
from ..ops.stopping import stop_gradient
from ..transforms.custom import custom_jvp
from .drawing import check_scale, generator, parameters, precision, shape_of, sizes_of

SMALL = 0.05  # below, a draw may be less than the least number there is, and its logarithm is drawn
STEP = 0.06
NODES = tuple(np.arange(-4.6, 3.0, STEP).tolist())


def digamma(a: Value) -> Value:
    """psi(a) = d log Gamma(a) / da for a > 0: its asymptotic series ten steps up."""
    up = a + 10.0
    r = 1.0 / (up * up)
    series = r * (
        1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760)))))
    )
    total = np.log(up) - 0.5 / up - series
    for k in range(10):
        total = total - 1.0 / (a + k)
    return total


def slope_in_shape(a: Value, z: Value) -> Value:
    """dz/da of a gamma draw that keeps its rank."""
    return z * slope_of_log(a, z, np.log(z))


def slope_of_log(a: Value, z: Value, log_z: Value) -> Value:
    """D log z/da of a gamma draw that keeps its rank; z itself may be 0 by underflow."""
    plain_a, plain_z = stop_gradient(a), stop_gradient(z)
    below = plain_z <= plain_a
    sign = np.where(below, -1.0, 1.0)
    near = log_z - digamma(a)
    width = 1.0 / (np.sqrt(np.maximum(plain_a, plain_z)) + np.abs(plain_a - plain_z))
    total: Any = 0.0
    for u in NODES:
        y = width * np.exp(np.pi / 2 * np.sinh(u))
        weight = y * (np.pi / 2 * np.cosh(u) * STEP)
        power = sign * a * y - z * np.expm1(np.minimum(sign * y, 600.0))  # beyond, it has vanished
        total = total + weight * np.exp(power) * (near + sign * y)
    return sign * total


@custom_jvp
def implicit_gamma(draws: Any, a: Any) -> Value:
    """Gamma draws, made with the parameter `a`, as functions of it: the value is `draws`.

    It lets draws be made outside of a traced function: `rng.standard_gamma(a, n)` there, and this
    inside.  d = da dz/da, where P(a, z) stays.

    >>> draws = np.random.default_rng(0).standard_gamma(2.0, 1000)
    >>> round(float(qd.grad(lambda a: np.mean(qd.random.implicit_gamma(draws, a)))(2.0)), 1)
    1.0
    """
    return draws + np.zeros(np.shape(a), np.result_type(draws))


def _of_moving_shape(primals: Any, tangents: Any) -> Any:
    z = implicit_gamma(*primals)
    _, da = tangents
    return z, slope_in_shape(primals[1], z) * da


implicit_gamma.defjvp(_of_moving_shape)


@custom_jvp
def implicit_log_gamma(logs: Any, a: Any) -> Value:
    """Logarithms of gamma draws, made with the parameter `a`, as functions of it."""
    return logs + np.zeros(np.shape(a), np.result_type(logs))


def _of_moving_shape_in_logs(primals: Any, tangents: Any) -> Any:
    logs = implicit_log_gamma(*primals)
    _, da = tangents
    return logs, slope_of_log(primals[1], np.exp(logs), logs) * da


implicit_log_gamma.defjvp(_of_moving_shape_in_logs)


def log_of_gamma(name: str, rng: np.random.Generator, a: Value, shape: tuple[int, ...]) -> Value:
    """Logarithms of gamma draws of scale 1: of draws, or, where those would underflow, from
    z = z' u^(1/a) with z' a draw for a + 1 and u uniform.
    """
    plain = known(array(a))
    if plain is None or not np.any((plain > 0) & (plain < SMALL)) or np.any(plain <= 0):
        return np.log(standard_gamma(name, rng, a, shape))
    wanted = np.broadcast_to(plain, shape)
    logs = np.log(rng.standard_gamma(wanted + 1)) - rng.standard_exponential(shape) / wanted
    kind = precision(array(a))
    return implicit_log_gamma(logs.astype(kind), np.broadcast_to(array(a), shape).astype(kind))


def standard_gamma(name: str, rng: np.random.Generator, a: Value, shape: tuple[int, ...]) -> Value:
    """Gamma draws of scale 1, of a shape that contains that of `a`."""
    a = array(a)
    plain = known(a)
    if plain is None:
        raise NotDifferentiableError(
            f"{name}: under vmap the parameter differs between examples and the draws cannot; draw "
            "for all examples at once, outside of vmap"
        )
    if np.any(plain <= 0):
        raise ValueError(f"{name}: a parameter is not positive; gamma parameters must be")
    wanted = np.broadcast_to(plain, shape)
    kind = precision(a)
    draws = np.maximum(rng.standard_gamma(wanted), np.finfo(kind).tiny).astype(kind)  # for its log
    return implicit_gamma(draws, np.broadcast_to(a, shape).astype(draws.dtype))


def gamma(rng: Any, a: Any, scale: Any = 1.0, shape: Any = None) -> Value:
    """Gamma draws with the parameter `a` (which NumPy calls shape) and `scale`.

    The numbers are those of `rng.gamma(a, scale, shape)`.  Raises `ValueError` where a <= 0.

    >>> mean = lambda a: np.mean(qd.random.gamma(0, a, 2.0, shape=2000))
    >>> round(float(qd.grad(mean)(3.0)), 1)  # of 2 a
    2.0
    """
    source = generator("gamma", rng)
    a, scale = parameters("gamma", a, scale)
    check_scale("gamma", "the scale", scale)
    return scale * standard_gamma("gamma", source, a, shape_of("gamma", shape, a, scale))


def chisquare(rng: Any, df: Any, shape: Any = None) -> Value:
    """Chi-square draws of `df` degrees of freedom, which need not be whole: 2 gamma(df / 2).

    >>> bool(qd.grad(lambda k: qd.random.chisquare(0, k))(3.0) > 0)
    True
    """
    source = generator("chisquare", rng)
    (df,) = parameters("chisquare", df)
    return 2.0 * standard_gamma("chisquare", source, df / 2.0, shape_of("chisquare", shape, df))


def beta(rng: Any, a: Any, b: Any, shape: Any = None) -> Value:
    """Beta draws x / (x + y), of gamma draws x and y with parameters a and b.

    >>> mean = lambda a: np.mean(qd.random.beta(0, a, 2.0, shape=4000))
    >>> round(float(qd.grad(mean)(3.0)), 2)  # of a / (a + 2)
    0.08
    """
    source = generator("beta", rng)
    a, b = parameters("beta", a, b)
    sizes = shape_of("beta", shape, a, b)
    x = log_of_gamma("beta", source, a, sizes)
    y = log_of_gamma("beta", source, b, sizes)
    return logistic(x - y)


def dirichlet(rng: Any, alpha: Any, shape: Any = ()) -> Value:
    """Dirichlet draws: gamma draws with parameters `alpha`, (..., n), divided by their sum.

    `shape` comes before the axes of alpha.

    >>> qd.random.dirichlet(0, np.array([1.0, 2.0, 3.0]), shape=4).shape
    (4, 3)
    """
    source = generator("dirichlet", rng)
    (alpha,) = map(array, parameters("dirichlet", alpha))
    if not alpha.ndim:
        raise ShapeError("dirichlet: alpha is one number; give one for each share")
    given = sizes_of("dirichlet", shape)
    return Share((-1,))(log_of_gamma("dirichlet", source, alpha, (*given, *alpha.shape)))


def student_t(rng: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0, shape: Any = None) -> Value:
    """Student t draws, loc + scale z sqrt(df / c) with z normal and c chi-square of df.

    >>> y = lambda df: np.mean(qd.random.student_t(0, df, shape=1000) ** 2)
    >>> bool(qd.grad(y)(9.0) < 0)  # of df / (df - 2)
    True
    """
    source = generator("student_t", rng)
    df, loc, scale = parameters("student_t", df, loc, scale)
    check_scale("student_t", "the scale", scale)
    sizes = shape_of("student_t", shape, df, loc, scale)
    z = source.standard_normal(sizes).astype(precision(df, loc, scale))
    half = standard_gamma("student_t", source, df / 2.0, sizes)
    return loc + scale * z * np.sqrt(df / (2.0 * half))
