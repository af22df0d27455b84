"""Distribution functions and their inverses, each by any of its parameters.

A distribution function states its slope by each operand as a function of all of them; an inverse
is the solution s of F(..., s, ...) = p, and its slopes are 1 / F_s and -F_t / F_s.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...core.avals import Value
from ...core.samples import Sample
from .base import Special, one
from .cumulative import BetaShape, BetaWeight, GammaShape, beta_density, gamma_density
from .declaring import declare
from .noncentral import NctMoment
from .reasons import FREEDOM, ITERATED, WHOLE

Partial = Callable[..., Value]
betaln, ndtri = Special("betaln"), Special("ndtri")
hyp1f1, hyp0f1, ive, rgamma = (Special(n) for n in ("hyp1f1", "hyp0f1", "ive", "rgamma"))
chndtr = Special("chndtr")
TWO = one("f64[2]", "f64[2]", low=0.4, high=0.9)
THREE = one("f64[2]", "f64[2]", "f64[2]", low=0.3, high=0.9)


def forward(
    name: str, operands: str, sign: float, parts: dict[str, Partial], *samples: Sample
) -> None:
    """Declare a distribution function, or with a sign its complement."""
    f = declare(name, operands, *samples)
    for operand, part in parts.items():
        f.by(operand, "of its integral", lambda out, *xs, part=part: sign * part(*xs))


def inverse(
    name: str,
    operands: str,
    solved: str,
    order: str,
    sign: float,
    parts: dict[str, Partial],
    *samples: Sample,
) -> None:
    """Declare the solution for `solved` of F = p, where F takes `order` and has these partials.

    `sign` is -1 where p is the probability of the other side.
    """
    f = declare(name, operands, *samples)
    names, taken = operands.split(), order.split()
    (probability,) = [n for n in names if n not in taken]

    def at(part: Partial, out: Value, xs: tuple[Value, ...]) -> Value:
        values = {**dict(zip(names, xs, strict=True)), solved: out}
        return part(*(values[n] for n in taken))

    f.by(probability, f"1 / the slope by {solved} at out",
         lambda out, *xs: sign / at(parts[solved], out, xs))  # fmt: skip
    for operand, part in parts.items():
        if operand != solved:
            f.by(operand, f"implicitly: less the slope by {operand} over that by {solved}",
                 lambda out, *xs, part=part:
                 -at(part, out, xs) / at(parts[solved], out, xs))  # fmt: skip


# Of the incomplete gamma function

CHI: dict[str, Partial] = {
    "v": lambda v, x: 0.5 * GammaShape(1)(0.5 * v, 0.5 * x),
    "x": lambda v, x: 0.5 * gamma_density(0.5 * v, 0.5 * x),
}
forward("chdtr", "v x", 1.0, CHI, TWO)
forward("chdtrc", "v x", -1.0, CHI, TWO)
inverse("chdtri", "v p", "x", "v x", -1.0, CHI, TWO)
inverse("chdtriv", "p x", "v", "v x", 1.0, CHI, TWO)
GAMMA: dict[str, Partial] = {
    "a": lambda a, b, x: x * gamma_density(b, a * x),
    "b": lambda a, b, x: GammaShape(1)(b, a * x),
    "x": lambda a, b, x: a * gamma_density(b, a * x),
}
forward("gdtr", "a b x", 1.0, GAMMA, THREE)
forward("gdtrc", "a b x", -1.0, GAMMA, THREE)
inverse("gdtria", "p b x", "a", "a b x", 1.0, GAMMA, THREE)
inverse("gdtrib", "a p x", "b", "a b x", 1.0, GAMMA, THREE)
inverse("gdtrix", "a b p", "x", "a b x", 1.0, GAMMA, THREE)
POISSON: dict[str, Partial] = {"m": lambda k, m: -gamma_density(np.floor(k) + 1.0, m)}
POISSON_K: dict[str, Partial] = {
    "k": lambda k, m: -GammaShape(1)(k + 1.0, m),
    "m": lambda k, m: -gamma_density(k + 1.0, m),
}
COUNT = one("i64[2]", "f64[2]", low=1.0, high=3.0)
forward("pdtr", "k m", 1.0, POISSON, COUNT)
forward("pdtrc", "k m", -1.0, POISSON, COUNT)
inverse("pdtri", "k y", "m", "k m", 1.0, POISSON, one("i64[2]", "f64[2]", low=0.3, high=0.9))
inverse("pdtrik", "p m", "k", "k m", 1.0, POISSON_K, one("f64[2]", "f64[2]", low=0.75, high=0.95))

# Of the incomplete beta function

BETA: dict[str, Partial] = {
    "a": lambda a, b, x: BetaShape(1, 0)(a, b, x),
    "b": lambda a, b, x: BetaShape(0, 1)(a, b, x),
    "x": lambda a, b, x: beta_density(a, b, x),
}
inverse("btdtria", "p b x", "a", "a b x", 1.0, BETA, THREE)
inverse("btdtrib", "a p x", "b", "a b x", 1.0, BETA, THREE)


def odds(dfn: Value, dfd: Value, x: Value) -> Value:
    """Where the incomplete beta function is taken for Fisher's distribution."""
    return dfn * x / (dfd + dfn * x)


