"""ADBench's GMM: the log-posterior of a mixture of k Gaussians in d dimensions, given n points.

    sum_i log sum_k exp(a_k + sum(l_k) - |Q_k (x_i - m_k)|^2 / 2) - n log sum_k exp(a_k) + prior

Q_k is lower triangular, exp(l_k) on its diagonal: a square root of the inverse covariance. The
prior is Wishart's. By: the weights a (k), the means m (k, d), and the factors (k, d + d (d-1) /
2), a row of which is l_k and then Q_k below its diagonal, column after column.
"""

from math import lgamma, log, pi

import numpy as np

from ctool import aligned, call, filling, native
from objectives import gmm_in_casadi
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    gradient_in_jax,
    gradient_in_qiudao,
    gradient_in_torch,
    load_jax,
    load_torch,
    logsumexp,
)

SIZES = [
    {"d": d, "k": k, "n": n}
    for d, k, n in (
        (2, 5, 1_000),
        (2, 200, 1_000),
        (10, 5, 1_000),
        (10, 25, 1_000),
        (10, 100, 1_000),
        (20, 50, 1_000),
        (32, 25, 1_000),
        (64, 5, 1_000),
        (64, 25, 1_000),
        (64, 100, 1_000),
        (64, 200, 1_000),
        (10, 25, 10_000),
        (32, 50, 10_000),
    )
]
SMALL = {"d": 3, "k": 4, "n": 6}
SCALE, EXCESS = 1.0, 0  # Wishart's: gamma, and the degrees of freedom beyond d + 1


def inputs(d: int, k: int, n: int) -> Inputs:
    rng = np.random.default_rng((d, k, n))
    by = (
        rng.normal(size=k),
        rng.uniform(size=(k, d)),
        rng.normal(size=(k, d + d * (d - 1) // 2)) / np.sqrt(d),
    )
    return Inputs(by, (rng.normal(size=(n, d)),))


def lower_triangular(factors, d, xp=np):
    """The matrices Q (k, d, d)."""
    columns, rows = np.triu_indices(d, 1)  # row by row above the diagonal: below, column by column
    every = np.arange(d)
    diagonal = xp.exp(factors[:, :d])
    shape = (len(factors), d, d)
    if hasattr(xp, "vmap") or xp is np:  # torch, and NumPy's own way
        q = xp.zeros_like(diagonal, shape=shape) if xp is np else diagonal.new_zeros(shape)
        q[:, every, every] = diagonal
        q[:, rows, columns] = factors[:, d:]
        return q
    q = xp.zeros(shape, diagonal.dtype).at[:, every, every].set(diagonal)
    return q.at[:, rows, columns].set(factors[:, d:])


def log_wishart(d, k):
    """The logarithm of the prior's normalisation, for k matrices."""
    freedom = d + EXCESS + 1
    gammas = d * (d - 1) / 4 * log(pi) + sum(lgamma((freedom - j) / 2) for j in range(d))
    return k * (freedom * d * (log(SCALE) - log(2) / 2) - gammas)


def objective(weights, means, factors, x, xp=np):
    n, d = x.shape
    k = len(weights)
    q = lower_triangular(factors, d, xp)
    logs = factors[:, :d].sum(1)
    centred = q.reshape(k * d, d) @ x.T - (q @ means[:, :, None]).reshape(k * d, 1)
    squares = (centred.reshape(k, d, n) ** 2).sum(1)
    fit = logsumexp((weights + logs)[:, None] - 0.5 * squares, 0, xp).sum()
    prior = 0.5 * SCALE**2 * (q**2).sum() - EXCESS * logs.sum() - log_wishart(d, k)
    return fit - n * logsumexp(weights, 0, xp) + prior - n * d / 2 * log(2 * pi)


def by_hand(given: Inputs) -> tuple[Array, Array, Array]:
    """With the responsibilities r_ki = softmax over k of the exponents, everything is a product."""
    (weights, means, factors), (x,) = given.by, given.data
    n, d = x.shape
    k = len(weights)
    columns, rows = np.triu_indices(d, 1)
    every = np.arange(d)
    q = lower_triangular(factors, d)
    centred = q.reshape(k * d, d) @ x.T
    centred -= (q @ means[:, :, None]).reshape(k * d, 1)
    centred = centred.reshape(k, d, n)
    r = (weights + factors[:, :d].sum(1))[:, None] - 0.5 * np.einsum(
        "kdn,kdn->kn", centred, centred
    )
    r -= r.max(0)
    np.exp(r, out=r)
    r /= r.sum(0)
    share = np.exp(weights - weights.max())
    total = r.sum(1)
    centred *= -r[:, None, :]
    pull = centred.sum(2)
    by_q = (centred.reshape(k * d, n) @ x).reshape(k, d, d) - pull[:, :, None] * means[:, None, :]
    by_q += SCALE**2 * q
    by_factors = np.empty_like(factors)
    by_factors[:, :d] = total[:, None] - EXCESS + by_q[:, every, every] * q[:, every, every]
    by_factors[:, d:] = by_q[:, rows, columns]
    by_means = -(pull[:, None, :] @ q)[:, 0]
    return total - n * share / share.sum(), by_means, by_factors


def in_c(given: Inputs) -> Ways:
    library, (x,) = native("gmm"), given.data
    (n, d), k = x.shape, len(given.by[0])
    work = aligned(int(call(library.gmm_work, d, k, n)()))
    out = tuple(np.empty_like(arg) for arg in given.by)
    return {
        "C": filling(out, library.gmm, *given.all, d, k, n, SCALE, float(EXCESS), work),
    }


def in_qiudao(given: Inputs) -> Ways:
    return gradient_in_qiudao(objective, given)


def in_jax(given: Inputs) -> Ways:
    return gradient_in_jax(given.bind(objective, xp=load_jax().numpy), given)


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(given.bind(objective, xp=load_torch()), given)


def in_casadi(given: Inputs) -> Ways:
    return gmm_in_casadi.ways(given, SCALE, EXCESS)
