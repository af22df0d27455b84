"""GradBench's llsq: fitting a polynomial of m coefficients x to the sign of t, at n points.

    y(x) = 1/2 sum_i (s_i - sum_j x_j t_i^j)^2,   t_i = -1 + 2 i / (n - 1),   s_i = sign(t_i)

Two forms: with the matrix of powers, which is constant and so made beforehand, two products of a
matrix and a vector; and by Horner's scheme, which never stores a matrix.
"""

import numpy as np

from ctool import filling, native
from objectives.asking import (
    Array,
    Inputs,
    Ways,
    compiled,
    gradient_in_jax,
    gradient_in_qiudao,
    gradient_in_torch,
    load_jax,
)

SIZES = [{"n": n, "m": 128} for n in (16, 128, 1_024, 16_392)]
SMALL = {"n": 9, "m": 4}


def inputs(n: int, m: int) -> Inputs:
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, m, increasing=True)
    return Inputs((np.random.default_rng(m).normal(size=m),), (powers, np.sign(t)))


def objective(x, powers, s):
    return 0.5 * ((s - powers @ x) ** 2).sum()


def horner(x, t, s):
    """The objective without the matrix: ((x_m t + ...) t + x_1) t + x_0."""
    fitted = np.zeros_like(t)
    for j in range(len(x) - 1, -1, -1):
        fitted = fitted * t + x[j]
    return 0.5 * ((s - fitted) ** 2).sum()


def by_hand(given: Inputs) -> tuple[Array]:
    (x,), (powers, s) = given.by, given.data
    return ((powers @ x - s) @ powers,)


def without_matrix(given: Inputs) -> Inputs:
    """What `horner` takes: t, the second column of the powers, in place of all of them."""
    powers, s = given.data
    return Inputs(given.by, (powers[:, 1].copy(), s))


def in_c(given: Inputs) -> Ways:
    library, few = native("llsq"), without_matrix(given)
    written = {"C": (library.with_matrix, given), "C, Horner": (library.without_matrix, few)}
    return {
        name: filling((np.empty_like(x),), function, x, points, s, len(s), len(x))
        for name, (function, taken) in written.items()
        for x, points, s in [taken.all]
    }


def in_qiudao(given: Inputs) -> Ways:
    import qiudao as qd

    few = without_matrix(given)
    return gradient_in_qiudao(objective, given) | compiled(
        "qiudao.jit, Horner", qd.grad(horner, few.argnums), few.all
    )


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()

    def scanned(x, t, s):
        start = jax.numpy.zeros_like(t)
        fitted, _ = jax.lax.scan(lambda y, c: (y * t + c, None), start, x, reverse=True)
        return 0.5 * ((s - fitted) ** 2).sum()

    few = without_matrix(given)
    return gradient_in_jax(objective, given) | gradient_in_jax(scanned, few, "jax.jit, Horner")


def in_torch(given: Inputs) -> Ways:
    return gradient_in_torch(objective, given)
