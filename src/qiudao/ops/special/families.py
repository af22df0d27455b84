"""Every family of SciPy's special functions: importing this, which needs SciPy, fills the table."""

from . import (
    bessel,
    carlson,
    cumulative,
    elementary,
    elliptic,
    error,
    gamma,
    hyper,
    integrals,
    orthogonal,
    statistical,
    waves,
    zeta,
)
from .base import Special, Stepped, statements

# Whose samples are tried in every mode, compiled and explained; those of the others are tried by
# tests/ops/special, since one primitive serves them all.
REPRESENTATIVES = (
    "_spherical_jn", "airy", "betainc", "betaln", "binom", "boxcox", "dawsn", "ellipj", "ellipk",
    "elliprf", "entr", "erf", "erfc", "erfcx", "eval_legendre", "expit", "expn", "fresnel",
    "gamma", "gammainc", "gammaincinv", "gammaln", "huber", "hyp1f1", "hyp2f1", "i1e", "j0", "jv",
    "kl_div", "kv", "log_expit", "log_ndtr", "loggamma", "logit", "modfresnelp", "ndtr", "psi",
    "rgamma", "stdtr", "tklmbda", "voigt_profile", "wofz", "xlog1py", "xlogy", "zetac",
)  # fmt: skip

Special.samples = tuple(
    s for (name, _), each in statements.items() if name in REPRESENTATIVES for s in each.samples
)
Stepped.samples = tuple(
    s for each in statements.values() if not (each.slopes or each.reasons) for s in each.samples
)

__all__ = [
    "bessel",
    "carlson",
    "cumulative",
    "elementary",
    "elliptic",
    "error",
    "gamma",
    "hyper",
    "integrals",
    "orthogonal",
    "statistical",
    "waves",
    "zeta",
]