def fisher_weight(dfn: Value, dfd: Value, x: Value) -> Value:
    """The density of Fisher's distribution times x."""
    return BetaWeight()(0.5 * dfn, 0.5 * dfd, odds(dfn, dfd, x))


FISHER: dict[str, Partial] = {
    "dfn": lambda n, d, x: (
        0.5 * BetaShape(1, 0)(0.5 * n, 0.5 * d, odds(n, d, x)) + fisher_weight(n, d, x) / n
    ),
    "dfd": lambda n, d, x: (
        0.5 * BetaShape(0, 1)(0.5 * n, 0.5 * d, odds(n, d, x)) - fisher_weight(n, d, x) / d
    ),
    "x": lambda n, d, x: fisher_weight(n, d, x) / x,
}
forward("fdtr", "dfn dfd x", 1.0, FISHER, THREE)
forward("fdtrc", "dfn dfd x", -1.0, FISHER, THREE)
inverse("fdtri", "dfn dfd p", "x", "dfn dfd x", 1.0, FISHER, THREE)
inverse("fdtridfd", "dfn p x", "dfd", "dfn dfd x", 1.0, FISHER,
        one("f64[2]", "f64[2]", "f64[2]", low=0.55, high=0.65))  # fmt: skip


def student_density(df: Value, t: Value) -> Value:
    """The density of Student's distribution."""
    log = -0.5 * (df + 1.0) * np.log1p(t * t / df) - betaln(0.5, 0.5 * df)
    return np.exp(log) / np.sqrt(df)


STUDENT: dict[str, Partial] = {
    "df": lambda df, t: (
        -0.25 * np.sign(t) * BetaShape(1, 0)(0.5 * df, 0.5, df / (df + t * t))
        - 0.5 * student_density(df, t) * t / df
    ),
    "t": student_density,
}
forward("stdtr", "df t", 1.0, STUDENT, TWO)
inverse("stdtrit", "df p", "t", "df t", 1.0, STUDENT, one("f64[2]", "f64[2]", low=0.6, high=0.9))
inverse("stdtridf", "p t", "df", "df t", 1.0, STUDENT, one("f64[2]", "f64[2]", low=0.72, high=0.76))

