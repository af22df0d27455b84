"""Exponentials, logarithms, losses and angles: what needs no function beyond NumPy's own."""

from __future__ import annotations

import math

import numpy as np

from ...core.avals import Value
from ...core.dispatch import overrides
from ...core.element import Element, Scalar
from ..logsums import logistic_density
from .base import one
from .declaring import declare, declare_constant, found
from .relative import ExpRel, LogRel

ONE = one("f64[3]", low=-1.5, high=1.5)
UNIT = one("f64[3]", low=0.1, high=0.9)
TWO = one("f64[3]", "f64[3]", low=0.3, high=1.5)
DEGREE = math.pi / 180.0

for _name in ("cbrt", "exp2", "expm1", "log1p"):  # SciPy has its own of NumPy's
    overrides[found(_name)] = overrides[getattr(np, _name)]

expit = declare("expit", "x", ONE)
expit.by("x", "e^-x / (1 + e^-x)^2", lambda out, x: logistic_density(x))
log_expit = declare("log_expit", "x", ONE)
log_expit.by("x", "expit(-x)", lambda out, x: expit(-x))
logit = declare("logit", "x", UNIT)
logit.by("x", "1 / (x (1 - x))", lambda out, x: 1.0 / (x * (1.0 - x)))
exp10 = declare("exp10", "x", ONE)
exp10.by("x", "out log(10)", lambda out, x: out * math.log(10.0))
exprel = declare("exprel", "x", ONE)
exprel.by("x", "the integral over t in [0, 1] of t e^(x t)", lambda out, x: ExpRel(1)(x))
powm1 = declare("powm1", "x y", TWO)
powm1.by("x", "y x^(y - 1)", lambda out, x, y: y * np.power(x, y - 1.0))
powm1.by("y", "x^y log(x)", lambda out, x, y: np.power(x, y) * np.log(x))

cosm1 = declare("cosm1", "x", ONE)
cosm1.by("x", "-sin(x)", lambda out, x: -np.sin(x))
sindg, cosdg = declare("sindg", "x", ONE), declare("cosdg", "x", ONE)
sindg.by("x", "cosdg(x) pi / 180", lambda out, x: cosdg(x) * DEGREE)
cosdg.by("x", "-sindg(x) pi / 180", lambda out, x: -sindg(x) * DEGREE)
tandg = declare("tandg", "x", ONE)
tandg.by("x", "(1 + out^2) pi / 180", lambda out, x: (1.0 + out * out) * DEGREE)
cotdg = declare("cotdg", "x", one("f64[3]", low=40.0, high=50.0))
cotdg.by("x", "-(1 + out^2) pi / 180", lambda out, x: (1.0 + out * out) * -DEGREE)
radian = declare("radian", "d m s", one("f64[3]", "f64[3]", "f64[3]"))
radian.by("d", "pi / 180", lambda out, d, m, s: np.asarray(DEGREE, out.dtype))
radian.by("m", "pi / 10800", lambda out, d, m, s: np.asarray(DEGREE / 60.0, out.dtype))
radian.by("s", "pi / 648000", lambda out, d, m, s: np.asarray(DEGREE / 3600.0, out.dtype))
round_ = declare_constant("round", ONE)

xlogy = declare("xlogy", "x y", TWO, one("c128[2]", "c128[2]"))
xlogy.by("x", "log(y)", lambda out, x, y: np.log(y))
xlogy.by("y", "x / y, and 0 at (0, 0)", lambda out, x, y: ratio(x, y))
xlog1py = declare("xlog1py", "x y", TWO, one("c128[2]", "c128[2]"))
xlog1py.by("x", "log(1 + y)", lambda out, x, y: np.log1p(y))
xlog1py.by("y", "x / (1 + y), and 0 at (0, -1)", lambda out, x, y: ratio(x, 1.0 + y))


def ratio(x: Value, y: Value) -> Value:
    """X / y, and 0 where both are 0."""
    return x / np.where((x == 0) & (y == 0), 1.0, y)


