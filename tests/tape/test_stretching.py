"""How the cotangent of a value that was broadcast is summed."""

import math

import numpy as np
import pytest

import qiudao as qd
from qiudao.core.avals import Aval
from qiudao.core.sweep import fit

STRETCHED = [
    ((3,), (4, 3)),  # few: NumPy's sum
    ((16,), (100, 16)),  # many: a product by ones
    ((1, 16), (100, 16)),
    ((1, 1, 8), (30, 20, 8)),
    ((8,), (30, 20, 8)),
    ((20, 8), (30, 20, 8)),
    ((1, 20, 1), (30, 20, 8)),
    ((30, 1, 1), (30, 20, 8)),
    ((1,), (1000, 1)),
    ((), (50, 50)),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("small, large", STRETCHED)
def test_terms_are_summed_over_the_axes_that_were_stretched(small, large, dtype):
    rng = np.random.default_rng(0)
    ct = rng.normal(size=large).astype(dtype)
    b = qd.tensor(np.ones(small, dtype), requires_grad=True)
    (b + np.zeros(large, dtype)).backward(ct)
    lead = len(large) - len(small)
    axes = (*range(lead), *(lead + k for k, n in enumerate(small) if n == 1))
    wanted = ct.astype(np.result_type(dtype, np.float64)).sum(axis=axes).reshape(small)
    assert b.grad.shape == small
    assert b.grad.dtype == dtype
    np.testing.assert_allclose(b.grad.numpy(), wanted, rtol=0, atol=200 * np.finfo(dtype).eps)


def test_cotangents_in_any_order_of_memory():
    ct = np.asfortranarray(np.random.default_rng(0).normal(size=(100, 16)))
    for given in (ct, ct[::-1], ct[::2], np.broadcast_to(ct[0], (100, 16))):
        b = qd.tensor(np.ones(16), requires_grad=True)
        (b + np.zeros(given.shape)).backward(given)
        np.testing.assert_allclose(b.grad.numpy(), given.sum(axis=0), rtol=1e-13, atol=1e-13)


def test_a_sum_of_many_terms_has_no_larger_error_than_that_of_numpy():
    ours, numpys = 0.0, 0.0
    for seed in range(20):
        ct = np.random.default_rng(seed).uniform(size=(10_000, 3))
        exact = np.array([math.fsum(column) for column in ct.T])
        b = qd.tensor(np.zeros(3), requires_grad=True)
        (b + np.zeros(ct.shape)).backward(ct)
        ours += np.sum((b.grad.numpy() - exact) ** 2)
        numpys += np.sum((ct.sum(axis=0) - exact) ** 2)
    assert ours <= numpys


@pytest.mark.parametrize("rows", [3, 300])  # few and many
def test_a_cotangent_that_is_the_same_for_all_columns_stands_for_each(rows):
    same = np.arange(float(rows))[:, None]
    np.testing.assert_array_equal(fit(same, Aval((4,), same.dtype)), np.full(4, same.sum()))


def test_infinities_stay_in_their_column():
    ct = np.ones((100, 16))
    ct[3, 5] = np.inf
    b = qd.tensor(np.ones(16), requires_grad=True)
    (b + np.zeros(ct.shape)).backward(ct)
    assert np.flatnonzero(np.isinf(b.grad.numpy())).tolist() == [5]
    np.testing.assert_array_equal(np.delete(b.grad.numpy(), 5), 100.0)