BINOMIAL: dict[str, Partial] = {
    "p": lambda k, n, p: -beta_density(np.floor(k) + 1.0, n - np.floor(k), p)
}
BINOMIAL_K: dict[str, Partial] = {
    "k": lambda k, n, p: (
        BetaShape(0, 1)(n - k, k + 1.0, 1.0 - p) - BetaShape(1, 0)(n - k, k + 1.0, 1.0 - p)
    ),
    "n": lambda k, n, p: BetaShape(1, 0)(n - k, k + 1.0, 1.0 - p),
    "p": lambda k, n, p: -beta_density(k + 1.0, n - k, p),
}
NEGATIVE: dict[str, Partial] = {"p": lambda k, n, p: beta_density(n, np.floor(k) + 1.0, p)}
NEGATIVE_K: dict[str, Partial] = {
    "k": lambda k, n, p: BetaShape(0, 1)(n, k + 1.0, p),
    "n": lambda k, n, p: BetaShape(1, 0)(n, k + 1.0, p),
    "p": lambda k, n, p: beta_density(n, k + 1.0, p),
}
forward("bdtr", "k n p", 1.0, BINOMIAL)
forward("bdtrc", "k n p", -1.0, BINOMIAL)
inverse("bdtri", "k n y", "p", "k n p", 1.0, BINOMIAL)
inverse("bdtrik", "y n p", "k", "k n p", 1.0, BINOMIAL_K)
inverse("bdtrin", "k y p", "n", "k n p", 1.0, BINOMIAL_K)
forward("nbdtr", "k n p", 1.0, NEGATIVE)
forward("nbdtrc", "k n p", -1.0, NEGATIVE)
inverse("nbdtri", "k n y", "p", "k n p", 1.0, NEGATIVE)
inverse("nbdtrik", "y n p", "k", "k n p", 1.0, NEGATIVE_K)
inverse("nbdtrin", "k y p", "n", "k n p", 1.0, NEGATIVE_K)
for _name, _operands in {
    "pdtr": "k", "pdtrc": "k", "pdtri": "k", "bdtr": "k n", "bdtrc": "k n", "bdtri": "k n",
    "nbdtr": "k n", "nbdtrc": "k n", "nbdtri": "k n",
}.items():  # fmt: skip
    Special(_name).refuse(_operands, WHOLE)

# Of the normal distribution

ROOT_TAU = math.sqrt(2.0 * math.pi)


def quantile_slope(p: Value) -> Value:
    """The derivative of the normal quantile."""
    return ROOT_TAU * np.exp(0.5 * ndtri(p) ** 2)


nrdtrimn = declare("nrdtrimn", "p std x", THREE)
nrdtrimn.by("p", "-std ndtri'(p)", lambda out, p, std, x: -std * quantile_slope(p))
nrdtrimn.by("std", "-ndtri(p)", lambda out, p, std, x: -ndtri(p))
nrdtrimn.by("x", "1", lambda out, p, std, x: np.ones((), out.dtype))
nrdtrisd = declare("nrdtrisd", "mn p x", one("f64[2]", "f64[2]", "f64[2]", low=0.6, high=0.9))
nrdtrisd.by("mn", "-1 / ndtri(p)", lambda out, mn, p, x: -1.0 / ndtri(p))
nrdtrisd.by("p", "-out ndtri'(p) / ndtri(p)",
            lambda out, mn, p, x: -out * quantile_slope(p) / ndtri(p))  # fmt: skip
nrdtrisd.by("x", "1 / ndtri(p)", lambda out, mn, p, x: 1.0 / ndtri(p))

# Noncentral


def chi_density(x: Value, df: Value, nc: Value) -> Value:
    """The density of the noncentral chi-square distribution (Johnson et al. 1995, 29.4)."""
    small = x * nc < 1.0
    a, n = np.where(small, x, 1.0), np.where(small, nc, 0.0)
    half = 0.5 * df
    near = (np.power(0.5 * a, half - 1.0) * np.exp(-0.5 * (a + n)) * 0.5 * rgamma(half)
            * hyp0f1(half, 0.25 * a * n))  # fmt: skip
    b, m = np.where(small, 1.0, x), np.where(small, 1.0, nc)
    root = np.sqrt(b) - np.sqrt(m)
    far = (0.5 * np.exp(-0.5 * root * root) * np.power(b / m, 0.5 * half - 0.5)
           * ive(half - 1.0, np.sqrt(b * m)))  # fmt: skip
    return np.where(small, near, far)


CHI_NC: dict[str, Partial] = {
    "x": chi_density,
    "nc": lambda x, df, nc: -chi_density(x, df + 2.0, nc),
}
MIDDLE = one("f64[2]", "i64[2]", "f64[2]", low=1.0, high=3.0)
forward("chndtr", "x df nc", 1.0, CHI_NC, MIDDLE)
inverse("chndtrix", "p df nc", "x", "x df nc", 1.0, CHI_NC)
inverse("chndtrinc", "x df p", "nc", "x df nc", 1.0, CHI_NC)
declare("chndtridf", "x p nc").refuse("x p nc", FREEDOM)
for _name in ("chndtr", "chndtrix", "chndtrinc"):
    Special(_name).refuse("df", FREEDOM)