entr = declare("entr", "x", UNIT)
entr.by("x", "-log(x) - 1", lambda out, x: inside(x >= 0, -np.log(x) - 1.0))
rel_entr = declare("rel_entr", "x y", TWO)
rel_entr.by("x", "log(x / y) + 1", lambda out, x, y: inside(is_pair(x, y), log_ratio(x, y) + 1.0))
rel_entr.by("y", "-x / y", lambda out, x, y: inside(is_pair(x, y), -ratio(x, y)))
kl_div = declare("kl_div", "x y", TWO)
kl_div.by("x", "log(x / y)", lambda out, x, y: inside(is_pair(x, y), log_ratio(x, y)))
kl_div.by("y", "(y - x) / y", lambda out, x, y: inside(is_pair(x, y), (y - x) / y))


def is_pair(x: Value, y: Value) -> Value:
    """Where the relative entropy is finite."""
    return (x >= 0) & (y > 0)


def inside(domain: Value, slope: Value) -> Value:
    """A slope where the function is not the constant infinity that it has outside its domain."""
    return np.where(domain, slope, np.nan)


def log_ratio(x: Value, y: Value) -> Value:
    """log(x / y), to full relative accuracy where the two are close."""
    near = np.abs(x - y) < 0.5 * y
    a, b = np.where(near, x, 1.0), np.where(near, y, 1.0)
    c, d = np.where(near, 1.0, x), np.where(near, 1.0, y)
    return np.where(near, np.log1p((a - b) / b), np.log(c) - np.log(d))


huber = declare("huber", "delta r", TWO, one("f64[3]", "f64[]", low=0.2, high=0.9))
huber.by(
    "delta", "max(|r| - delta, 0)",
    lambda out, delta, r: inside(delta >= 0, np.maximum(np.abs(r) - delta, 0.0)),
)  # fmt: skip
huber.by(
    "r", "r, clipped to [-delta, delta]",
    lambda out, delta, r: inside(delta >= 0, np.clip(r, -delta, delta)),
)  # fmt: skip
pseudo_huber = declare("pseudo_huber", "delta r", TWO)
pseudo_huber.by(
    "r", "delta r / sqrt(delta^2 + r^2)", lambda out, delta, r: delta * (r / np.hypot(delta, r))
)


def pseudo_huber_slope(out: Value, delta: Value, r: Value) -> Value:
    """With h = hypot(delta, r): r^4 / (h (delta + h)^2), without cancellation or overflow."""
    h = np.hypot(delta, r)
    part = r / (delta + h)
    return r / h * r * part * part


pseudo_huber.by("delta", "r^4 / (h (delta + h)^2), h = sqrt(delta^2 + r^2)", pseudo_huber_slope)


def power_mean_slope(log: Value, lmbda: Value) -> Value:
    """d/dlmbda of (e^(lmbda log) - 1) / lmbda, also at lmbda = 0, and where the power is 0."""
    end = np.isinf(log) & (lmbda * log < 0)
    inner, outer = np.where(end, 0.0, log), np.where(end, lmbda, 1.0)
    return np.where(end, 1.0 / (outer * outer), inner * inner * ExpRel(1)(lmbda * inner))


def log_mean_slope(y: Value, lmbda: Value) -> Value:
    """d/dlmbda of log(1 + lmbda y) / lmbda, also at lmbda = 0."""
    return y * y * LogRel(1)(lmbda * y)


boxcox = declare("boxcox", "x lmbda", TWO)
boxcox.by("x", "x^(lmbda - 1)", lambda out, x, lmbda: np.power(x, lmbda - 1.0))
boxcox.by("lmbda", "log(x)^2 exprel'(lmbda log(x))",
          lambda out, x, lmbda: power_mean_slope(np.log(x), lmbda))  # fmt: skip
boxcox1p = declare("boxcox1p", "x lmbda", TWO)
boxcox1p.by("x", "(1 + x)^(lmbda - 1)",
            lambda out, x, lmbda: np.exp((lmbda - 1.0) * np.log1p(x)))  # fmt: skip
boxcox1p.by("lmbda", "log(1 + x)^2 exprel'(lmbda log(1 + x))",
            lambda out, x, lmbda: power_mean_slope(np.log1p(x), lmbda))  # fmt: skip
