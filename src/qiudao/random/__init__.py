"""Random draws that are differentiable in the parameters of their distribution.

Each function takes NumPy's generator first (or a whole number as its seed), then parameters, which
may carry gradients, and gives draws that move with the parameters while the randomness stays: for
`normal`, loc + scale z with z fixed.  So the gradient of a mean over draws is an unbiased estimate
of the gradient of the expectation.

In a traced function (`qd.jit`) a draw would be the same numbers in every call, so these raise
there; draw outside and pass the draws as an argument.
"""

from .discrete import categorical, gumbel_softmax
from .gammas import beta, chisquare, dirichlet, gamma, implicit_gamma, student_t
from .located import (
    exponential,
    gumbel,
    laplace,
    logistic,
    lognormal,
    multivariate_normal,
    normal,
    uniform,
)

__all__ = [
    "beta",
    "categorical",
    "chisquare",
    "dirichlet",
    "exponential",
    "gamma",
    "gumbel",
    "gumbel_softmax",
    "implicit_gamma",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "student_t",
    "uniform",
]
