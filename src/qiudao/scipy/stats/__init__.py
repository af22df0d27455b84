"""`qd.scipy.stats`: distributions with derivatives in the value and in all parameters.

>>> from qiudao.scipy import stats
>>> qd.grad(lambda scale: stats.norm.logpdf(1.0, scale=scale))(2.0)
np.float64(-0.375)
"""

from .bounded import (
    beta,
    truncnorm,
    uniform,
    vonmises,
)
from .discrete import (
    bernoulli,
    binom,
    geom,
    nbinom,
    poisson,
)
from .extremes import (
    genextreme,
    gumbel_l,
    gumbel_r,
    weibull_max,
    weibull_min,
)
from .kernels import gaussian_kde
from .line import (
    cauchy,
    laplace,
    logistic,
    norm,
    skewnorm,
    t,
)
from .positive import (
    chi2,
    expon,
    f,
    gamma,
    halfcauchy,
    halfnorm,
    invgamma,
    lognorm,
    pareto,
    rayleigh,
)
from .scaling import zscore
from .several import (
    dirichlet,
    multinomial,
    multivariate_normal,
    multivariate_t,
    wishart,
)

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "f",
    "gamma",
    "gaussian_kde",
    "genextreme",
    "geom",
    "gumbel_l",
    "gumbel_r",
    "halfcauchy",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "multinomial",
    "multivariate_normal",
    "multivariate_t",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "rayleigh",
    "skewnorm",
    "t",
    "truncnorm",
    "uniform",
    "vonmises",
    "weibull_max",
    "weibull_min",
    "wishart",
    "zscore",
]