def fisher_nc(dfn: Value, dfd: Value, nc: Value, f: Value, raised: float) -> Value:
    """e^(-nc/2) y^a (1 - y)^b / B(a, b) 1F1(a + b; a + raised; nc y / 2)."""
    a, b = 0.5 * dfn, 0.5 * dfd
    y = odds(dfn, dfd, f)
    return np.exp(-0.5 * nc) * BetaWeight()(a, b, y) * hyp1f1(a + b, a + raised, 0.5 * nc * y)


FISHER_NC: dict[str, Partial] = {
    "f": lambda dfn, dfd, nc, f: fisher_nc(dfn, dfd, nc, f, 0.0) / f,
    "nc": lambda dfn, dfd, nc, f: -fisher_nc(dfn, dfd, nc, f, 1.0) / dfn,
}
FOUR = one("i64[2]", "i64[2]", "f64[2]", "f64[2]", low=1.0, high=2.0)
forward("ncfdtr", "dfn dfd nc f", 1.0, FISHER_NC, FOUR)
inverse("ncfdtri", "dfn dfd nc p", "f", "dfn dfd nc f", 1.0, FISHER_NC)
inverse("ncfdtrinc", "dfn dfd p f", "nc", "dfn dfd nc f", 1.0, FISHER_NC)
declare("ncfdtridfn", "p dfd nc f").refuse("p dfd nc f", FREEDOM)
declare("ncfdtridfd", "dfn p nc f").refuse("dfn p nc f", FREEDOM)
for _name in ("ncfdtr", "ncfdtri", "ncfdtrinc"):
    Special(_name).refuse("dfn dfd", FREEDOM)
STUDENT_NC: dict[str, Partial] = {
    "nc": lambda df, nc, t: -NctMoment(0, 0)(df, nc, t),
    "t": lambda df, nc, t: NctMoment(1, 0)(df, nc, t),
}
forward("nctdtr", "df nc t", 1.0, STUDENT_NC, one("i64[2]", "f64[2]", "f64[2]", low=1.0, high=2.0))
inverse("nctdtrit", "df nc p", "t", "df nc t", 1.0, STUDENT_NC)
inverse("nctdtrinc", "df p t", "nc", "df nc t", 1.0, STUDENT_NC)
declare("nctdtridf", "p nc t").refuse("p nc t", FREEDOM)
for _name in ("nctdtr", "nctdtrit", "nctdtrinc"):
    Special(_name).refuse("df", FREEDOM)

# Of Kolmogorov and Smirnov


def kolmogorov_slope(y: Value) -> Value:
    """The derivative of the sum 2 (-1)^(k-1) e^(-2 k^2 y^2), by its theta transform below 1."""
    low = y < 1.0
    u, v = np.where(low, y, 0.5), np.where(low, 1.0, y)
    near: Value = 0.0
    far: Value = 0.0
    for k in range(1, 7):
        c = (2 * k - 1) ** 2 * np.pi**2 / 8.0
        near = near + np.exp(-c / (u * u)) * (1.0 - 2.0 * c / (u * u))
        far = far - 8.0 * (-1.0) ** (k - 1) * k * k * v * np.exp(-2.0 * k * k * v * v)
    return np.where(y <= 0, 0.0, np.where(low, ROOT_TAU / (u * u) * near, far))


kolmogorov = declare("kolmogorov", "y", one("f64[3]", low=0.5, high=1.6, order=2))
kolmogorov.by("y", "of the series (Kolmogorov 1933)", lambda out, y: kolmogorov_slope(y))
kolmogi = declare("kolmogi", "p", one("f64[3]", low=0.2, high=0.8, order=2))
kolmogi.by("p", "1 / kolmogorov'(out)", lambda out, p: 1.0 / kolmogorov_slope(out))
smirnov = declare("smirnov", "n d")
smirnov_slope = declare("_smirnovp", "n d")
smirnov.by("d", "SciPy's own derivative, of which there is no second",
           lambda out, n, d: smirnov_slope(n, d))  # fmt: skip
smirnov_slope.refuse("n d", ITERATED)
smirnovi = declare("smirnovi", "n p")
smirnovi.by("p", "1 / smirnov'(out)", lambda out, n, p: 1.0 / smirnov_slope(n, out))
smirnov.refuse("n", WHOLE)
smirnovi.refuse("n", WHOLE)
