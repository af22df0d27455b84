"""What `autograd.scipy` refuses, and what it does beyond HIPS autograd."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from qiudao.interop.autograd import grad, hessian
from qiudao.interop.autograd.scipy import linalg, signal, special, stats
from qiudao.interop.autograd.test_util import check_grads

RNG = np.random.default_rng(4)
M = RNG.normal(size=(3, 3))
SPD = M @ M.T + 3 * np.eye(3)
P = np.array([0.4, 1.3, 2.2])


@pytest.mark.parametrize(
    "act, error, message",
    [
        (
            lambda: grad(lambda a: np.sum(linalg.solve_triangular(a, P, trans="C")))(SPD),
            NotImplementedError,
            "solve_triangular: trans='C' has no derivative here; pass np.conj(a) with trans='T'",
        ),
        (
            lambda: grad(lambda x: stats.multivariate_normal.logpdf(x, P, SPD, True))(P),
            NotImplementedError,
            "multivariate_normal.logpdf: with allow_singular=True there is no derivative",
        ),
        (
            lambda: signal.convolve(P, P, mode="valids"),
            ValueError,
            "convolve: mode='valids' must be 'valid', 'full' or 'same'",
        ),
        (
            lambda: signal.convolve(np.ones((2, 3)), np.ones((3, 2)), mode="valid"),
            ValueError,
            "convolve: with mode='valid' one array must be at least as long along all axes",
        ),
    ],
)
def test_refusals(act, error, message):
    with pytest.raises(error) as caught:
        act()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "f, x",
    [
        (linalg.expm, M),
        (linalg.sqrtm, SPD),
        (lambda a: linalg.solve_triangular(a, P, lower=True), SPD),
        (lambda a: linalg.solve_triangular(a, P, lower=True, unit_diagonal=True), SPD),
        (lambda a: linalg.solve_sylvester(a, a, M), SPD),
        (lambda ab: linalg.solve_banded((1, 1), ab, P), np.array([P, 6 * P, P])),
        (lambda ab: linalg.solve_banded((0, 2), ab, P), np.array([P, P, 6 * P])),
        (lambda x: stats.norm.logcdf(x, 0.1, 1.5), P),
        (lambda x: stats.gamma.logpdf(1.5, x, 0.1, x), P),
        (lambda x: stats.beta.pdf(0.3, x, x + 1), P),
        (lambda x: stats.t.logpdf(0.3, x, x, x), P),
        (lambda x: stats.poisson.logpmf(np.arange(3), x), P),
        (lambda x: stats.multivariate_normal.logpdf(x, P, SPD), M),
        (lambda x: special.logsumexp(x, axis=0, b=P[:, None]), M),
        (lambda a: signal.convolve(a, a, mode="same"), P),
    ],
)
def test_both_modes_to_second_order(f, x):
    np.random.seed(0)  # noqa: NPY002 - check_grads draws its directions from the global generator
    check_grads(f)(x)


def test_plain_values_are_scipys():
    import scipy.stats

    assert stats.norm.ppf(0.3) == scipy.stats.norm.ppf(0.3)
    assert stats.gamma.logpdf(1.3, 2.0) == scipy.stats.gamma.logpdf(1.3, 2.0)
    assert special.gammaln is not None
    np.testing.assert_array_equal(linalg.block_diag(1, 2), np.diag([1, 2]))


def test_outside_of_the_support_nothing_changes():
    x = np.array([-1.0, 0.5, 2.0])
    found = grad(lambda x: np.sum(stats.beta.pdf(x, 2.0, 3.0)))(x)
    np.testing.assert_allclose(found, [0.0, 12 * (0.25 - 0.5), 0.0], atol=1e-12)


def test_a_hessian_through_a_density():
    found = hessian(lambda m: stats.multivariate_normal.logpdf(P, m, SPD))(np.zeros(3))
    np.testing.assert_allclose(found, -np.linalg.inv(SPD), atol=1e-12)