inv_boxcox = declare("inv_boxcox", "y lmbda", TWO)
inv_boxcox.by("y", "out / (1 + lmbda y)", lambda out, y, lmbda: out / (1.0 + lmbda * y))
inv_boxcox.by("lmbda", "out y^2 L'(lmbda y), L(u) = log(1 + u) / u",
              lambda out, y, lmbda: out * log_mean_slope(y, lmbda))  # fmt: skip
inv_boxcox1p = declare("inv_boxcox1p", "y lmbda", TWO)
inv_boxcox1p.by("y", "(1 + out) / (1 + lmbda y)",
                lambda out, y, lmbda: (1.0 + out) / (1.0 + lmbda * y))  # fmt: skip
inv_boxcox1p.by("lmbda", "(1 + out) y^2 L'(lmbda y), L(u) = log(1 + u) / u",
                lambda out, y, lmbda: (1.0 + out) * log_mean_slope(y, lmbda))  # fmt: skip


def tukey_density(out: Value, lmbda: Value) -> Value:
    """1 / (p^(lmbda - 1) + (1 - p)^(lmbda - 1)) at the probability p; 0 beyond the ends."""
    within = (out > 0) & (out < 1)
    p = np.where(within, out, 0.5)
    return np.where(within, 1.0 / (p ** (lmbda - 1.0) + (1.0 - p) ** (lmbda - 1.0)), 0.0)


def tukey_slope(out: Value, x: Value, lmbda: Value) -> Value:
    """The implicit derivative by lmbda of Q(p; lmbda) = x."""
    p = np.where((out > 0) & (out < 1), out, 0.5)
    moved = power_mean_slope(np.log(p), lmbda) - power_mean_slope(np.log1p(-p), lmbda)
    return -tukey_density(out, lmbda) * moved


tklmbda = declare("tklmbda", "x lmbda", one("f64[3]", "f64[3]", low=0.2, high=0.9))
tklmbda.by("x", "1 / (p^(lmbda - 1) + (1 - p)^(lmbda - 1)), p = out",
           lambda out, x, lmbda: tukey_density(out, lmbda))  # fmt: skip
tklmbda.by("lmbda", "the implicit derivative of (p^lmbda - (1 - p)^lmbda) / lmbda = x",
           tukey_slope)  # fmt: skip


def logistic_code(e: Element, x: Scalar) -> Scalar:
    """1 / (1 + e^-x) without overflow."""
    one_ = e.constant(1, x)
    small = e.call("exp", e.call("negative", e.call("absolute", x)))
    right = e.call("greater_equal", x, e.constant(0, x))
    return e.call("divide", e.select(right, one_, small), e.call("add", one_, small))


def log_logistic_code(e: Element, x: Scalar) -> Scalar:
    """-log(1 + e^-x): min(x, 0) - log1p(e^-|x|)."""
    small = e.call("exp", e.call("negative", e.call("absolute", x)))
    return e.call("subtract", e.call("minimum", x, e.constant(0, x)), e.call("log1p", small))


def product_with_log(e: Element, x: Scalar, log: Scalar) -> Scalar:
    """X log, and 0 where x is 0 unless the logarithm is no number."""
    none = e.call("logical_and", e.call("equal", x, e.constant(0, x)),
                  e.call("equal", log, log))  # fmt: skip
    return e.select(none, e.constant(0, x), e.call("multiply", x, log))


def entropy_code(e: Element, x: Scalar) -> Scalar:
    """-x log(x), 0 at 0, minus infinity below."""
    zero = e.constant(0, x)
    positive = e.call("negative", e.call("multiply", x, e.call("log", x)))
    rest = e.select(e.call("less", x, zero), e.constant(-math.inf, x), positive)
    return e.select(e.call("equal", x, zero), zero, rest)


expit.native(logistic_code)
log_expit.native(log_logistic_code)
xlogy.native(lambda e, x, y: product_with_log(e, x, e.call("log", y)))
xlog1py.native(lambda e, x, y: product_with_log(e, x, e.call("log1p", y)))
entr.native(entropy_code)
logit.native(
    lambda e, x: e.call(
        "subtract",
        e.call("log", x),
        e.call("log1p", e.call("negative", x)),
    )
)
