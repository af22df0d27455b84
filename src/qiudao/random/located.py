"""Draws that are moved and stretched: loc + scale z, with z from a standard distribution.

The draws are those of NumPy's generator of the same state and name, number by number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import Value, aval_of
from ..core.errors import ShapeError
from ..ops.faces import array
from .drawing import Generator, check_scale, generator, parameters, precision, shape_of, sizes_of

Standard = Callable[[Generator, tuple[int, ...]], Any]


def located(name: str, rng: Any, loc: Any, scale: Any, shape: Any, standard: Standard) -> Value:
    """Loc + scale z, with z drawn by `standard`."""
    source = generator(name, rng)
    loc, scale = parameters(name, loc, scale)
    check_scale(name, "high - low" if name == "uniform" else "the scale", scale)
    sizes = shape_of(name, shape, loc, scale)
    z = np.asarray(standard(source, sizes), precision(loc, scale))
    return loc + scale * z


def normal(rng: Any, loc: Any = 0.0, scale: Any = 1.0, shape: Any = None) -> Value:
    """Normal draws, loc + scale z.  d = dloc + z dscale.

    `rng` is `np.random.default_rng(seed)` or a seed; `shape` is that of the parameters unless
    given.  Raises `TraceError` in a traced function, `ShapeError` where the shapes do not fit.

    >>> loss = lambda m: np.mean(qd.random.normal(0, m, 0.5, shape=1000) ** 2)
    >>> round(float(qd.grad(loss)(3.0)), 1)  # of m^2 + 1/4
    6.0
    """
    return located("normal", rng, loc, scale, shape, lambda g, n: g.standard_normal(n))


def lognormal(rng: Any, mean: Any = 0.0, sigma: Any = 1.0, shape: Any = None) -> Value:
    """Draws whose logarithm is normal, e^(mean + sigma z).

    >>> y, dy = qd.jvp(lambda m: qd.random.lognormal(1, m, 0.3), (0.5,), (1.0,))
    >>> bool(y == dy)
    True
    """
    return np.exp(located("lognormal", rng, mean, sigma, shape, lambda g, n: g.standard_normal(n)))


def uniform(rng: Any, low: Any = 0.0, high: Any = 1.0, shape: Any = None) -> Value:
    """Uniform draws, low + (high - low) u with u in [0, 1).

    >>> qd.random.uniform(0, 1.0, 3.0, shape=(2, 2)).shape
    (2, 2)
    """
    low, high = parameters("uniform", low, high)
    return located("uniform", rng, low, high - low, shape, lambda g, n: g.random(n))


def exponential(rng: Any, scale: Any = 1.0, shape: Any = None) -> Value:
    """Exponential draws of mean `scale`, scale z.

    >>> round(float(qd.grad(lambda s: np.mean(qd.random.exponential(0, s, shape=2000)))(2.0)), 1)
    1.0
    """
    return located("exponential", rng, 0.0, scale, shape, lambda g, n: g.standard_exponential(n))


def laplace(rng: Any, loc: Any = 0.0, scale: Any = 1.0, shape: Any = None) -> Value:
    """Laplace draws, of density e^(-|x - loc| / scale) / (2 scale).

    >>> float(qd.grad(lambda m: qd.random.laplace(0, m, 2.0))(1.0))
    1.0
    """
    return located("laplace", rng, loc, scale, shape, lambda g, n: g.laplace(size=n))


def logistic(rng: Any, loc: Any = 0.0, scale: Any = 1.0, shape: Any = None) -> Value:
    """Logistic draws, loc + scale log(u / (1 - u)).

    >>> float(qd.grad(lambda m: qd.random.logistic(0, m, 2.0))(1.0))
    1.0
    """
    return located("logistic", rng, loc, scale, shape, lambda g, n: g.logistic(size=n))


def gumbel(rng: Any, loc: Any = 0.0, scale: Any = 1.0, shape: Any = None) -> Value:
    """Gumbel draws, loc - scale log(-log u): the largest of many.

    >>> float(qd.grad(lambda m: qd.random.gumbel(0, m, 2.0))(1.0))
    1.0
    """
    return located("gumbel", rng, loc, scale, shape, lambda g, n: g.gumbel(size=n))


def multivariate_normal(rng: Any, mean: Any, cov: Any, shape: Any = ()) -> Value:
    """Normal vectors, mean + L z with L L^T = cov, the Cholesky factor.

    `mean` is (..., n), `cov` (..., n, n), positive definite; `shape` comes before their leading
    axes.  Raises `ShapeError` where they do not fit, `LinAlgError` where cov is not definite.

    >>> cov = np.array([[2.0, 0.5], [0.5, 1.0]])
    >>> qd.random.multivariate_normal(0, np.zeros(2), cov, shape=(5,)).shape
    (5, 2)
    """
    source = generator("multivariate_normal", rng)
    mean, cov = map(array, parameters("multivariate_normal", mean, cov))
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != (mean.shape[-1], mean.shape[-1]):
        raise ShapeError(
            f"multivariate_normal: {aval_of(mean)} and {aval_of(cov)} do not fit; give a mean of "
            "n and a covariance of n times n numbers"
        )
    lead = np.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    given = sizes_of("multivariate_normal", shape)
    z = source.standard_normal((*given, *lead, mean.shape[-1], 1))
    factor = np.linalg.cholesky(cov)
    return mean + np.matmul(factor, z.astype(precision(mean, cov)))[..., 0]
