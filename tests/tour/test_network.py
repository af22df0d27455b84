from itertools import pairwise

import numpy as np
import pytest

import qiudao as qd
from qiudao.tour.network import SIZES, cross_entropy, initial_weights, probabilities, scores


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_weights_fit_the_layers(rng):
    shapes = [w.shape for w in initial_weights(rng)]
    assert shapes == [(64, 64), (64,), (64, 32), (32,), (32, 10), (10,)]
    assert sum(w.size for w in initial_weights(rng)) == sum((n + 1) * m for n, m in pairwise(SIZES))


def test_scores_are_the_same_on_arrays_and_on_tensors(rng):
    weights = initial_weights(rng)
    images = rng.random((5, 64))
    recorded = scores(images, [qd.tensor(w, requires_grad=True) for w in weights])
    np.testing.assert_array_equal(recorded.detach().numpy(), scores(images, weights))


def test_probabilities_sum_to_one(rng):
    chances = probabilities(rng.random((5, 64)), initial_weights(rng))
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)


def test_cross_entropy_by_hand():
    values = np.array([[0.0, np.log(3.0)], [np.log(4.0), 0.0]])
    loss = cross_entropy(qd.tensor(values), np.array([1, 1]))
    assert float(loss) == pytest.approx((np.log(4 / 3) + np.log(5)) / 2)


def test_the_gradient_of_cross_entropy_is_the_error_of_the_probabilities(rng):
    values = qd.tensor(rng.normal(size=(4, 10)), requires_grad=True)
    labels = np.array([0, 3, 9, 3])
    cross_entropy(values, labels).backward()
    exps = np.exp(values.detach().numpy())
    expected = exps / exps.sum(axis=1, keepdims=True) - np.eye(10)[labels]
    np.testing.assert_allclose(values.grad.numpy(), expected / 4, atol=1e-15)


def test_large_scores_do_not_overflow():
    values = qd.tensor(np.array([[1e4, -1e4, 0.0]]), requires_grad=True)
    loss = cross_entropy(values, np.array([1]))
    loss.backward()
    assert loss.item() == 2e4
    np.testing.assert_array_equal(values.grad.numpy(), [[1.0, -1.0, 0.0]])
