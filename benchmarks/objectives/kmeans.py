"""GradBench's kmeans: Newton's direction for the centroids c (k, d) of the points p (n, d).

    f(c) = sum_i min_j |p_i - c_j|^2

The Hessian is diagonal, so that its product with ones is its diagonal: forward over reverse,
once. The direction is the gradient divided by that.
"""

import numpy as np

from ctool import filling, native
from objectives.asking import Array, Inputs, Ways, compiled, jitted_by_jax, load_jax, load_torch

SIZES = [
    {"k": k, "n": n, "d": d}
    for k, n, d in (
        (10, 1_000, 8),
        (100, 1_000, 16),
        (10, 10_000, 8),
        (100, 10_000, 8),
        (1_000, 1_000, 16),
        (1_000, 10_000, 16),
    )
]
SMALL = {"k": 3, "n": 20, "d": 2}


def inputs(k: int, n: int, d: int) -> Inputs:
    """Uniform points; the centroids stand near points, one each, so that none is left without."""
    rng = np.random.default_rng((k, n, d))
    points = rng.uniform(size=(n, d))
    nearby = points[rng.permutation(n)[:k]] + 1e-3 * rng.normal(size=(k, d))
    return Inputs((nearby,), (points,))


def objective(centroids, points, xp=np):
    """|p - c|^2 multiplied out, so that the large part is one matrix product."""
    squares = (centroids**2).sum(1) - 2 * (points @ centroids.T)
    return xp.amin(squares, 1).sum() + (points**2).sum()


def by_hand(given: Inputs) -> tuple[Array]:
    """Centroid less mean: 2 (n_j c_j - sum of its points) / (2 n_j)."""
    (centroids,), (points,) = given.by, given.data
    squares = points @ (-2 * centroids.T)
    squares += (centroids**2).sum(1)
    nearest = squares.argmin(1)
    k = len(centroids)
    counts = np.bincount(nearest, minlength=k)
    sums = [np.bincount(nearest, weights=axis, minlength=k) for axis in points.T]
    return (centroids - np.stack(sums, 1) / counts[:, None],)


def in_c(given: Inputs) -> Ways:
    (centroids,), (points,) = given.by, given.data
    (k, d), n = centroids.shape, len(points)
    out, work = (np.empty_like(centroids),), np.empty(2 * k)
    return {"C": filling(out, native("kmeans").direction, centroids, points, k, n, d, work)}


def in_qiudao(given: Inputs) -> Ways:
    import qiudao as qd

    def direction(centroids, points):
        gradient, diagonal = qd.jvp(
            lambda c: qd.grad(objective)(c, points), (centroids,), (np.ones_like(centroids),)
        )
        return (gradient / diagonal,)

    return (
        {"qiudao": lambda: direction(*given.all)}
        | compiled("qiudao.jit", direction, given.all)
        | compiled("qiudao.jit primal", objective, given.all)
    )


def in_jax(given: Inputs) -> Ways:
    jax = load_jax()
    f = given.bind(objective, xp=jax.numpy)

    def direction(centroids, points):
        ones = jax.numpy.ones_like(centroids)
        gradient, diagonal = jax.jvp(lambda c: jax.grad(f)(c, points), (centroids,), (ones,))
        return (gradient / diagonal,)

    return jitted_by_jax(direction, given.all)


def in_torch(given: Inputs) -> Ways:
    torch = load_torch()
    (centroids,) = (torch.from_numpy(x.copy()).requires_grad_() for x in given.by)
    (points,) = (torch.from_numpy(x) for x in given.data)

    def direction():
        value = objective(centroids, points, torch)
        (gradient,) = torch.autograd.grad(value, centroids, create_graph=True)
        (diagonal,) = torch.autograd.grad(gradient.sum(), centroids)
        return ((gradient / diagonal).detach(),)

    return {"torch": direction}
