"""GradBench's lse: the gradient of log(sum(exp(x))), x of n elements."""

import numpy as np

from ctool import filling, native
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

SIZES = [{"n": n} for n in (2_500, 20_000, 160_000, 1_280_000)]
SMALL = {"n": 7}


def inputs(n: int) -> Inputs:
    return Inputs((np.random.default_rng(n).normal(size=n),))


def objective(x, xp=np):
    return logsumexp(x, 0, xp)


def by_hand(given: Inputs) -> tuple[Array]:
    """The softmax: exp(x) / sum(exp(x))."""
    (x,) = given.by
    y = np.exp(x - np.max(x))
    y /= np.sum(y)
    return (y,)


def in_c(given: Inputs) -> Ways:
    (x,) = given.by
    tops = np.empty_like(x)  # one a block
    return {"C": filling((np.empty_like(x),), native("lse").lse, x, x.size, tops)}


def in_qiudao(given: Inputs) -> Ways:
    return gradient_in_qiudao(objective, given)


def in_jax(given: Inputs) -> Ways:
    return gradient_in_jax(given.bind(objective, xp=load_jax().numpy), given)


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(given.bind(objective, xp=load_torch()), given)
