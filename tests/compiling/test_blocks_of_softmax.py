"""Totals that lie column by column in a block of rows: a softmax over the last of several axes."""

import numpy as np
import pytest

import qiudao as qd

DRAWS = np.random.default_rng(0)


def share(s):
    largest = np.max(s, axis=-1, keepdims=True)
    e = np.where(s == largest, 1.0, np.exp(s - largest)).astype(s.dtype)
    return e / np.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(64, 4, 8, 8), (512, 8, 8), (256, 4, 4, 4), (64, 4, 16, 16)])
@pytest.mark.parametrize("f", [share, qd.nn.softmax], ids=["written out", "softmax"])
def test_products_and_sums_of_shares(f, shape, dtype):
    s = DRAWS.normal(size=shape).astype(dtype)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for g in (lambda s: f(s) @ s, lambda s: np.sum(f(s) * s, axis=-1)):
        np.testing.assert_allclose(qd.jit(g)(s), g(s), rtol=tolerance, atol=tolerance)
